"""Random numbers inside a forward pass, for all members of a stack at once and on any device.

A number depends on the member's seed, what it is for, the step and its place, and on nothing else: not on
the stack, not on the device, and not on what was drawn before, so a run that is resumed draws on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import torch
from torch import Tensor

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
"""Constants of Philox 4x32 (Salmon et al. 2011, section 3.3): the golden ratio and sqrt(3) - 1 step the key."""
ROUNDS = 7
"""The fewest that pass every test of BigCrush (Salmon et al. 2011, table 2)."""
WORD = 0xFFFFFFFF
LEVELS = 1 << 16
"""Shares of `Noise.kept` are multiples of one in this many."""


@dataclass(frozen=True)
class Noise:
    """The noise of one step of a stack."""

    keys: Tensor
    """Two 32-bit words for each member, int64 `(M, 2)`: a hash of its seed."""
    step: Tensor
    """The steps done before this one, int64 `()`. A tensor that is counted up in place, so that a step can
    be captured in a CUDA graph."""

    def select(self, members: Tensor) -> Noise:
        """The noise of some members, in that order, with a step of its own."""
        return Noise(self.keys.index_select(0, members), self.step.clone())

    def part(self, place: int) -> Noise:
        """The noise of one part of a step, whose places are counted from 0 again; that of part 0 is the step's own."""
        if place == 0:
            return self
        words = zip(self.keys.unbind(1), _named(f"part {place}"), strict=True)
        return Noise(torch.stack([key ^ word for key, word in words], 1), self.step)

    def kept(self, purpose: str, share: float, shape: Sequence[int]) -> Tensor:
        """Which of the values `(M, *shape)` stay when each is dropped with probability `share`, rounded to
        1/65536."""
        least = round(share * LEVELS)
        if least == LEVELS:
            return torch.zeros(len(self.keys), *shape, dtype=torch.bool, device=self.keys.device)
        draws = self._draws(purpose, prod(shape), torch.int16)
        return (draws >= least - LEVELS // 2).view(-1, *shape)

    def uniforms(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Uniform numbers in [0, 1), multiples of 2^-24, float32 `(M, *shape)`."""
        draws = self._draws(purpose, prod(shape), torch.int32)
        return (((draws >> 8) + (1 << 23)).to(torch.float32) * 2.0**-24).view(-1, *shape)

    def _draws(self, purpose: str, count: int, dtype: torch.dtype) -> Tensor:
        """`count` independent integers of a type, all of its values equally likely, `(M, count)`."""
        blocks = -(-count * dtype.itemsize // 16)
        low, high = _named(purpose)
        index = torch.arange(blocks, device=self.keys.device)
        words = philox((index, self.step, low, high), self.keys)
        return words.view(dtype).flatten(1)[:, :count]


def kept_share(share: float) -> float:
    """The probability that a value stays, after rounding."""
    return 1 - round(share * LEVELS) / LEVELS


def noise(seeds: Sequence[int], *, device: torch.device | str) -> Noise:
    """The noise of members with these seeds, before the first step."""
    keys = [_words(f"noise:{seed}") for seed in seeds]
    step = torch.zeros((), dtype=torch.int64, device=device)
    return Noise(torch.tensor(keys, dtype=torch.int64, device=device), step)


def philox(counter: tuple[Tensor, Tensor, int, int], keys: Tensor, *, rounds: int = ROUNDS) -> Tensor:
    """Philox 4x32 (Salmon, Moraes, Dror and Shaw 2011), a bijection of four 32-bit words for each key.

    Args:
        counter: the four words: the first `(blocks,)`, the second `()`, two numbers.
        keys: `(M, 2)`.
        rounds: 7 or more; 10 is what other libraries do.

    Returns:
        int64 `(M, 2, blocks)`: in an even number of rounds words 0 and 1 of each block, then 2 and 3; in an
        odd number the other way round. The first of two words lies in the low half.
    """
    # Integers are 64 bits wide, so that a product of two words fits. Words 0 and 2 are multiplied in one
    # operation, and change places in each round instead of being moved. What stands above 32 bits is only
    # cut off where it would matter: before a product and at the end.
    first, second, third, fourth = counter
    even = torch.stack([first, torch.full_like(first, third)])[None]
    odd = torch.stack([second, torch.full_like(second, fourth)]).view(1, 2, 1)
    factors, weyl, is_swapped = _constants(rounds, keys.device)
    schedule = (torch.where(is_swapped, keys.flip(1), keys) + weyl).unsqueeze(3).unbind(0)
    for turn, key in enumerate(schedule):
        product = even * factors[turn % 2]
        even = (product >> 32) ^ key
        left, right = odd.unbind(1)
        even.select(1, 0).bitwise_xor_(right)
        even.select(1, 1).bitwise_xor_(left)
        even.bitwise_and_(WORD)
        odd = product
    return (odd << 32).bitwise_or_(even)


@cache
def _constants(rounds: int, device: torch.device) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
    """Factors `(2, 1)` of both sorts of rounds, the steps of the key `(rounds, 1, 2)`, and in which rounds words
    stand the other way round.

    Kept on the device: nothing can be copied there while a CUDA graph is captured.
    """
    factors = torch.tensor(MULTIPLIERS).view(2, 1)
    is_swapped = (torch.arange(rounds) % 2 == 0).view(-1, 1, 1)
    weyl = torch.arange(rounds).view(-1, 1, 1) * torch.tensor(WEYL)
    weyl = torch.where(is_swapped, weyl.flip(2), weyl)
    return (factors.to(device), factors.flip(0).to(device)), weyl.to(device), is_swapped.to(device)


@cache
def _named(purpose: str) -> tuple[int, int]:
    return _words(f"for:{purpose}")


def _words(text: str) -> tuple[int, int]:
    """Two 32-bit words of a hash."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")
