"""Which members train together, and how many at once.

Members share a stack where everything that shapes the arithmetic is equal (`static_key`); learning rate,
momentum, weight decay, schedule, seed, label smoothing, budget, stop, checkpoints and the contents of the
data are the member's own. Stacking removes the fixed cost of a small step and gains nothing once a step is
long.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gendsl.spec import Component
from gendsl_runtime.data.phantom import like
from gendsl_runtime.length import Length
from gendsl_runtime.python import codes
from gendsl_runtime.runs import CACHE
from gendsl_runtime.train import build
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.optimizer import Optimizer
from gendsl_runtime.train.stack import start

LONG_STEP = 50e6
"""Floating-point operations of a step from which stacking gains next to nothing: about a millisecond."""
LONG = 2
"""Members of such steps that are stacked all the same: what is padded to two members costs one alone as much."""
FULL = 1e11
"""Floating-point operations of a step that keep any GPU busy for about a millisecond or more: estimated from data
sheets, not measured."""
FREE = 0.5
"""Share of a GPU's free memory that a stack may take; the data lie there too."""
COPIES = 4
"""How often a GPU holds what a step needs: once to take it as it is, and once for each recording (decision 097)."""
PER_PARAMETER = 16
"""Bytes of a parameter with its gradient, an optimizer's slot and the copy in flight."""


@dataclass(frozen=True)
class Cost:
    """What one member's step takes: floating-point operations, and bytes that should stay in the cache."""

    operations: float
    bytes: float
    calls: int = 0
    """Calls of torch in a forward pass, whatever the number of members."""

    @property
    def members(self) -> int:
        """How many members to train at once."""
        room = max(1, int(CACHE // max(1.0, self.bytes)))
        return min(LONG, room) if self.operations > LONG_STEP else room

    def most(self, device: str) -> int:
        """How many members to train at once there: on a GPU, as many as fit and still gain."""
        if torch.device(device).type != "cuda":
            return self.members
        free, _ = torch.cuda.mem_get_info(device)
        room = int(FREE * free // max(1.0, COPIES * self.bytes))
        return max(1, min(room, int(FULL // max(1.0, self.operations))))


def static_key(member: Member) -> Hashable:
    """Equal for members that may share a stack, in training and in every analysis of it."""
    data = member.data
    parts = (_shared(member.model), _shared(member.loss), _shared(member.optimizer))
    sizes = tuple(sorted((name, len(split)) for name, split in data.splits.items()))
    return (*parts, member.batch, data.fit, sizes, *_data(member))


def difference(members: Sequence[Member]) -> str | None:
    """In what members differ that are to be looked at as one stack: training them may differ in everything else."""
    first = members[0]
    for member in members[1:]:
        if _shared(member.model) != _shared(first.model):
            return "networks"
        if _shared(member.loss) != _shared(first.loss):
            return "losses"
        if _data(member) != _data(first):
            return "data"
    return None


def _data(member: Member) -> tuple[Hashable, ...]:
    data = member.data
    return data.shape, data.vocabulary, data.outputs, data.task


def stacks(members: Sequence[Member], *, device: str = "cpu") -> list[list[int]]:
    """Indices of the members of each stack, in the order given; every member is in one."""
    return [
        part
        for group in groups(members)
        for part in cut(group, size(members[group[0]], count=len(group), device=device))
    ]


def groups(members: Sequence[Member]) -> list[list[int]]:
    """Indices of the members of each static key, in the order given."""
    found: dict[Hashable, list[int]] = {}
    for index, member in enumerate(members):
        found.setdefault(static_key(member), []).append(index)
    return list(found.values())


def cut(group: Sequence[int], size: int) -> list[list[int]]:
    """A group in as few equal pieces as keep within `size`: 33 at 32 a stack are 17 and 16, not 32 and 1."""
    return pieces(group, -(-len(group) // size))


def pieces(group: Sequence[int], count: int) -> list[list[int]]:
    """A group in `count` pieces whose lengths differ by one at most."""
    bounds = [len(group) * piece // count for piece in range(count + 1)]
    return [list(group[low:high]) for low, high in pairwise(bounds)]


def size(member: Member, *, count: int, device: str = "cpu") -> int:
    """How many of `count` members like this one to train at once; one where two do not fit into memory."""
    found = known_cost(member) if count > 1 else None
    return found.most(device) if found else 1


def known_cost(member: Member) -> Cost | None:
    """The cost of a step; None where it cannot be told: what is wrong is told where the member is trained.

    A training with code of the user's is never tried here, and is trained alone.
    """
    if any(codes((member.model, member.loss, member.optimizer))):
        return None
    try:
        return cost(member)
    except Exception:
        # Whatever is wrong with one training of a sweep is its own failure, and the others go on.
        return None


def cost(member: Member) -> Cost:
    """The cost of a step, from one forward pass of two members, halved: one alone may be padded.

    A step that goes through its examples in blocks holds one of them at a time.
    """
    one_step = like(member.data, {"train": member.batch_size}, fit=("train",))
    short = replace(member, data=one_step, init=None, budget=Length(1, "steps"))
    stack = start([short, short], device="cpu", dtype=torch.float32)
    made = stack.optimizer
    blocks = min(made.blocks, member.batch_size) if isinstance(made, Optimizer) else 1
    inputs, targets = (part.tensor_split(blocks, 1)[0] for part in next(stack.feed.batches(0, 0, 1)))
    passes = 2 * blocks if isinstance(made, Optimizer) and made.correction else blocks
    views = stack.layout.views(stack.parameters)
    leaves = {name: view.detach().requires_grad_() for name, view in views.items()}
    saved: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with Products() as products, torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs, _ = stack.network.apply(leaves, stack.buffers, inputs, training=True, noise=stack.noise)
        stack.loss(outputs, targets)
    activations = sum(saved.values()) - saved.get(stack.parameters.untyped_storage().data_ptr(), 0)
    return Cost(
        # The backward pass makes two products for each one of the forward pass.
        operations=passes * 3 * products.operations / 2,
        bytes=PER_PARAMETER * stack.layout.width + activations / 2,
        calls=products.calls,
    )


class Products(TorchFunctionMode):
    """Counts calls, and the operations of matrix products and convolutions. Torch's own counter, and any mode that sees
    below the Python functions, import for seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0
        self.calls = 0

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = function(*args, **(kwargs or {}))
        self.calls += getattr(function, "__name__", "") != "__get__"
        if function is torch.bmm:
            self.operations += 2 * found.numel() * args[0].shape[2]
        elif function is torch.baddbmm:
            self.operations += 2 * found.numel() * args[1].shape[2]
        elif function is torch.conv2d:
            self.operations += 2 * found.numel() * args[1][0].numel()
        return found


def _shared(component: Component) -> Hashable:
    """A component without what members may differ in; one of the user's is shared whole."""
    if component.code is not None:
        return component.model_dump_json(exclude={"code": {"path"}})
    within = build.nested(component)
    shared, own = build.split(build.alone(component))
    arguments = component.arguments
    return (
        component.name,
        component.version,
        tuple(sorted(own)),
        tuple((name, arguments[name].model_dump_json()) for name in sorted(shared)),
        tuple((name, _shared(inner)) for name, inner in within.items()),
    )
