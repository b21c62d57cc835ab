"""Gradients that are written out: what autograd finds, and what any stack finds."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime import components
from gendsl_runtime.random import generator, permutation
from gendsl_runtime.train.build import StackedLoss
from gendsl_runtime.train.gradient import Differentiated, Written, gradient
from gendsl_runtime.train.layers.activation import FUNCTIONS, Pointwise
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import FixedLinear, Flatten, Linear, Scaled
from gendsl_runtime.train.record import Record
from gendsl_runtime.train.slopes import closed_form, differentiated


def network(activation: str, parametrisation: str = "standard", hidden: int = 7, outputs: int = 4):
    """All written layers in a row, with a fixed one between two that learn."""
    return Layered(
        (2, 3),
        outputs,
        (
            Flatten(),
            Linear("first", 6, hidden, parametrisation=parametrisation),
            Pointwise(activation),
            FixedLinear("fixed", hidden, 5, 1.0, 0.5),
            Scaled(0.7),
            Pointwise(activation),
            Linear("output", 5, outputs, bias=False),
        ),
    )


def cross_entropy(smoothing: float, members: int) -> StackedLoss:
    share = torch.full((members,), smoothing, dtype=torch.float64)
    return StackedLoss(components.load("loss", "cross_entropy"), {}, {"label_smoothing": share})


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
@pytest.mark.parametrize(("members", "examples", "hidden"), [(1, 8, 7), (3, 8, 7), (2, 1, 1)])
def test_gradients_are_those_of_autograd(activation, parametrisation, members, examples, hidden) -> None:
    """In float64: a few hundred roundings of 1e-16."""
    net = network(activation, parametrisation, hidden)
    state = net.init(range(members)).to("cpu", torch.float64)
    inputs = torch.randn(members, examples, 2, 3, dtype=torch.float64)
    targets = torch.randint(0, 4, (members, examples))
    loss = cross_entropy(0.1, members)
    into = {name: torch.empty_like(value) for name, value in state.parameters.items()}
    by_hand = gradient(net, loss, state.parameters, into)
    assert isinstance(by_hand, Written)
    assert by_hand.is_graphless
    leaves = {name: value.clone().requires_grad_() for name, value in state.parameters.items()}
    expected = Differentiated(net, loss, leaves)(state.buffers, inputs, targets, None)
    for _ in range(2):  # memory is used again
        with torch.inference_mode():
            found = by_hand(state.buffers, inputs, targets, None)
        torch.testing.assert_close(found.outputs, expected.outputs, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(found.losses, expected.losses, rtol=1e-12, atol=1e-13)
        for one, other in zip(found.gradients, expected.gradients, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


def test_a_network_that_ends_in_something_else_is_left_to_autograd() -> None:
    net = Layered((6,), 4, (Flatten(), Linear("only", 6, 4), Pointwise("tanh")))
    state = net.init([0])
    assert isinstance(gradient(net, cross_entropy(0.0, 1), state.parameters, {}), Differentiated)


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
@pytest.mark.parametrize(("hidden", "examples"), [(7, 8), (33, 17), (1, 5), (6, 1)])
def test_gradients_do_not_depend_on_the_stack(activation, hidden, examples) -> None:
    net, targets = network(activation, hidden=hidden), torch.randint(0, 4, (5, examples))
    state, inputs = net.init(range(5)), torch.randn(5, examples, 2, 3)

    def run(rows):
        own = state.select(rows)
        into = {name: torch.empty_like(value) for name, value in own.parameters.items()}
        share = torch.full((len(rows),), 0.1)
        loss = StackedLoss(components.load("loss", "cross_entropy"), {}, {"label_smoothing": share})
        found = gradient(net, loss, own.parameters, into)(own.buffers, inputs[rows], targets[rows], None)
        return [found.outputs, found.losses, *found.gradients]

    whole = run([0, 1, 2, 3, 4])
    for rows in ([0], [4], [3, 1]):
        assert all(torch.equal(part, full[rows]) for part, full in zip(run(rows), whole, strict=True))


@pytest.mark.parametrize(
    ("name", "smoothing", "labels"),
    [("cross_entropy", 0.0, True), ("cross_entropy", 0.2, True), ("mse", 0.0, True), ("mse", 0.0, False)],
)
def test_slopes_are_those_of_autograd(name, smoothing, labels) -> None:
    outputs = 30 * torch.randn(3, 5, 9, dtype=torch.float64)
    targets = torch.randint(0, 5, (3, 9)) if labels else torch.randn(3, 9, 5, dtype=torch.float64)
    loss = (
        cross_entropy(smoothing, 3)
        if name == "cross_entropy"
        else StackedLoss(components.load("loss", "mse"), {}, {})
    )
    closed = closed_form(loss)
    assert closed is not None
    for one, other in zip(closed(outputs, targets), differentiated(loss)(outputs, targets), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


def test_a_loss_without_a_closed_form_is_differentiated() -> None:
    margin = {"margin": torch.ones(2)}
    assert closed_form(StackedLoss(components.load("loss", "hinge"), {}, margin)) is None


@pytest.mark.parametrize("steps", [[4, 4, 3], [1], [20_000, 7]])
def test_a_record_is_what_the_steps_saw(steps) -> None:
    total = sum(steps)
    losses, wrong = torch.zeros(2, total + 5), torch.zeros(2, total + 5, dtype=torch.bool)
    record = Record(losses, wrong, 5)
    outputs, values = torch.randn(2, 3, total), torch.rand(2, total)
    targets = torch.randint(0, 3, (2, total))
    for part in zip(*(torch.split(x, steps, -1) for x in (outputs, values, targets)), strict=True):
        record.add(*(piece.clone() for piece in part))
    record.write()
    assert torch.equal(losses[:, 5:], values)
    assert torch.equal(wrong[:, 5:], outputs.argmax(1) != targets)
    assert not losses[:, :5].any()


def test_a_tie_is_wrong() -> None:
    losses, wrong = torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool)
    record = Record(losses, wrong, 0)
    record.add(torch.tensor([[[1.0, 2.0], [1.0, 0.0]]]), torch.zeros(1, 2), torch.tensor([[0, 0]]))
    record.write()
    assert wrong.tolist() == [[True, False]]


@pytest.mark.parametrize("count", [1, 2, 1437])
def test_a_permutation_is_that_of_its_generator(count) -> None:
    for seed in range(3):
        expected = generator("order", seed, 7).permutation(count)
        assert (permutation("order", seed, 7, count=count) == expected).all()
