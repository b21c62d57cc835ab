"""Ends a training where it can be gone on with: the first Ctrl-C, or the first SIGTERM, is a request."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def requested() -> Iterator[Sequence[int]]:
    """The signals that asked for an end, none at first; whoever is within then leaves by `KeyboardInterrupt`.

    The second signal is a `KeyboardInterrupt` by itself. Elsewhere than in the main thread nothing is heard.
    """
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) > 1:
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in SIGNALS}
    changed = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    try:
        with suppress(ValueError):
            for number in changed:
                signal.signal(number, hear)
        yield heard
    finally:
        with suppress(ValueError):
            for number in changed:
                signal.signal(number, before[number])
    if heard:  # just when there was nothing left to do
        raise KeyboardInterrupt
