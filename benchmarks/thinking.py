"""What a network that thinks costs: training steps and iterations in evaluation, beside the same network in torch.nn.

    python benchmarks/thinking.py [--rounds 5]

Strings of at most 8 bits (24 and 32 channels, batches of 32, 8 iterations, up to 30 before them without gradient) and
mazes of 9 x 9 pixels (24 and 32 channels, batches of 16, 10 iterations, up to 24 without gradient), in stacks of 1, 2
and 5. The baseline is a plain loop: `Conv1d` or `Conv2d`, the input concatenated in each iteration, autograd,
`torch.optim.Adam`, `clip_grad_norm_`. Both make the same numbers of iterations. CPU milliseconds a member and step, one
thread, the fastest of some rounds of the same 24 steps; evaluation is 60 iterations with an answer after each, of
strings of 64 bits and mazes of 17 x 17 pixels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1]))

import gendsl_runtime  # noqa: F401, I001  settles the numerics before torch is imported
import torch
from torch import Tensor, nn
from torch.nn import functional

from gendsl_runtime.analyses.thinking.thinking_time import thinking_time
from gendsl_runtime.data import Dataset
from gendsl_runtime.datasets.mazes import mazes
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.length import Length
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.stack import start
from gendsl_runtime.train.thinking import Schedule
from tests.runtime.members import component, member

STEPS, RATE, TIME = 24, 0.003, 60
MEMBERS = (1, 2, 5)


class Plain(nn.Module):
    """The network of `deep_thinking` as one would write it."""

    def __init__(self, channels: int, width: int, *, is_flat: bool) -> None:
        super().__init__()
        kind = nn.Conv1d if is_flat else nn.Conv2d

        def layer(inputs: int, outputs: int) -> nn.Module:
            return kind(inputs, outputs, 3, padding=1, bias=False)

        self.projection = layer(channels, width)
        self.recall = layer(width + channels, width)
        self.first, self.second = layer(width, width), layer(width, width)
        narrow = max(2, width // 4)
        relu = nn.ReLU()
        self.head = nn.Sequential(
            *(layer(width, width), relu, layer(width, narrow), relu, layer(narrow, 2)),
        )

    def start(self, x: Tensor) -> Tensor:
        return functional.relu(self.projection(x))

    def thought(self, h: Tensor, x: Tensor) -> Tensor:
        h = self.recall(torch.cat([h, x], 1))
        return functional.relu(self.second(functional.relu(self.first(h))) + h)


class Case:
    """A dataset with a network and how long it thinks."""

    def __init__(
        self, names: tuple[str, str], data: Dataset, longer: Dataset, batch: int, schedule: Schedule
    ) -> None:
        self.names, self.data, self.longer, self.batch, self.schedule = names, data, longer, batch, schedule
        self.is_flat = len(data.shape) == 2

    def module(self, width: int) -> Plain:
        torch.manual_seed(0)
        return Plain(self.data.shape[1 if self.is_flat else 0], width, is_flat=self.is_flat)

    def inputs(self, data: Dataset, split: str) -> Tensor:
        inputs = data.splits[split].inputs
        return inputs.transpose(1, 2) if self.is_flat else inputs

    def members(self, width: int, count: int) -> list[Member]:
        given = {"width": width, "iterations": self.schedule.iterations, "skip": self.schedule.skip}
        fields = {
            "model": component("model", "deep_thinking", **given),
            "optimizer": component("optimizer", "adam", lr=RATE, clip=1),
            "loss": component("loss", "cross_entropy"),
            "batch": self.batch,
            "budget": Length(STEPS, "steps"),
        }
        return [member(self.data, seed=seed, **fields) for seed in range(count)]


def cases() -> list[Case]:
    return [
        Case(
            ("strings of 8", "strings of 64"),
            prefix_sums(lengths=[2, 3, 4, 6, 8], train=32 * STEPS, test=2),
            prefix_sums(lengths=[64], train=1, test=50),
            32,
            Schedule(8, 1.0, 30, 0),
        ),
        Case(
            ("mazes of 9 x 9", "mazes of 17 x 17"),
            mazes(side=9, train=16 * STEPS, test=1),
            mazes(side=17, train=1, test=100),
            16,
            Schedule(10, 1.0, 24, 0),
        ),
    ]


def plain(case: Case, width: int) -> None:
    """The steps of one member."""
    module, train = case.module(width), case.data.splits["train"]
    inputs = case.inputs(case.data, "train")
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE)
    for step in range(STEPS):
        rows = slice(step * case.batch, (step + 1) * case.batch)
        x, labels = inputs[rows], train.targets[rows]
        free, kept = case.schedule.draw(step)
        with torch.no_grad():
            h = module.start(x)
            for _ in range(free):
                h = module.thought(h, x)
        h = h if free else module.start(x)
        for _ in range(kept):
            h = module.thought(h, x)
        loss = functional.cross_entropy(module.head(h).flatten(2), labels, ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()


def engine(case: Case, width: int, count: int) -> None:
    """The steps of a stack."""
    stack = start(case.members(width, count), device="cpu", dtype=torch.float32)
    stack.run(STEPS)


@torch.no_grad()
def plain_thinking(case: Case, width: int) -> None:
    module, x, labels = (
        case.module(width),
        case.inputs(case.longer, "test"),
        case.longer.splits["test"].targets,
    )
    h = module.start(x)
    for _ in range(TIME):
        h = module.thought(h, x)
        answers = module.head(h).flatten(2).argmax(1)
        ((answers == labels) | (labels < 0)).all(1).double().mean().item()


def engine_thinking(case: Case, width: int, count: int) -> None:
    network = deep_thinking(case.longer.shape, 2, width=width)
    state, seeds = network.init(range(count)), tuple(range(count))
    thinking_time(Runs(network, state, (case.longer,) * count, seeds, cross_entropy), iterations=TIME)


def fastest(call: Callable[[], None], rounds: int) -> float:
    """CPU seconds of one call."""
    call()
    found = []
    for _ in range(rounds):
        begun = process_time()
        call()
        found.append(process_time() - begun)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(
        f"| what | channels | torch.nn, ms | {' | '.join(f'{count} stacked' for count in MEMBERS)} | ratio at best |"
    )
    print(f"| --- | {' | '.join(['--:'] * (len(MEMBERS) + 3))} |")
    for case in cases():
        for width in (24, 32):
            for what, calls, other in (
                (f"a step, {case.names[0]}", engine, plain),
                (f"an iteration, {case.names[1]}", engine_thinking, plain_thinking),
            ):
                each = 1e3 / (STEPS if calls is engine else TIME)
                alone = each * fastest(partial(other, case, width), rounds)
                stacked = [
                    each * fastest(partial(calls, case, width, count), rounds) / count for count in MEMBERS
                ]
                cells = " | ".join(f"{value:.2f}" for value in stacked)
                print(
                    f"| {what} | {width} | {alone:.2f} | {cells} | {alone / min(stacked):.1f} |", flush=True
                )


if __name__ == "__main__":
    main()
