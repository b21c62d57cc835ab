"""Random streams that depend on what they are for, never on where or when they are drawn.

Every use of chance has a stream of its own, named by its purpose and keyed by the member's seed: two runs with one
seed start from the same weights and see the data in the same order whatever else differs, so comparisons are paired.
The generator is counter-based (Philox 4x64, Salmon et al. 2011, as in numpy), so a stream needs no state.
"""

from __future__ import annotations

import hashlib

import numpy as np


def generator(purpose: str, seed: int, *counters: int) -> np.random.Generator:
    """The stream for `purpose` (`init.layer0.weight`, `order`, `rays`) of the member with `seed`.

    `counters` (epoch, layer ...) split a stream further.
    """
    return np.random.Generator(np.random.Philox(key=_key(purpose, seed, counters)))


def permutation(purpose: str, seed: int, *counters: int, count: int) -> np.ndarray:
    """`generator(purpose, seed, *counters).permutation(count)`, in half the time for a thousand: a generator of
    its own costs as much as its numbers, because numpy asks the system for a seed that is not used."""
    _RESTARTED.state = {**_START, "state": {"counter": _ZERO, "key": _key(purpose, seed, counters)}}
    return np.random.Generator(_RESTARTED).permutation(count)


_RESTARTED = np.random.Philox(key=0)
_START = _RESTARTED.state
_ZERO = np.zeros(4, dtype=np.uint64)


def _key(purpose: str, seed: int, counters: tuple[int, ...]) -> np.ndarray:
    digest = hashlib.sha256(f"{purpose}:{seed}:{counters}".encode()).digest()
    return np.frombuffer(digest[:16], dtype=np.uint64)
