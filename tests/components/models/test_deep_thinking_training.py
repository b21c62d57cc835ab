"""Training steps of deep thinking networks, in float64, against a plain torch.nn module trained by torch.optim."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gendsl_runtime.data import Dataset
from gendsl_runtime.datasets.mazes import mazes
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.length import Length
from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.train.fitted import Fitted
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.thinking import Schedule
from tests.runtime.members import component, member

WIDTH, BLOCKS, ITERATIONS, STEPS = 6, 2, 4, 7
MODEL = {"width": WIDTH, "blocks": BLOCKS, "iterations": ITERATIONS}


class Thinker(nn.Module):
    """The network of Bansal et al. (2022) as one would write it: convolutions of torch, one block in a loop."""

    def __init__(self, data: Dataset, *, has_recall: bool) -> None:
        super().__init__()
        self.is_image, self.has_recall = len(data.shape) == 3, has_recall
        channels = data.shape[0] if self.is_image else data.shape[1]
        kind = nn.Conv2d if self.is_image else nn.Conv1d

        def conv(inputs: int, outputs: int) -> nn.Module:
            return kind(inputs, outputs, 3, padding=1, bias=False, dtype=torch.float64)

        self.projection = conv(channels, WIDTH)
        self.recall = conv(WIDTH + channels, WIDTH) if has_recall else nn.Identity()
        self.block = nn.ModuleList([conv(WIDTH, WIDTH) for _ in range(2 * BLOCKS)])
        narrow = max(2, WIDTH // 4)
        self.head = nn.Sequential(
            conv(WIDTH, WIDTH), nn.ReLU(), conv(WIDTH, narrow), nn.ReLU(), conv(narrow, data.outputs)
        )

    def start(self, x: Tensor) -> Tensor:
        return self.projection(x).relu()

    def think(self, h: Tensor, x: Tensor, times: int) -> Tensor:
        for _ in range(times):
            h = self.recall(torch.cat([h, x], 1)) if self.has_recall else h
            for first, second in zip(self.block[::2], self.block[1::2], strict=True):
                h = (second(first(h).relu()) + h).relu()
        return h

    def loss(self, inputs: Tensor, labels: Tensor, free: int, kept: int) -> Tensor:
        """Of a step that thinks `free` iterations without gradient and `kept` with it."""
        x = inputs if self.is_image else inputs.transpose(1, 2)
        h = self.start(x)
        if free:
            with torch.no_grad():
                h = self.think(h, x, free)
        answers = self.head(self.think(h, x, kept)).flatten(2)
        losses = nn.functional.cross_entropy(answers, labels, ignore_index=-1, reduction="none")
        return (losses.sum(1) / (labels >= 0).sum(1)).mean()

    def names(self) -> dict[str, nn.Module]:
        """The engine's name of each convolution."""
        found: dict[str, nn.Module] = {"projection": self.projection}
        if self.has_recall:
            found["thought.recall"] = self.recall
        for place, layer in enumerate(self.block):
            found[f"thought.{place // 2}.{('first', 'second')[place % 2]}"] = layer
        return found | {f"head.{place}": self.head[2 * place] for place in range(3)}


def kernel(weight: Tensor, like: Tensor) -> Tensor:
    """A weight `(outputs, rows * columns * inputs)` as torch has it."""
    outputs, inputs, *size = like.shape
    return weight.view(outputs, *size, inputs).movedim(-1, 1)


def trained(data: Dataset, optimizer: object, seed: int, **model: object) -> Fitted:
    settings = {
        "optimizer": optimizer,
        "loss": component("loss", "cross_entropy"),
        "batch": None,
        "budget": Length(STEPS, "steps"),
        "seed": seed,
    }
    one = member(data, model=component("model", "deep_thinking", **{**MODEL, **model}), **settings)
    (found,) = fit([one], dtype=torch.float64)
    assert isinstance(found, Fitted)
    return found


@pytest.mark.parametrize("recall", [True, False])
@pytest.mark.parametrize(("progressive", "skip"), [(0.0, None), (0.6, None), (1.0, 9)])
@pytest.mark.parametrize("kind", ["bits", "mazes"])
def test_steps_of_training_are_those_of_a_plain_loop(
    kind: str, recall: bool, progressive: float, skip
) -> None:
    """Momentum, so that every gradient of seven steps shows; to 1e-10 of float64."""
    data = prefix_sums(lengths=[3, 5], train=6) if kind == "bits" else mazes(side=5, train=4)
    optimizer = component("optimizer", "sgd", lr=0.3, momentum=0.9)
    model = {"recall": recall, "progressive": progressive, "skip": skip}
    found = trained(data, optimizer, 5, **model)

    network = deep_thinking(data.shape, 2, **MODEL, **model)
    start = network.init([5]).to("cpu", torch.float64).parameters
    plain = Thinker(data, has_recall=recall)
    with torch.no_grad():
        for name, layer in plain.names().items():
            layer.weight.copy_(kernel(start[f"{name}.weight"][0], layer.weight))
    split, schedule = data.split("train"), Schedule(ITERATIONS, progressive, skip, 0)
    steps = torch.optim.SGD(plain.parameters(), lr=0.3, momentum=0.9)
    draws = [schedule.draw(step) for step in range(STEPS)]
    for draw in draws:
        steps.zero_grad()
        plain.loss(split.inputs.double(), split.targets, *draw).backward()
        for one in plain.parameters():
            one.grad = torch.zeros_like(one) if one.grad is None else one.grad
        steps.step()
    assert progressive == 0 or any(free > 0 for free, _ in draws), "some steps skip"
    for name, layer in plain.names().items():
        own = kernel(found.state.parameters[f"{name}.weight"][0], layer.weight)
        torch.testing.assert_close(own, layer.weight, rtol=1e-10, atol=1e-10, msg=name)
    moved = found.state.parameters["head.0.weight"] - start["head.0.weight"]
    assert moved.abs().max() > 1e-4


def test_lengths_of_thought_have_the_chances_of_the_paper() -> None:
    """n uniform in 0..m-1, k uniform in 1..m-n: chi squared over all pairs, within 5 deviations of its mean."""
    m, count = 5, 20_000
    schedule = Schedule(m, 1.0, None, 0)
    draws = [schedule.draw(step) for step in range(count)]
    pairs = {(n, k): count / m / (m - n) for n in range(m) for k in range(1, m - n + 1)}
    assert set(draws) == set(pairs)
    squares = sum((draws.count(pair) - wanted) ** 2 / wanted for pair, wanted in pairs.items())
    freedom = len(pairs) - 1
    assert abs(squares - freedom) < 5 * (2 * freedom) ** 0.5
