"""A stand-in for a CUDA graph on the CPU: the operations of torch below autograd, with their arguments, and nothing of
the Python around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
ASKING = {
    aten._local_scalar_dense,
    aten.equal,
    aten.is_nonzero,
    aten.item,
    aten.lift_fresh,
    aten.lift_fresh_copy,
    aten.masked_select,
    aten.nonzero,
    aten.nonzero_static,
    aten.unique_dim,
    aten._unique2,
    aten.repeat_interleave,
}
"""What waits for the device, or copies from the memory of Python."""


def is_asking(function: Any, arguments: tuple[Any, ...]) -> bool:
    """Whether a CUDA graph could not hold the operation."""
    if function.overloadpacket in ASKING:
        return True
    if function.overloadpacket in (aten.index, aten.index_put, aten.index_put_):
        return any(one is not None and one.dtype == torch.bool for one in arguments[1])
    return False


def storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


class Operations(TorchDispatchMode):
    """Notes operations as they are done, and what memory that was there before held at first."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Tensor]]] = []
        self.before: dict[int, tuple[Tensor, Tensor]] = {}
        self.own: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if is_asking(function, args):
            raise RuntimeError(f"operation not permitted when stream is capturing: {function}")
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        known = {storage(one) for one in given}
        for one in given:
            if storage(one) not in self.own and storage(one) not in self.before:
                flat = torch.empty(0, dtype=torch.uint8).set_(one.untyped_storage())
                self.before[storage(one)] = (flat, flat.clone())
        found = function(*args, **kwargs)
        fresh = [one for one in tree_leaves(found) if isinstance(one, Tensor) and storage(one) not in known]
        self.own.update(map(storage, fresh))
        self.operations.append((function, args, kwargs, fresh))
        return found

    def undo(self) -> None:
        """What was there before is as it was."""
        for memory, held in self.before.values():
            memory.copy_(held)

    def again(self) -> None:
        """Just these operations, into the memory that they had."""
        with torch._C._AutoDispatchBelowAutograd():
            for function, args, kwargs, fresh in self.operations:
                found = function(*args, **kwargs)
                if fresh:
                    known = {storage(one) for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
                    results = [
                        one
                        for one in tree_leaves(found)
                        if isinstance(one, Tensor) and storage(one) not in known
                    ]
                    for own, one in zip(fresh, results, strict=True):
                        own.copy_(one)


class OnTheDevice(TorchDispatchMode):
    """Fails where an operation touches memory of the CPU, when all else lies on the device `meta`."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        for one in tree_leaves((args, kwargs, found)):
            if isinstance(one, Tensor) and one.device.type == "cpu":
                raise RuntimeError(f"memory of the CPU in a recording: {function}")
        return found


class Checking:
    """Records nothing; sees where operations find their memory."""

    def __init__(self) -> None:
        self.recorded = 0

    def take(self, call: Callable[[], None]) -> None:
        call()

    def record(self, call: Callable[[], None]) -> Callable[[], None]:
        self.recorded += 1
        with OnTheDevice():
            call()
        return lambda: None


class Replaying:
    """Records as a CUDA graph does; counts what it was asked for."""

    def __init__(self) -> None:
        self.taken = self.recorded = self.replayed = 0

    def take(self, call: Callable[[], None]) -> None:
        self.taken += 1
        call()

    def record(self, call: Callable[[], None]) -> Callable[[], None]:
        self.recorded += 1
        noted = Operations()
        try:
            with noted:
                call()
        finally:
            noted.undo()

        def replay() -> None:
            self.replayed += 1
            noted.again()

        return replay
