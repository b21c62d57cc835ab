"""Tokens and places as vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding

from gendsl_runtime.train.layers.layer import Fresh, Pass


@dataclass(frozen=True)
class Embedding:
    """Row `t` of a table for every token t: `(members, steps, examples)` to `(members, features, steps,
    examples)`. Rows start standard normal, as in `torch.nn.Embedding`.

    The tables of a stack are one table, in which every member looks into its own part. The gradient of a row
    is the sum over its places from left to right, whoever else is in the stack.
    """

    name: str
    vocabulary: int
    features: int

    def parameters(self) -> Mapping[str, Fresh]:
        return {f"{self.name}.weight": Fresh((self.vocabulary, self.features), "normal", 1.0)}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        table = values.parameters[f"{self.name}.weight"]
        members = len(inputs)
        parts = torch.arange(members, device=inputs.device)[:, None, None] * self.vocabulary
        rows = embedding(inputs + parts, table.flatten(0, 1))
        return rows.permute(0, 3, 1, 2).contiguous()


@dataclass(frozen=True)
class Positions:
    """A learnt vector added at each step; they start standard normal, as in `torch.nn.Embedding`."""

    name: str
    steps: int
    features: int

    def parameters(self) -> Mapping[str, Fresh]:
        return {f"{self.name}.weight": Fresh((self.steps, self.features), "normal", 1.0)}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs + values.parameters[f"{self.name}.weight"].transpose(1, 2)[..., None]
