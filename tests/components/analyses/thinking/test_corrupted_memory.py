"""Corrupted memories, with memories that are known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.thinking.corrupted_memory import corrupted_memory, is_back
from gendsl_runtime.analyses.thinking.thinking_time import thinking_time
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


def test_before_is_what_thinking_came_to(make_thinkers) -> None:
    runs = make_thinkers(test=90)
    before = corrupted_memory(runs, at=3, iterations=2)["before"]
    np.testing.assert_array_equal(before, thinking_time(runs, iterations=3)["accuracy"][:, -1])


def test_swapped_memories_answer_for_the_other_example(make_thinkers) -> None:
    runs = make_thinkers()
    found = corrupted_memory(runs, kind="swap", at=4, iterations=1)["after"]
    inputs, targets = runs.split("test")
    answers = runs.outputs(inputs).argmax(1).transpose(1, 2).roll(1, dims=1)
    right = ((answers == targets) | (targets < 0)).all(2).double().mean(1)
    np.testing.assert_array_equal(found, right)


def test_a_network_without_memory_is_right_again_after_one_iteration(make_thinkers) -> None:
    """With the weights on h cut, each iteration sees the input alone: whatever happened is forgotten."""
    runs = make_thinkers(test=90)
    for name, value in runs.state.parameters.items():
        if name == "thought.recall.weight":
            value.view(*value.shape[:2], 3, -1)[..., :8] = 0.0
    found = corrupted_memory(runs, at=3, iterations=3)
    assert (found["before"] > 0).all()
    for turn in (1, 2, 3):
        np.testing.assert_array_equal(found["accuracy"][:, turn], found["before"])
    assert (found["recovery"] == 1).all()
    assert (found["recovery_time"] <= 1).all()


def test_little_noise_changes_nothing_and_much_replaces(make_thinkers) -> None:
    runs = make_thinkers()
    little = corrupted_memory(runs, kind="noise", scale=1e-7, at=4, iterations=1)
    np.testing.assert_array_equal(little["after"], little["before"])
    much = corrupted_memory(runs, kind="noise", scale=100.0, at=4, iterations=1)
    assert (much["after"] != much["before"]).any()


def test_nothing_to_recover_is_no_recovery(make_thinkers) -> None:
    runs = make_thinkers(length=30, test=40)
    for split in (runs.split("test")[1],):
        assert split.shape[2] == 30
    found = corrupted_memory(runs, at=2, iterations=1)
    none = found["before"] == 0
    assert (torch.isnan(found["recovery"]) == none).all()


@pytest.mark.parametrize("kind", ["replace", "noise", "swap"])
def test_members_do_not_see_their_company(make_thinkers, kind) -> None:
    runs = make_thinkers((0, 3, 5))
    whole, alone = (corrupted_memory(r, kind=kind, at=2, iterations=2) for r in (runs, runs.select([1])))
    np.testing.assert_array_equal(whole["accuracy"][1], alone["accuracy"][0])


def test_one_example_has_no_memory_to_swap_with(make_thinkers) -> None:
    with pytest.raises(Problem, match="has one alone"):
        corrupted_memory(make_thinkers(test=1), kind="swap", at=2, iterations=1)


def test_nineteen_of_twenty_are_back() -> None:
    """All counts of up to 400 examples: at least 95 % in whole numbers, whatever 0.95 is in binary."""
    before = torch.arange(1.0, 401.0, dtype=torch.float64)[:, None]
    right = torch.arange(401.0, dtype=torch.float64)[None]
    found = is_back(right, before)
    expected = [[Fraction(r, b) >= Fraction(19, 20) for r in range(401)] for b in range(1, 401)]
    assert found.tolist() == expected


@pytest.mark.parametrize("kind", ["replace", "noise"])
def test_the_memory_is_overwritten_as_said(make_thinkers, kind) -> None:
    """Against loops over the members with the network's own parts: noise of its deviation, added or instead."""
    runs = make_thinkers(test=40)
    found = corrupted_memory(runs, kind=kind, scale=0.7, at=3, iterations=2)
    targets = runs.split("test")[1]
    for place in range(2):
        one = runs.select([place])
        network, parameters = one.network, one.state.parameters
        seen = network.seen(one.split("test")[0])
        *_, memory = network.thoughts(parameters, seen, iterations=3)
        drawn = generator("corrupted_memory", one.seeds[0]).standard_normal(memory[0].shape, dtype=np.float32)
        noise = 0.7 * memory.double().numpy().std(ddof=1) * drawn
        start = torch.from_numpy(np.abs(noise) if kind == "replace" else memory.numpy() + noise).float()
        states = [start.reshape(memory.shape)]
        states += network.thoughts(parameters, seen, iterations=2, start=states[0], behind=3)
        for turn, state in enumerate(states):
            answers = network.answer(parameters, state)[0].argmax(0).T
            right = ((answers == targets[place]) | (targets[place] < 0)).all(1).double().mean()
            assert found["accuracy"][place, turn] == right
