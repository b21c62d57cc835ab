"""What a training means: budgets, stops, checkpoints, starts, history, divergence, stacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.data import Dataset
from gendsl_runtime.length import Length
from gendsl_runtime.train import artifact, build
from gendsl_runtime.train.fitted import Diverged
from gendsl_runtime.train.fuse import cost, stacks
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.order import feed, order
from gendsl_runtime.train.stack import start
from gendsl_runtime.train.train import train
from tests.runtime.members import blobs, component, member, same


def test_a_length_in_epochs_or_steps() -> None:
    assert Length(3, "epochs").steps(4) == 12
    assert Length(0.5, "epochs").steps(5) == 3
    assert Length(7, "steps").steps(4) == 7


def test_an_epoch_shows_every_example_once_in_an_order_of_its_own() -> None:
    one = member(seed=3)
    batches = feed([one], device="cpu", dtype=torch.float32)
    seen = [torch.cat([x for x, _ in batches.batches(epoch, 0, batches.steps)], 1)[0] for epoch in range(2)]
    assert [len(x[0]) for x, _ in batches.batches(0, 0, batches.steps)] == [16, 16, 16, 2]
    for epoch, inputs in enumerate(seen):
        assert torch.equal(inputs, one.data.splits["train"].inputs[order(3, epoch, 50)])
        assert sorted(order(3, epoch, 50)) == list(range(50))
    assert not torch.equal(seen[0], seen[1])


def test_an_epoch_may_be_entered_in_the_middle() -> None:
    batches = feed([member(seed=1), member(seed=2)], device="cpu", dtype=torch.float32)
    whole = list(batches.batches(5, 0, 4))
    rest = list(batches.batches(5, 2, 4))
    assert all(
        torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(whole[2:], rest, strict=True)
    )


def test_budgets_may_end_inside_an_epoch() -> None:
    short, long = fit([member(budget=Length(6, "steps")), member(budget=Length(3, "epochs"))])
    assert (short.steps, short.epochs, short.status) == (6, 2, "budget")
    assert (long.steps, long.epochs, long.status) == (12, 3, "budget")
    assert short.history["epoch"].tolist() == [1, 2]
    assert torch.equal(short.history["train_loss"][0], long.history["train_loss"][0])
    assert same(short, fit([member(budget=Length(6, "steps"))])[0])


def test_no_budget_gives_the_start() -> None:
    one = fit([member(budget=Length(0, "epochs"), seed=4)])[0]
    fresh = build.network(member()).init([4])
    assert all(torch.equal(one.state.parameters[name], value) for name, value in fresh.parameters.items())
    assert one.steps == 0


def test_the_history_is_what_the_steps_saw() -> None:
    """The first epoch of a network that does not move: loss and error of the start on the whole training
    set."""
    still = member(optimizer=component("optimizer", "sgd", lr=1e-12), budget=Length(1, "epochs"))
    one = fit([still])[0]
    runs = start([still], device="cpu", dtype=torch.float32).runs([0])
    torch.testing.assert_close(one.history["train_loss"], runs.mean_loss("fit"), rtol=1e-6, atol=0)
    assert one.history["train_error"].item() == pytest.approx(runs.error("fit").item())


def test_stop_is_measured_after_each_epoch_on_everything_trained_on() -> None:
    base = member(blobs(examples=30), budget=Length(400, "epochs"))
    one = fit([replace(base, stop=("train_error", "==", 0.0))])[0]
    assert one.status == "stopped"
    assert one.steps == one.epochs * 2 < 800
    shorter = fit([replace(base, budget=Length(one.epochs - 1, "epochs"))])[0]
    stored = [artifact.pack(one), artifact.pack(shorter)]
    errors = artifact.runs([base, base], stored).error("fit")
    assert errors[0] == 0
    assert errors[1] > 0


def test_points_added_for_training_are_part_of_the_stop() -> None:
    plain = blobs(examples=20)
    more = replace(plain, splits={**plain.splits, "extra": blobs(examples=9, seed=5).splits["train"]})
    data = replace(more, fit=("train", "extra"))
    one = member(data)
    assert (one.examples, one.steps_per_epoch) == (29, 2)
    runs = start([one], device="cpu", dtype=torch.float32).runs([0])
    assert runs.split("fit")[0].shape[1] == 29
    assert fit([one])[0].steps == 6


def test_checkpoints_are_the_states_on_the_way() -> None:
    one = fit([member(checkpoints=[0, Length(1, "epochs"), 2, 99])])[0]
    assert list(one.checkpoints) == [0, 1, 2, 99]
    earlier = fit([member(budget=Length(2, "epochs"))])[0]
    for name, value in one.checkpoints[2].parameters.items():
        assert torch.equal(value, earlier.state.parameters[name])
        assert torch.equal(one.checkpoints[99].parameters[name], one.state.parameters[name])


def test_a_run_may_start_where_another_ended() -> None:
    """Without momentum and with the whole set in each step, two runs in a row are one."""
    settings = {"batch": None, "optimizer": component("optimizer", "gd", lr=0.1)}
    first = fit([member(budget=Length(2, "epochs"), **settings)])[0]
    second = member(budget=Length(3, "epochs"), init=first.state, **settings)
    whole = fit([member(budget=Length(5, "epochs"), **settings)])[0]
    found = fit([member(budget=Length(3, "epochs"), **settings), second])[1]
    for name, value in whole.state.parameters.items():
        assert torch.equal(found.state.parameters[name], value)


def test_divergence_says_when() -> None:
    wild = member(optimizer=component("optimizer", "sgd", lr=1e30))
    one, other = fit([wild, member()])
    assert isinstance(one, Diverged)
    assert one.step == 2
    assert not isinstance(other, Diverged)
    last = fit([replace(wild, budget=Length(1, "steps"), optimizer=component("optimizer", "sgd", lr=1e39))])[
        0
    ]
    assert last == Diverged(1, "parameters are not finite")


def test_regression_has_no_error() -> None:
    data = blobs(task="regression", classes=2)
    one = fit([member(data, optimizer=component("optimizer", "sgd", lr=0.05))])[0]
    assert set(one.history) == {"epoch", "train_loss"}
    assert one.history["train_loss"][-1] < one.history["train_loss"][0]


def test_only_equal_arithmetic_shares_a_stack() -> None:
    rate = component("optimizer", "sgd", lr=0.5, momentum=0.9, schedule=component("schedule", "linear"))
    members = [
        member(),
        member(optimizer=component("optimizer", "sgd", lr=0.1)),
        member(seed=1, optimizer=rate, budget=Length(9, "steps")),
        member(batch=8),
        member(blobs(seed=1)),
        member(model=component("model", "mlp", hidden=[9])),
    ]
    assert sorted(stacks(members)) == [[0, 2, 4], [1], [3], [5]]


def test_members_whose_test_sets_differ_in_size_are_not_analysed_as_one() -> None:
    data = blobs()
    shorter = data.with_splits(test=data.splits["test"].take(torch.arange(len(data.splits["test"]) - 1)))
    assert stacks([member(data), member(shorter)]) == [[0], [1]]


def test_stacks_fit_the_cache_and_long_steps_go_alone() -> None:
    wide = member(model=component("model", "mlp", hidden=[2000, 2000]), batch=50)
    assert stacks([replace(wide, seed=seed) for seed in range(3)]) == [[0], [1], [2]]
    small = [member(seed=seed) for seed in range(40)]
    assert stacks(small) == [list(range(40))]
    middle = member(blobs(shape=(64,), examples=500), model=component("model", "mlp", hidden=[128]), batch=64)
    size = cost(middle).members
    cut = [len(stack) for stack in stacks([replace(middle, seed=seed) for seed in range(size + 1)])]
    assert max(cut) <= size
    assert max(cut) - min(cut) <= 1


def test_the_cost_of_a_step_counts_its_products() -> None:
    """Three products a layer, two operations a multiplication: 6 * batch * weights, and the convolution's by
    place."""
    dense = member(blobs(shape=(20,), examples=64), model=component("model", "mlp", hidden=[30]), batch=32)
    assert cost(dense).operations == 6 * 32 * (20 * 30 + 30 * 3)
    images = blobs(shape=(1, 8, 8), examples=64)
    convolved = member(images, model=component("model", "cnn", channels=[4], hidden=[]), batch=32)
    assert cost(convolved).operations == 6 * 32 * (64 * 4 * 9 + 64 * 3)


def test_progress_counts_steps_of_all_members() -> None:
    told: list[tuple[int, int]] = []
    fit([member(), member(seed=1, batch=8)], progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (12 + 21, 12 + 21)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_stored_member_comes_back() -> None:
    members = [
        member(seed=seed, checkpoints=[1], model=component("model", "mlp", hidden=[4])) for seed in (0, 1)
    ]
    fitted = fit(members)
    stored = [artifact.pack(one) for one in fitted]
    assert stored == [artifact.pack(one) for one in fit(members)]
    back = artifact.unpack(stored[0])
    assert same(fitted[0], back)
    runs = artifact.runs(members, stored, epochs=[None, 1])
    assert runs.members == 2
    name = "hidden.0.weight"
    assert torch.equal(runs.state.parameters[name][1:], fitted[1].checkpoints[1].parameters[name])
    assert torch.equal(artifact.state(stored[1]).parameters[name], fitted[1].state.parameters[name])
    assert runs.history[0]["epoch"].tolist() == [1, 2, 3]


def test_the_form_trains_one_member() -> None:
    one = member(seed=2)
    found = train(
        model=one.model,
        dataset=one.data,
        optimizer=one.optimizer,
        loss=one.loss,
        batch=one.batch,
        budget=one.budget,
        seed=2,
    )
    assert same(found, fit([one])[0])


def test_inputs_are_left_alone() -> None:
    data: Dataset = blobs()
    before = {name: (split.inputs.clone(), split.targets.clone()) for name, split in data.splits.items()}
    first = fit([member(data)])[0]
    fit([member(data, init=first.state)])
    for name, split in data.splits.items():
        assert torch.equal(split.inputs, before[name][0])
        assert torch.equal(split.targets, before[name][1])
    assert same(first, fit([member(data)])[0])


def test_outputs_are_differentiable_in_the_parameters() -> None:
    """The gradient of the mean loss against a central difference in float64: error h^2 = 1e-10."""
    stack = start([member(seed=seed) for seed in range(2)], device="cpu", dtype=torch.float64)
    runs = stack.runs([0, 1])
    inputs, targets = runs.split("train")
    leaves = {name: value.clone().requires_grad_() for name, value in runs.state.parameters.items()}
    mean = runs.losses(inputs, targets, leaves).mean(1)
    slopes = torch.autograd.grad(mean.sum(), list(leaves.values()), create_graph=True)
    torch.autograd.grad(sum(slope.square().sum() for slope in slopes), list(leaves.values()))
    step, name = 1e-5, "output.weight"
    ends = []
    for sign in (1, -1):
        moved = {key: value.detach().clone() for key, value in leaves.items()}
        moved[name][1, 2, 3] += sign * step
        ends.append(runs.mean_loss("train", moved)[1].item())
    expected = slopes[list(leaves).index(name)][1, 2, 3].item()
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(expected, abs=1e-8)


def test_metrics_against_numpy() -> None:
    stack = start([member(seed=seed) for seed in range(2)], device="cpu", dtype=torch.float32)
    runs = stack.runs([0, 1])
    inputs, targets = runs.split("test")
    outputs = runs.outputs(inputs).numpy()
    right = (outputs.argmax(1) == targets.numpy()).mean(1)
    np.testing.assert_array_equal(runs.accuracy("test").numpy(), right)
    logs = np.log(np.exp(outputs.astype(np.float64)).sum(1))
    label = np.take_along_axis(outputs, targets.numpy()[:, None], 1)[:, 0]
    np.testing.assert_allclose(runs.mean_loss("test").numpy(), (logs - label).mean(1), rtol=1e-6)
