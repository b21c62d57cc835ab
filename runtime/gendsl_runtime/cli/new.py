"""`gen new`: a commented spec to start from, or a copy of a shipped one."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl_runtime.shipped import Shipped

HELP = "write a commented spec to start from, or a copy of one that comes with GenDSL"
EXAMPLES = """\
examples:
  gen new first
  gen new --list
  gen new mine --from flat_minima
"""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `gen new`."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="of the experiment; the file is NAME.gen (with --from: as there)",
    )
    parser.add_argument(
        "--from", dest="origin", metavar="SPEC", help="copy this shipped spec and what it imports"
    )
    parser.add_argument("--list", action="store_true", help="say which specs come with GenDSL")


def main(arguments: argparse.Namespace) -> int:
    """Writes the files and says what to do next; nothing that is there is written over."""
    from gendsl_runtime.cli.options import UsageError

    if arguments.list:
        if arguments.name or arguments.origin:
            raise UsageError("--list goes alone")
        print("\n".join(_listed()))
        return 0
    origin = None if arguments.origin is None else _origin(arguments.origin)
    if arguments.name is None and origin is None:
        raise UsageError(
            "gen new takes the NAME of an experiment, or --from SPEC; `gen new --list` says which there are"
        )
    path = Path((arguments.name or origin.short if origin else arguments.name).removesuffix(".gen") + ".gen")
    _check_name(path.stem)
    texts = {path: origin.renamed(path.stem) if origin else STARTER.replace("NAME", path.stem)}
    if origin:
        home = origin.path.parent
        texts |= {path.parent / one: (home / one).read_text("utf-8") for one in origin.companions()}
    _write_all(texts)
    beside = ", ".join(str(one) for one in list(texts)[1:])
    python = " --allow-python" if any(one.suffix == ".py" for one in texts) else ""
    print(f"{path} is written{f', and beside it {beside}' if beside else ''}.", end=" ")
    print(f"Next: gen validate {path}, then gen run {path}{python}")
    return 0


def _origin(name: str) -> Shipped:
    from gendsl_runtime.cli.options import UsageError
    from gendsl_runtime.shipped import UnknownSpecError, named

    try:
        return named(name)
    except UnknownSpecError as error:
        raise UsageError(f"{error} (`gen new --list` tells more)") from None


def _check_name(name: str) -> None:
    from gendsl.parse import parse
    from gendsl.source import Source
    from gendsl_runtime.cli.options import UsageError

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UsageError(f"`{name}` cannot be a name: use letters, digits and `_`, and no digit first")
    if parse(Source(f'experiment {name} {{ title = "" }}\n', name))[1]:
        raise UsageError(f"`{name}` is a word of the language; add something to it: my_{name.lower()}")


def _listed() -> list[str]:
    """Every shipped spec by family, with its title and what it took when it ran here, where it did."""
    from gendsl_runtime.cli.verdicts import folded
    from gendsl_runtime.saved import times
    from gendsl_runtime.shipped import shipped
    from gendsl_runtime.store.place import store_place

    there = shipped()
    took = times(store_place(Path("here.gen")))
    wide = max((len(one.short) for one in there), default=0) + 4
    width = max(60, min(140, shutil.get_terminal_size((110, 24)).columns))
    lines: list[str] = []
    for family in dict.fromkeys(one.family for one in there):
        lines += ["", family] if lines else [family]
        for one in (one for one in there if one.family == family):
            text = f"{one.short:<{wide - 2}}{one.title}"
            text += f" ({took[one.short]})" if one.short in took else ""
            lines += folded(text, width, first=2, indent=wide)
    return [*lines, "", "gen new NAME --from SPEC copies one; times are of runs in this store"]


def _write_all(texts: Mapping[Path, str]) -> None:
    """All files, or none where one of them is there or cannot be written."""
    from gendsl_runtime.cli.options import UsageError

    written: list[Path] = []
    for path, text in texts.items():
        try:
            _write_new(path, text)
        except OSError as error:
            for one in written:
                one.unlink()
            if isinstance(error, FileExistsError):
                raise UsageError(f"{path} is already there, and is left as it is") from None
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{path} cannot be written: {reason}") from None
        written.append(path)


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
