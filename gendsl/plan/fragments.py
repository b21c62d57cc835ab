"""Bytes along named axes: how the encodings of a million nodes are put together without an object for each.

A fragment is a table of byte strings in C order over a few named axes. Fragments broadcast by name: the
encoding of a step's nodes is a sequence of fragments, most of them a constant or one axis long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice, repeat
from math import prod
from typing import NamedTuple

from gendsl.plan.keys import SIZE

BLOCK = 65_536
"""Nodes hashed at once."""


class Fragment(NamedTuple):
    """`table` holds one byte string for each place of `axes`, in C order."""

    axes: tuple[str, ...]
    table: Sequence[bytes]


def constant(value: bytes) -> Fragment:
    return Fragment((), [value])


def of_keys(axes: tuple[str, ...], keys: bytes) -> Fragment:
    """The fragment of keys that lie one after the other."""
    return Fragment(axes, [keys[start : start + SIZE] for start in range(0, len(keys), SIZE)])


def strides(axes: Sequence[str], sizes: Mapping[str, int]) -> dict[str, int]:
    """How far apart neighbours along each axis lie in C order."""
    return {axis: prod(sizes[later] for later in axes[at + 1 :]) for at, axis in enumerate(axes)}


def places(axes: Sequence[str], onto: Sequence[str], sizes: Mapping[str, int]) -> list[int]:
    """For each place of `onto`, in C order, the flat index into a table over `axes`; `onto` has them all."""
    apart = strides(axes, sizes)
    index = [0]
    for axis in onto:
        if axis in apart:
            offsets = range(0, apart[axis] * sizes[axis], apart[axis])
            index = [start + offset for start in index for offset in offsets]
        else:
            index = [start for start in index for _ in range(sizes[axis])]
    return index


def spread(fragment: Fragment, onto: Sequence[str], sizes: Mapping[str, int]) -> Iterable[bytes]:
    """The fragment's byte string for each place of `onto`, in C order; endless for a constant."""
    if not fragment.axes:
        return repeat(fragment.table[0])
    if fragment.axes == tuple(onto):
        return fragment.table
    table = fragment.table
    return [table[place] for place in places(fragment.axes, onto, sizes)]


def joined(fragments: Sequence[Fragment], onto: Sequence[str], sizes: Mapping[str, int]) -> Iterator[bytes]:
    """The fragments one after the other, for each place of `onto`."""
    columns = [spread(fragment, onto, sizes) for fragment in _merged(fragments)]
    rows = prod(sizes[axis] for axis in onto)
    return islice(map(b"".join, zip(*columns)), rows)


def fixed(fragment: Fragment, at: Mapping[str, int], sizes: Mapping[str, int]) -> Fragment:
    """The fragment with some of its axes fixed to one place each."""
    if not at.keys() & set(fragment.axes):
        return fragment
    apart = strides(fragment.axes, sizes)
    start = sum(apart[axis] * at[axis] for axis in fragment.axes if axis in at)
    left = tuple(axis for axis in fragment.axes if axis not in at)
    index = [start]
    for axis in left:
        index = [base + apart[axis] * k for base in index for k in range(sizes[axis])]
    return Fragment(left, [fragment.table[place] for place in index])


def hashed(
    prefix: bytes, fragments: Sequence[Fragment], onto: Sequence[str], sizes: Mapping[str, int]
) -> bytes:
    """SHA-256 of the prefix and the joined fragments, for each place of `onto`, one after the other."""
    messages = joined([constant(prefix), *fragments], onto, sizes)
    keys = bytearray()
    while block := b"".join([sha256(message).digest() for message in islice(messages, BLOCK)]):
        keys += block
    return bytes(keys)


def _merged(fragments: Sequence[Fragment]) -> list[Fragment]:
    """The same with neighbouring constants as one."""
    merged: list[Fragment] = []
    for fragment in fragments:
        if merged and not fragment.axes and not merged[-1].axes:
            merged[-1] = constant(merged[-1].table[0] + fragment.table[0])
        else:
            merged.append(fragment)
    return merged
