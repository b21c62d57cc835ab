"""`gen new`: a commented spec to start from."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

HELP = "write a commented spec to start from"
EXAMPLES = """\
examples:
  gen new first
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the experiment; the file is NAME.gen")


def main(arguments: argparse.Namespace) -> int:
    from gendsl.words import DECLARING, RESERVED

    path = Path(arguments.name.removesuffix(".gen") + ".gen")
    name = path.name.removesuffix(".gen")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in (*DECLARING, *RESERVED):
        print(f"gen new: `{name}` cannot be a name: use letters, digits and `_`", file=sys.stderr)
        return 2
    try:
        _write_new(path, STARTER.replace("NAME", name))
    except FileExistsError:
        print(f"gen new: {path} is already there, and is left as it is", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"gen new: {path} cannot be written: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return 2
    print(f"{path} is written. Next: gen validate {path}, then gen run {path}")
    return 0


def _write_new(path: Path, text: str) -> None:
    """A file that was not there: whole, or still not there."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            path.unlink()
            raise


STARTER = '''\
# One experiment: what is trained on what, what is measured, what is claimed, what is shown.
# `gen validate` finds mistakes, `gen plan` shows what would run, `gen run` runs it.
# `gen list` names every component; `gen explain mlp` tells what one does.

experiment NAME {
    title = "A wider network generalises better on handwritten digits"
}

# Parameters of the file: `gen run --set length="5 epochs"` replaces one.
param length = 30 epochs in 1..500 epochs

# Replicates: everything trained is trained once for each seed, and statistics take the seeds together.
seeds 0..4

# A named axis: whatever mentions `width` varies along it.
sweep width in [4, 16, 64]

dataset digits = sklearn_digits()
model net = mlp(hidden=[width])

"""One hidden layer, trained with momentum."""
train fit {
    model = net
    dataset = digits
    optimizer = sgd(lr=0.1, momentum=0.9)
    batch = 64
    budget = length
}

analysis gap = generalization_gap(fit)

# Claims are written before the results. Each ends supported, refuted or undecided.
claim wide_is_better: mean(gap.error where width == 64) < mean(gap.error where width == 4) at 95%

claim more_width_less_error: spearman(width, gap.error) < 0 at 95%

plot error_by_width = line(x=width, y=gap.error, band=95%)

# `gen run NAME.gen --preset smoke` tries everything in seconds.
preset smoke {
    length = 2 epochs
}
'''
