"""What a stack of N seeds costs, in seeds of a plain and of a hand-written PyTorch loop, and against JAX.

    python benchmarks/training.py [--case mlp|cnn|mnist|transformer] [--counts 1,8,32,128] [--rounds 5]
                                  [--jax-python PATH]

Digits (1437 train, 360 test) with a 64-64-10 MLP and a small CNN, 4000 of MNIST with 784-256-10, both batch 64 and
SGD with momentum; addition modulo 59 with a transformer of two blocks, width 32, batch 128 and AdamW. Every
arm trains the same number of epochs, keeps the loss and the error of each epoch from its steps, and evaluates
the test set once at the end. CPU time of one thread, medians of interleaved rounds, each arm in a process of
its own, so that the engine's numerical setting slows nobody else down. The loops are in `arms/`. JAX (extra
`bench`) is measured where it can be imported, here or by `--jax-python`, on the networks of linear layers.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

ARMS = Path(__file__).parent / "arms"
EPOCHS = {"mlp": 10, "cnn": 3, "mnist": 1, "transformer": 3}
COUNTS = {"mlp": (1, 8, 32, 128), "cnn": (1, 8, 32), "mnist": (1, 8, 32), "transformer": (1, 8, 32)}
BATCH = {"mlp": 64, "cnn": 64, "mnist": 64, "transformer": 128}
TARGETS = {
    ("mlp", 1): {"hand": 1.15},
    ("mlp", 8): {"hand": 2.0, "plain": 0.9},
    ("mlp", 32): {"hand": 5.0, "plain": 2.3, "jax": 1.5},
    ("cnn", 1): {"hand": 1.25},
    ("cnn", 8): {"hand": 3.4},
    ("mnist", 1): {"hand": 1.15},
    ("transformer", 1): {"hand": 1.15},
}
"""Largest ratio: in seeds of an arm, and to the same number of seeds in JAX."""
PER_SEED = ("mnist", "transformer")
"""Cases where N seeds may cost no more than N of `hand`."""
MODULUS = 59


def dump(case: str, folder: Path) -> Path:
    """The data of a case, as a file that every arm can read."""
    path = folder / f"{case}.npz"
    if case == "transformer":
        chance = np.random.default_rng(0)
        a, b = chance.permutation(MODULUS**2).reshape(1, -1) // np.array([[MODULUS], [1]]) % MODULUS
        x, y = np.stack([a, b, np.full_like(a, MODULUS)], 1), (a + b) % MODULUS
        cut = len(x) // 2
    elif case == "mnist":
        from gendsl_runtime.datasets.mnist_5k import mnist_5k

        found = mnist_5k()
        parts = [found.splits[name] for name in ("train", "test")]
        x = np.concatenate([part.inputs.flatten(1).numpy() for part in parts])
        y = np.concatenate([part.targets.numpy() for part in parts])
        cut = len(parts[0])
    else:
        from sklearn.datasets import load_digits

        digits = load_digits()
        x, y, cut = (digits.data / 16).astype(np.float32), digits.target, 1437
        x = x.reshape(-1, 1, 8, 8) if case == "cnn" else x
    np.savez(path, train_x=x[:cut], train_y=y[:cut], test_x=x[cut:], test_y=y[cut:])
    return path


@dataclass
class Arm:
    """One way to train, in a process of its own."""

    name: str
    process: subprocess.Popen[str]
    seconds: list[float]
    accuracy: float = 0.0

    @classmethod
    def start(cls, name: str, script: str, case: str, path: Path, *, python: str = sys.executable) -> Arm:
        command = [python, str(ARMS / script), name, case, str(path), str(EPOCHS[case])]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        if process.stdout.readline().strip() != "ready":
            raise SystemExit(f"`{' '.join(command)}` did not start")
        return cls(name, process, [])

    def run(self) -> None:
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        spent, self.accuracy = map(float, self.process.stdout.readline().split())
        self.seconds.append(spent)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()

    @property
    def cost(self) -> float:
        return statistics.median(self.seconds)


def compare(case: str, counts: tuple[int, ...], rounds: int, jax_python: str | None) -> None:
    """Interleaved rounds of every arm, the table, and the targets."""
    with tempfile.TemporaryDirectory() as folder:
        path = dump(case, Path(folder))
        arms = [Arm.start(name, "loops.py", case, path) for name in ("plain", "hand")]
        arms += [Arm.start(f"engine{count}", "stack.py", case, path) for count in counts]
        if jax_python and case in ("mlp", "mnist"):
            arms += [Arm.start(f"jax{n}", "scan.py", case, path, python=jax_python) for n in counts]
        for _ in range(rounds):
            for arm in arms:
                arm.run()
        for arm in arms:
            arm.close()
        steps = EPOCHS[case] * ceil(len(np.load(path)["train_y"]) / BATCH[case])
        gflop = steps * measured("operations", "loops.py", case, path) / 1e9
        peak = measured("peak", "stack.py", case, path)
    costs = {arm.name: arm.cost for arm in arms}
    print(f"\n{case}: {EPOCHS[case]} epochs, {steps} steps of {BATCH[case]}, medians of {rounds} rounds")
    print(f"{gflop / steps * 1000:.2f} MFLOP a seed and step; a large product reaches {peak:.0f} GFLOP/s")
    for arm in arms:
        count = int("".join(filter(str.isdigit, arm.name)) or 1)
        reached = gflop * count / arm.cost
        print(
            f"{arm.name:10} {arm.cost:8.3f} s {arm.cost / steps * 1e6:9.0f} us a step"
            f" {arm.cost / costs['hand']:7.2f} hand {arm.cost / costs['plain']:7.2f} plain"
            f" {reached:6.1f} GFLOP/s {reached / peak:4.0%} of peak  accuracy {arm.accuracy:.3f}"
        )
    for count in counts:
        judge(case, count, costs)


def judge(case: str, count: int, costs: dict[str, float]) -> None:
    """Print each target of a case, and whether it is met."""
    targets = dict(TARGETS.get((case, count), {}))
    if case in PER_SEED:
        targets.setdefault("hand", count)
    for against, largest in targets.items():
        name = f"jax{count}" if against == "jax" else against
        if name not in costs:
            print(f"  N = {count}: <= {largest} {name}: not measured")
            continue
        ratio = costs[f"engine{count}"] / costs[name]
        print(
            f"  N = {count}: {ratio:.2f} {name}, target {largest}: {'met' if ratio <= largest else 'missed'}"
        )


def measured(name: str, script: str, case: str, path: Path) -> float:
    """A number that an arm's script prints."""
    command = [sys.executable, str(ARMS / script), name, case, str(path), "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--case", choices=sorted(COUNTS), action="append")
    parser.add_argument("--counts", help="numbers of seeds, 1,8,32,128")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jax-python", help="an interpreter that has jax")
    given = parser.parse_args()
    jax_python = given.jax_python or (sys.executable if importlib.util.find_spec("jax") else None)
    for case in given.case or COUNTS:
        counts = tuple(map(int, given.counts.split(","))) if given.counts else COUNTS[case]
        compare(case, counts, given.rounds, jax_python)


if __name__ == "__main__":
    main()
