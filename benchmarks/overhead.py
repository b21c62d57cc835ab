"""What language, plan, store and checkpoints cost on top of the bare engine.

    python benchmarks/overhead.py [--rounds 5] [--epochs 20 100]

32 seeds of a 64-64-10 network on digits, batch 64, SGD with momentum, with ten checkpoints each. The bare engine is
handed its members and its data in memory and keeps nothing but the end. CPU seconds of one thread, medians of
interleaved rounds, imports left out; each run has an empty store. Claims and reports are not part of it.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time

import gendsl_runtime  # noqa: F401  settles the numerics before torch is imported
from gendsl.plan import plan
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.execute.compute import computed
from gendsl_runtime.execute.perform import outlined
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.numerics import numerics
from gendsl_runtime.reading import file_digest, read_checked
from gendsl_runtime.store import Store
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.member import Member

SPEC = """
seeds 0..31
dataset digits = sklearn_digits(train=1437, test=360)
train net {{
    model = mlp(hidden=[64])
    dataset = digits
    optimizer = sgd(lr=0.1, momentum=0.9)
    batch = 64
    budget = {epochs} epochs
    checkpoints = {checkpoints}
}}
"""


def whole(file: Path, epochs: int, checkpoints: list[int]) -> dict[str, float]:
    """The CPU seconds of each part of a run."""
    times = [process_time()]
    file.write_text(SPEC.format(epochs=epochs, checkpoints=checkpoints))
    checked = read_checked(str(file))
    assert checked.spec is not None, checked.diagnostics
    times.append(process_time())
    planned = plan(checked.spec, numerics=numerics(), file_digest=file_digest)
    times.append(process_time())
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        computed(planned, store, device="cpu", workers=1, watch=Watch())
        times.append(process_time())
    parts = [after - before for before, after in pairwise(times)]
    return dict(zip(("language", "plan", "compute and store"), parts))


def members(file: Path, epochs: int) -> list[Member]:
    """The same trainings for the bare engine, without checkpoints."""
    file.write_text(SPEC.format(epochs=epochs, checkpoints=[]))
    checked = read_checked(str(file))
    assert checked.spec is not None, checked.diagnostics
    planned = plan(checked.spec, numerics=numerics(), file_digest=file_digest)
    data = sklearn_digits(train=1437, test=360)
    return [outlined(planned["net"].arguments(seed), data, b"digits") for seed in range(32)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, nargs="*", default=[20, 100])
    given = parser.parse_args()
    print("| epochs | bare engine, s | language | plan | compute and store | over the bare engine |")
    print("| --: | --: | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "overhead.gen"
        for epochs in given.epochs:
            checkpoints = [epochs * part // 10 for part in range(1, 11)]
            bare = members(file, epochs)
            fit(bare)
            whole(file, epochs, checkpoints)
            alone: list[float] = []
            parts: list[dict[str, float]] = []
            for _ in range(given.rounds):
                begun = process_time()
                fit(bare)
                alone.append(process_time() - begun)
                parts.append(whole(file, epochs, checkpoints))
            base = median(alone)
            over = median(sum(part.values()) for part in parts) / base - 1
            cells = [f"{median(part[name] for part in parts):.3f}" for name in parts[0]]
            print(f"| {epochs} | {base:.3f} | {' | '.join(cells)} | {over:.1%} |", flush=True)


if __name__ == "__main__":
    main()
