"""Deep thinking networks against the same network in torch.nn, and their training steps."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch.nn.functional import conv2d

from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.noise import noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.thinking import Schedule


def convolved(weight: torch.Tensor, images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """torch's convolution with the weight `(outputs, rows * columns * inputs)`."""
    kernel = weight.view(len(weight), *size, images.shape[1]).permute(0, 3, 1, 2)
    return conv2d(images, kernel, padding=(size[0] // 2, size[1] // 2))


@pytest.mark.parametrize("shape", [(11, 2), (3, 7, 5)])
@pytest.mark.parametrize("recall", [True, False])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("width", [8, 16])
def test_against_convolutions_of_torch(shape, recall, tied, width) -> None:
    """Images with 16 channels are enough work for the library's convolution."""
    network = deep_thinking(shape, 2, width=width, blocks=2, iterations=3, recall=recall, tied=tied)
    state = network.init([0, 7]).to("cpu", torch.float64)
    inputs = torch.randn(2, 4, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found, _ = network.apply(state.parameters, {}, inputs, training=False)
    size = (3, 3) if len(shape) == 3 else (1, 3)
    for member in range(2):
        weights = {name: value[member] for name, value in state.parameters.items()}
        x = inputs[member] if len(shape) == 3 else inputs[member].transpose(1, 2).unsqueeze(2)

        def layer(name: str, images: torch.Tensor, weights=weights) -> torch.Tensor:
            return convolved(weights[f"{name}.weight"], images, size)

        h = layer("projection", x).relu()
        for turn in range(3):
            own = "thought" if tied else f"thought.{turn}"
            h = layer(f"{own}.recall", torch.cat([h, x], 1)) if recall else h
            for block in range(2):
                h = (layer(f"{own}.{block}.second", layer(f"{own}.{block}.first", h).relu()) + h).relu()
        answer = layer("head.2", layer("head.1", layer("head.0", h).relu()).relu())
        torch.testing.assert_close(found[member], answer.flatten(2).permute(1, 2, 0))


@pytest.mark.parametrize("shape", [(6, 1), (1, 1), (64, 1), (3, 5, 4), (3, 2, 2)])
@pytest.mark.parametrize("recall", [True, False])
@pytest.mark.parametrize("width", [1, 4, 20])
def test_a_step_has_the_gradient_of_autograd_and_the_bits_of_each_member_alone(shape, recall, width) -> None:
    """5 x 4 pixels and 64 places with 20 channels are convolved by the library, all others are products."""
    network = deep_thinking(
        shape, 2, width=width, iterations=3, recall=recall, progressive=0.0, tied=width != 4
    )
    state, chance = network.init([0, 3]), noise([0, 3], device="cpu")
    inputs = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(1))

    def found(rows: slice, *, training: bool) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        leaves = {name: value[rows].clone().requires_grad_() for name, value in state.parameters.items()}
        outputs, _ = network.apply(leaves, {}, inputs[rows], training=training, noise=chance)
        slopes = torch.linspace(-1, 1, outputs[0].numel()).view_as(outputs[0])
        (outputs * slopes).sum().backward()
        return outputs, {name: leaf.grad for name, leaf in leaves.items()}

    outputs, gradients = found(slice(0, 2), training=True)
    plain_outputs, plain_gradients = found(slice(0, 2), training=False)
    assert torch.equal(outputs, plain_outputs)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, plain_gradients[name], rtol=1e-4, atol=1e-5)
    for member in range(2):
        own_outputs, own_gradients = found(slice(member, member + 1), training=True)
        assert torch.equal(own_outputs[0], outputs[member])
        for name, gradient in own_gradients.items():
            assert torch.equal(gradient[0], gradients[name][member])


def test_draws_follow_the_paper_or_the_longer_skip() -> None:
    paper = [Schedule(5, 1.0, None, 0).draw(step) for step in range(4000)]
    assert {free for free, _ in paper} == {0, 1, 2, 3, 4}
    assert all(1 <= kept <= 5 - free for free, kept in paper)
    counts = Counter(kept for free, kept in paper if free == 3)
    assert set(counts) == {1, 2}
    long = [Schedule(5, 1.0, 20, 0).draw(step) for step in range(4000)]
    assert (max(free for free, _ in long), max(kept for _, kept in long)) == (20, 5)
    mixed = [Schedule(5, 0.25, None, 0).draw(step) for step in range(4000)]
    full = sum(drawn == (0, 5) for drawn in mixed) / 4000
    # Three quarters are full, and of the others one in 25 looks like it: n = 0 and k = 5.
    assert abs(full - (0.75 + 0.25 / 25)) < 4 * (0.19 / 4000) ** 0.5
    ramp = Schedule(5, 1.0, 45, 1000)
    assert max(ramp.draw(step)[0] for step in range(20)) <= 6
    assert max(ramp.draw(step)[0] for step in range(1000, 1200)) > 40


def test_iterations_without_gradient_give_none() -> None:
    """The projection acts on the memory only before the first iteration, which a skip leaves without gradient."""
    network = deep_thinking((6, 1), 2, width=4, iterations=2, recall=False, skip=9)
    state = network.init([0])
    leaves = {name: value.requires_grad_() for name, value in state.parameters.items()}
    chance, seen = noise([0], device="cpu"), set()
    inputs = torch.randn(1, 3, 6, 1)
    for step in range(30):
        chance.step.fill_(step)
        outputs, _ = network.apply(leaves, {}, inputs, training=True, noise=chance)
        found = torch.autograd.grad(outputs.sum(), leaves["projection.weight"], allow_unused=True)[0]
        assert (found is None) == (network.schedule.draw(step)[0] > 0)
        seen.add(found is None)
    assert seen == {True, False}


@pytest.mark.parametrize("width", [4, 20])
@pytest.mark.parametrize("recall", [True, False])
def test_steps_follow_each_other_in_the_same_memory(width, recall) -> None:
    """What a step left behind changes nothing in another one, also where two are under way at once."""
    network = deep_thinking((3, 5, 4), 2, width=width, iterations=3, blocks=2, recall=recall, skip=4)
    leaves = {name: value.requires_grad_() for name, value in network.init([0, 3]).parameters.items()}
    chance = noise([0, 3], device="cpu")
    inputs = torch.randn(6, 2, 3, 3, 5, 4, generator=torch.Generator().manual_seed(1))

    def loss(step: int) -> torch.Tensor:
        chance.step.fill_(step)
        return network.apply(leaves, {}, inputs[step], training=True, noise=chance)[0].square().sum()

    def gradients(found: torch.Tensor) -> list[torch.Tensor]:
        return torch.autograd.grad(found, list(leaves.values()), allow_unused=True, materialize_grads=True)

    alone = [gradients(loss(step)) for step in range(6)]
    network._stores.clear()
    losses = [loss(step) for step in range(6)]
    for step in reversed(range(6)):
        assert all(map(torch.equal, gradients(losses[step]), alone[step]))
    with pytest.raises(RuntimeError, match="second time"):
        gradients(losses[0])


def test_thoughts_with_and_without_gradient_are_the_same() -> None:
    for width in (4, 20):
        network = deep_thinking((3, 5, 4), 2, width=width, iterations=3)
        values, seen = network.init([0, 3]).parameters, network.seen(torch.randn(2, 6, 3, 5, 4))
        states = list(network.thoughts(values, seen, iterations=3))
        with torch.no_grad():
            for turn, state in enumerate(network.thoughts(values, seen, iterations=3)):
                assert torch.equal(state, states[turn])
                assert torch.equal(network.answer(values, state), network.answer(values, states[turn]))
            rest = network.thoughts(values, seen, iterations=2, start=states[0], behind=1)
            assert all(map(torch.equal, rest, states[1:]))


def test_what_it_cannot_take() -> None:
    with pytest.raises(Problem, match="sequences of numbers or images"):
        deep_thinking((5,), 2)
    with pytest.raises(Problem, match="from 12 iterations to 3"):
        deep_thinking((5, 1), 2, skip=3, ramp=10)
    with pytest.raises(Problem, match="12 iterations and no more"):
        deep_thinking((5, 1), 2, tied=False, skip=20)
    with pytest.raises(Problem, match="not how far"):
        deep_thinking((5, 1), 2, ramp=10)
