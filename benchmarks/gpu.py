"""What stacks cost on a GPU, against an idiomatic loop there, and whether a member's bits depend on its stack.

    python benchmarks/gpu.py [--case mlp|resnet] [--rehearse]

Stacks of 1, 8, 128 and 1024 digits-size MLPs (64-64-10, batch 64) and of 1, 8 and 64 ResNet-20 with GroupNorm (images
of 3 x 32 x 32, batch 128), both SGD with momentum on random data. The loop is nn.Module, `torch.optim.SGD(fused=True)`
and one gather an epoch, with the data on the device. Wall clock between synchronisations, full float32 precision, and
the share of what a large product reaches in the same run. `first` is what the epochs cost in which steps are recorded
and compared. Without a CUDA device nothing is measured; `--rehearse` runs the same code on the CPU, on next to
nothing, and its figures mean nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "arms"))

from stack import component

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.device import reproducible
from gendsl_runtime.length import Length
from gendsl_runtime.train.fitted import Fitted
from gendsl_runtime.train.fuse import cost
from gendsl_runtime.train.loop import Course, train
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.stack import start

import torch  # isort: skip  (the engine sets MKL's mode first)
from torch import nn  # isort: skip

FIRST = 5
"""Epochs until every recording is made and compared: the last, smaller batch comes once an epoch."""
TIMED = 5


@dataclass(frozen=True)
class Case:
    """A network and its data."""

    model: tuple[str, dict]
    shape: tuple[int, ...]
    examples: int
    batch: int
    counts: tuple[int, ...]
    lr: float

    def member(self, seed: int) -> Member:
        chance = torch.Generator().manual_seed(0)
        inputs = torch.rand(self.examples, *self.shape, generator=chance)
        targets = torch.randint(10, (self.examples,), generator=chance)
        data = Dataset({"train": Split(inputs, targets)}, "classification", self.shape, 10)
        name, given = self.model
        descent = component("optimizer", "sgd", lr=self.lr, momentum=0.9)
        parts = (component("model", name, **given), descent, component("loss", "cross_entropy"))
        return Member(data, b"data", *parts, Length(100, "epochs"), self.batch, seed=seed)

    def module(self) -> nn.Module:
        if self.model[0] == "mlp":
            return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        return resnet()


CASES = {
    "mlp": Case(("mlp", {"hidden": [64]}), (64,), 1437, 64, (1, 8, 128, 1024), 0.1),
    "resnet": Case(("resnet", {"blocks": 3}), (3, 32, 32), 10240, 128, (1, 8, 64), 0.01),
}
REHEARSED = {
    "mlp": replace(CASES["mlp"], examples=150, counts=(1, 3)),
    "resnet": replace(
        CASES["resnet"], model=("resnet", {"width": 8}), shape=(3, 8, 8), examples=20, batch=8, counts=(1, 2)
    ),
}


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.GroupNorm(8, outputs), nn.ReLU()),
            *(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.GroupNorm(8, outputs)),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.GroupNorm(8, outputs))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def resnet() -> nn.Module:
    """ResNet-20 with GroupNorm."""
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.GroupNorm(8, 16), nn.ReLU()]
    inputs = 16
    for stage in range(3):
        for block in range(3):
            width = 16 * 2**stage
            layers.append(Block(inputs, width, 2 if stage and not block else 1))
            inputs = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def peak(device: str) -> float:
    """FLOP/s of a large product in float32."""
    size = 8192 if device == "cuda" else 256
    left, right = torch.randn(size, size, device=device), torch.randn(size, size, device=device)
    found = []
    for _ in range(5):
        wait(device)
        begun = time.perf_counter()
        left @ right
        wait(device)
        found.append(time.perf_counter() - begun)
    return 2 * size**3 / min(found)


def idiomatic(case: Case, device: str) -> float:
    """Seconds of a step of one seed, with whatever algorithms are fastest; the engine sets its own again."""
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = True
    split = case.member(0).data.splits["train"]
    inputs, targets = split.inputs.to(device), split.targets.to(device)
    net = case.module().to(device)
    descent = torch.optim.SGD(net.parameters(), lr=case.lr, momentum=0.9, fused=True)
    steps = 0
    for epoch in range(2 + TIMED):
        if epoch == 2:
            wait(device)
            begun, steps = time.perf_counter(), 0
        order = torch.randperm(len(inputs), device=device)
        for rows in order.split(case.batch):
            descent.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(net(inputs[rows]), targets[rows]).backward()
            descent.step()
            steps += 1
    wait(device)
    return (time.perf_counter() - begun) / steps


def stacked(case: Case, count: int, device: str) -> tuple[float, float]:
    """Seconds of the first epochs, and of a step after them."""
    members = [case.member(seed) for seed in range(count)]
    begun = time.perf_counter()
    course = Course(members, start(members, device=device, dtype=torch.float32))
    for _ in range(FIRST):
        course.advance()
    wait(device)
    first = time.perf_counter() - begun
    begun, before = time.perf_counter(), course.stack.steps
    for _ in range(TIMED):
        course.advance()
    wait(device)
    return first, (time.perf_counter() - begun) / (course.stack.steps - before)


def measure(case: Case, device: str) -> None:
    """The table of a case."""
    reached, operations = peak(device), cost(case.member(0)).operations
    loop = idiomatic(case, device)
    print(
        f"{operations / 1e6:.2f} MFLOP a seed and step; a large product reaches {reached / 1e12:.2f} TFLOP/s"
    )
    print(f"loop        {loop * 1e6:10.1f} us a step {operations / loop / reached:8.3%} of peak")
    for count in case.counts:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", RuntimeWarning)
            first, step = stacked(case, count, device)
        print(
            f"stack {count:5} {step * 1e6:10.1f} us a step {operations * count / step / reached:8.3%} of peak"
            f"  {step / loop:8.2f} seeds of the loop  {loop * count / step:8.2f} times its speed  first {first:.2f} s"
        )
        for warning in heard:
            print(f"  {warning.message}")


def compare(case: Case, device: str) -> None:
    """The last member of each stack against the same one trained alone."""
    for count in case.counts[1:]:
        members = [replace(case.member(seed), budget=Length(FIRST + 1, "epochs")) for seed in range(count)]
        given = {"device": device, "dtype": torch.float32, "tell": lambda steps: None}
        (alone,), (*_, last) = train(members[-1:], **given), train(members, **given)
        if not (isinstance(alone, Fitted) and isinstance(last, Fitted)):
            print(f"  1 and {count}: diverged")
            continue
        values = [(alone.state.parameters[name], value) for name, value in last.state.parameters.items()]
        furthest = max(float((left - right).abs().max()) for left, right in values)
        is_same = all(torch.equal(left, right) for left, right in values)
        print(f"  1 and {count}: {'the same bits' if is_same else f'{furthest:.1e} apart at most'}")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--case", choices=sorted(CASES), action="append")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, to see that the code runs")
    given = parser.parse_args()
    if not given.rehearse and not torch.cuda.is_available():
        print("no CUDA device: nothing measured")
        return
    device, cases = ("cpu", REHEARSED) if given.rehearse else ("cuda", CASES)
    reproducible(device)
    print(
        "a rehearsal on the CPU: no figure means anything" if given.rehearse else torch.cuda.get_device_name()
    )
    for name in given.case or CASES:
        print(f"\n{name}")
        measure(cases[name], device)
        print("a member in stacks of several sizes:")
        compare(cases[name], device)


if __name__ == "__main__":
    main()
