"""Trained members as stored payloads, and back as the stack that analyses see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset
from gendsl_runtime.device import reproducible
from gendsl_runtime.network import State, Tensors, joined
from gendsl_runtime.runs import Runs
from gendsl_runtime.store import payload
from gendsl_runtime.train import build
from gendsl_runtime.train.fitted import Fitted
from gendsl_runtime.train.member import Member

PARTS = ("parameters", "buffers")


def pack(fitted: Fitted) -> bytes:
    """The payload of one member: states without their member axis, history, and how the training ended."""
    tensors = named(fitted.state, "")
    tensors |= {f"history.{name}": values.numpy() for name, values in fitted.history.items()}
    for epoch, state in fitted.checkpoints.items():
        tensors |= named(state, f"at.{epoch}.")
    metadata = {"status": fitted.status, "steps": str(fitted.steps), "epochs": str(fitted.epochs)}
    return payload.pack(tensors, metadata)


def unpack(stored: bytes) -> Fitted:
    """The member that `pack` wrote."""
    tensors, metadata = payload.unpack(stored)
    epochs = sorted({int(name.split(".")[1]) for name in tensors if name.startswith("at.")})
    status: Literal["budget", "stopped"] = "stopped" if metadata["status"] == "stopped" else "budget"
    return Fitted(
        state=stated(tensors, ""),
        history={
            name.removeprefix("history."): torch.from_numpy(values)
            for name, values in tensors.items()
            if name.startswith("history.")
        },
        steps=int(metadata["steps"]),
        epochs=int(metadata["epochs"]),
        status=status,
        checkpoints={epoch: stated(tensors, f"at.{epoch}.") for epoch in epochs},
    )


def state(stored: bytes, *, epoch: int | None = None) -> State:
    """The state of a stored member, M = 1: after training, or after an epoch that was kept."""
    tensors, _ = payload.unpack(stored)
    return stated(tensors, "" if epoch is None else f"at.{epoch}.")


def runs(
    members: Sequence[Member],
    stored: Sequence[bytes],
    *,
    epochs: Sequence[int | None] | None = None,
    data: Sequence[Dataset] | None = None,
    device: str = "cpu",
) -> Runs:
    """Stored members of one architecture as a stack; `data` replaces their own (the same with splits
    added)."""
    reproducible(device)
    fitted = [unpack(one) for one in stored]
    moments = [None] * len(members) if epochs is None else epochs
    states = [
        one.state if epoch is None else one.checkpoints[epoch]
        for one, epoch in zip(fitted, moments, strict=True)
    ]
    return Runs(
        network=build.network(members[0]),
        state=joined(states).to(device),
        data=tuple(member.data for member in members) if data is None else tuple(data),
        seeds=tuple(member.seed for member in members),
        loss=build.loss(members, device=device, dtype=torch.float32),
        history=tuple(one.history for one in fitted),
        steps=tuple(one.steps for one in fitted),
        stopped=tuple(one.status == "stopped" for one in fitted),
    )


def named(state: State, prefix: str) -> dict[str, np.ndarray]:
    """A state, M = 1, as arrays without their member axis; `stated` is the way back."""
    parts: dict[str, Tensors] = {"parameters": state.parameters, "buffers": state.buffers}
    return {
        f"{prefix}{part}.{name}": value[0].numpy()
        for part, values in parts.items()
        for name, value in values.items()
    }


def stated(tensors: Mapping[str, np.ndarray], prefix: str) -> State:
    """The state among the arrays whose names begin so."""
    parts: list[dict[str, Tensor]] = []
    for part in PARTS:
        start = f"{prefix}{part}."
        parts.append(
            {
                name.removeprefix(start): torch.from_numpy(np.array(values))[None]
                for name, values in tensors.items()
                if name.startswith(start)
            }
        )
    return State(parts[0], parts[1])
