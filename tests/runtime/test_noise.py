"""Random numbers of a forward pass: Philox as published, a function of seed, purpose, step and place."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl_runtime.noise import Noise, kept_share, noise, philox

words = st.integers(0, 2**32 - 1)


def reference(counter: list[int], key: list[int], rounds: int) -> list[int]:
    """Philox 4x32 as Salmon et al. (2011) write it, section 3.3, in whole numbers."""
    key = list(key)
    for _ in range(rounds):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            (second >> 32) ^ counter[1] ^ key[0],
            second % 2**32,
            (first >> 32) ^ counter[3] ^ key[1],
            first % 2**32,
        ]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return counter


def mine(counter: list[int], key: list[int], rounds: int) -> list[int]:
    index, step = torch.tensor([counter[0]]), torch.tensor(counter[1])
    pairs = philox((index, step, counter[2], counter[3]), torch.tensor([key]), rounds=rounds)[
        0, :, 0
    ].tolist()
    found = [(pair % 2**32, (pair >> 32) % 2**32) for pair in pairs]
    return [word for pair in (found if rounds % 2 == 0 else found[::-1]) for word in pair]


PUBLISHED = [
    (7, "00000000 00000000 00000000 00000000 00000000 00000000", "5f6fb709 0d893f64 4f121f81 4f730a48"),
    (7, "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff", "5207ddc2 45165e59 4d8ee751 8c52f662"),
    (7, "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0", "4dfccaba 190a87f0 c47362ba b6b5242a"),
    (10, "00000000 00000000 00000000 00000000 00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    (10, "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (10, "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
"""Known answers of the Random123 library: rounds, counter and key, result."""


@pytest.mark.parametrize(("rounds", "given", "expected"), PUBLISHED)
def test_it_is_philox(rounds, given, expected) -> None:
    values = [int(word, 16) for word in given.split()]
    wanted = [int(word, 16) for word in expected.split()]
    assert mine(values[:4], values[4:], rounds) == wanted
    assert reference(values[:4], values[4:], rounds) == wanted


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=4, max_size=4), st.lists(words, min_size=2, max_size=2), st.integers(1, 10))
def test_any_block_is_that_of_the_reference(counter, key, rounds) -> None:
    assert mine(counter, key, rounds) == reference(counter, key, rounds)


def at(seeds, step: int) -> Noise:
    values = noise(seeds, device="cpu")
    values.step.fill_(step)
    return values


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2**70), min_size=1, max_size=9), st.integers(0, 2**32 - 1), st.integers(1, 70))
def test_a_member_draws_its_own_numbers_in_any_company(seeds, step, count) -> None:
    whole = at(seeds, step)
    masks, numbers = whole.kept("d", 0.4, (count,)), whole.uniforms("d", (count,))
    for row, seed in enumerate(seeds):
        alone = at([seed], step)
        assert torch.equal(masks[row : row + 1], alone.kept("d", 0.4, (count,)))
        assert torch.equal(numbers[row : row + 1], alone.uniforms("d", (count,)))
    order = torch.arange(len(seeds)).flip(0)
    assert torch.equal(masks.flip(0), whole.select(order).kept("d", 0.4, (count,)))


def test_seed_purpose_and_step_each_give_other_numbers() -> None:
    """4,096 bits agree in half of their places, with a standard deviation of 32."""
    draws = [
        at([seed], step).kept(purpose, 0.5, (4096,))
        for seed, purpose, step in [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1), (0, "a", 2**31)]
    ]
    for row, left in enumerate(draws):
        for right in draws[:row]:
            assert abs(int((left == right).sum()) - 2048) < 5 * 32


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999, 1.0])
def test_the_share_that_stays(share) -> None:
    """2^18 draws a member, four standard errors and the rounding of the share."""
    count = 2**18
    kept = at(range(3), 7).kept("d", share, (64, count // 64)).double().flatten(1).mean(1)
    assert (kept - kept_share(share)).abs().max() <= 4 * (share * (1 - share) / count) ** 0.5
    assert abs(kept_share(share) - (1 - share)) <= 2**-17


def test_uniform_numbers_are_uniform() -> None:
    """Mean, variance and the correlation of neighbours of 2^18 numbers, within five standard errors."""
    values = at([3], 0).uniforms("u", (2**18,))[0].double()
    assert values.min() >= 0
    assert values.max() < 1
    error = 2**-9
    assert abs(values.mean() - 0.5) < 5 * error / 12**0.5
    assert abs(values.var() - 1 / 12) < 5 * error / 180**0.5
    centred = values - values.mean()
    for distance in (1, 2, 4, 2**17):
        assert abs((centred[distance:] * centred[:-distance]).mean() * 12) < 5 * error * 2**0.5


def test_a_step_counted_in_place_is_that_step() -> None:
    values = at([5], 10)
    values.step.add_(1)
    assert torch.equal(values.kept("d", 0.5, (100,)), at([5], 11).kept("d", 0.5, (100,)))
