"""What checkpoints of trainings under way cost: looking at the clock after every step, and writing.

    .venv/bin/python benchmarks/checkpoints.py

CPU seconds of the same stack with and without a keeper, in turn; then the seconds of one checkpoint and of reading it
again, and the share of the training that this is at one in so many seconds as `Keeper` takes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

import gendsl_runtime  # noqa: F401  (settles the numerics before torch)
from gendsl_runtime.length import Length
from gendsl_runtime.store.checkpoints import Checkpoints
from gendsl_runtime.train import checkpoint
from gendsl_runtime.train.checkpoint import Keeper
from gendsl_runtime.train.loop import Course, train
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.stack import start
from tests.runtime.members import blobs, component, member

TURNS = 7


def members(count: int, hidden: list[int], *, inputs: int, steps: int) -> list[Member]:
    data = blobs(shape=(inputs,), examples=512)
    model = component("model", "mlp", hidden=hidden)
    adam = component("optimizer", "adam", lr=1e-4)
    like = {"model": model, "optimizer": adam, "batch": 32, "budget": Length(steps, "steps")}
    return [member(data, seed=seed, **like) for seed in range(count)]


def seconds(chosen: list[Member], keeper: Keeper | None) -> float:
    begun = process_time()
    train(chosen, device="cpu", dtype=torch.float32, tell=lambda steps: None, keeper=keeper)
    return process_time() - begun


def main() -> None:
    """Prints both tables."""
    print("stack                          a step, plain    with a keeper")
    for count, hidden, steps in ((1, [8], 4000), (10, [32], 2000)):
        chosen = members(count, hidden, inputs=20, steps=steps)
        with tempfile.TemporaryDirectory() as folder:
            keeper = Keeper(Checkpoints(Path(folder)), [f"{m.seed:064x}" for m in chosen], device="cpu")
            pairs = [(seconds(chosen, None), seconds(chosen, keeper)) for _ in range(TURNS)]
        plain, kept = (median(times) / steps * 1e6 for times in zip(*pairs, strict=True))
        ratio = median(kept / plain for plain, kept in pairs)
        print(f"{count:3} x mlp({hidden}), adam {plain:18.1f} us {kept:11.1f} us   x {ratio:.4f}")
    print("\nstack                          bytes      written in     read in   one in    share")
    for count, hidden, inputs in ((10, [32], 20), (32, [256, 256], 64), (1, [2048, 2048], 784)):
        write(members(count, hidden, inputs=inputs, steps=20))


def write(chosen: list[Member]) -> None:
    """One line of the second table."""
    course = Course(chosen, start(chosen, device="cpu", dtype=torch.float32))
    course.stack.run(5)
    keys = [f"{one.seed:064x}" for one in chosen]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        keeper = Keeper(Checkpoints(Path(folder)), keys, device="cpu")
        times = []
        for _ in range(3):
            begun = perf_counter()
            keeper.keep(course)
            times.append(perf_counter() - begun)
        size = sum(path.stat().st_size for path in Path(folder).glob("checkpoints/*/0"))
        begun = perf_counter()
        assert len(keeper.found()) == len(chosen)
        found = perf_counter() - begun
    written = median(times)
    apart = max(checkpoint.INTERVAL, written / checkpoint.SHARE)
    name = f"{len(chosen)} x {course.stack.layout.width:,} values, adam"
    print(
        f"{name:28} {size / 1e6:8.2f} MB {written * 1e3:9.1f} ms {found * 1e3:9.1f} ms "
        f"{apart:6.1f} s {written / apart:8.2%}"
    )


if __name__ == "__main__":
    main()
