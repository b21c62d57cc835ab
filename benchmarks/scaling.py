"""What a member costs against how many are stacked, and against the size of its network.

    python benchmarks/scaling.py [--rounds 3]

Microseconds of CPU time that one member takes for one training step, in stacks of 1 to 128, one thread, the median
of some rounds: where a row stops falling, stacking stops paying. `rule` is how many members of many the chunk rule of
`train/fuse.py` puts into a stack, and `lost` what a member costs there beyond the cheapest stack of the row.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

import gendsl_runtime  # noqa: F401  settles the numerics before torch is imported
from gendsl_runtime.train.fuse import cost
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.speed import tried
from tests.runtime.members import blobs, component, member

COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
BATCH, EXAMPLES = 64, 512
LARGEST = 300e6
"""Bytes of parameters, gradients and activations up to which a stack is tried."""


def cases() -> Iterator[tuple[str, Member]]:
    """Networks of 350 to 2 million parameters, digits and larger inputs, with the two usual optimizers."""
    sgd, adam = component("optimizer", "sgd", momentum=0.9), component("optimizer", "adam")

    def case(name: str, shape: tuple[int, ...], **given: list[int]) -> tuple[str, Member]:
        kind = "mlp" if "hidden" in given else "cnn"
        data = blobs(shape=shape, examples=EXAMPLES, classes=10)
        model = component("model", kind, **given)
        return name, member(data, model=model, optimizer=sgd, batch=BATCH)

    for width in (4, 16, 64, 128, 256, 512, 1024):
        yield case(f"64-{width}-10", (64,), hidden=[width])
    name, wide = case("64-512-10, Adam", (64,), hidden=[512])
    yield name, replace(wide, optimizer=adam)
    yield case("784-256-10", (784,), hidden=[256])
    yield case("64-4x128-10", (64,), hidden=[128] * 4)
    yield case("64-3x1024-10", (64,), hidden=[1024] * 3)
    yield case("CNN 8, 16 of 8 x 8", (1, 8, 8), channels=[8, 16])
    yield case("CNN 16, 32 of 16 x 16", (1, 16, 16), channels=[16, 32])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = range(parser.parse_args().rounds)
    print(f"| network | MFLOP | kB | {' | '.join(map(str, COUNTS))} | rule | lost |")
    print(f"| --- | {' | '.join(['--:'] * (len(COUNTS) + 4))} |")
    for name, one in cases():
        what = cost(one)
        counts = [count for count in COUNTS if count == 1 or count * what.bytes <= LARGEST]
        chosen = max(count for count in counts if count <= max(1, what.members))
        seconds = {count: median(tried(one, count) for _ in rounds) / count for count in counts}
        cells = [f"{1e6 * seconds[count]:,.0f}" if count in seconds else "" for count in COUNTS]
        lost = seconds[chosen] / min(seconds.values()) - 1
        print(
            f"| {name} | {what.operations / 1e6:,.1f} | {what.bytes / 1e3:,.0f} | {' | '.join(cells)} "
            f"| {what.members:,} | {lost:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
