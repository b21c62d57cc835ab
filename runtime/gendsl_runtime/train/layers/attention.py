"""Attention."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import matmul

FEW = 12
"""Steps up to which products of queries and keys are sums over whole rows of examples: a product of matrices
this small costs more to call than to compute."""


@dataclass(frozen=True)
class Attention:
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2) on `(members, width, steps, examples)`.

    For each head `softmax(Q' K / sqrt(width / heads)) V` with queries, keys and values linear in the inputs,
    then a linear map of all heads together. `is_causal`: a step sees itself and the steps before it.
    `is_last`: only the last step asks, and the output is a sequence of one.

    As in `torch.nn.MultiheadAttention`, the weights of queries, keys and values are one matrix, uniform in
    `+-sqrt(6 / (4 width))` (Glorot and Bengio 2010), the output's are uniform in `+-1/sqrt(width)`, and
    biases start at zero.
    """

    name: str
    width: int
    heads: int
    is_causal: bool
    is_last: bool = False

    def parameters(self) -> Mapping[str, Fresh]:
        width = self.width
        return {
            f"{self.name}.in.weight": Fresh((3 * width, width), "uniform", math.sqrt(6 / (4 * width))),
            f"{self.name}.in.bias": Fresh((3 * width,), "constant", 0.0),
            f"{self.name}.out.weight": Fresh((width, width), "uniform", 1 / math.sqrt(width)),
            f"{self.name}.out.bias": Fresh((width,), "constant", 0.0),
        }

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        weight, bias, out, offset = (
            values.parameters[f"{self.name}.{part}"]
            for part in ("in.weight", "in.bias", "out.weight", "out.bias")
        )
        steps = inputs.shape[2]
        if self.is_last:
            width = self.width
            queries = self._heads(inputs[:, :, -1:], weight[:, :width], bias[:, :width], 1)[:, 0]
            keys, found = self._heads(inputs, weight[:, width:], bias[:, width:], 2).unbind(1)
        else:
            queries, keys, found = self._heads(inputs, weight, bias, 3).unbind(1)
        mix = _by_sums if steps <= FEW else _by_products
        mixed = mix(queries * (self.width // self.heads) ** -0.5, keys, found, self.is_causal)
        columns = mixed.flatten(3).flatten(1, 2)
        return matmul(out, columns, offset).view(len(inputs), self.width, *mixed.shape[3:])

    def _heads(self, inputs: Tensor, weight: Tensor, bias: Tensor, kinds: int) -> Tensor:
        """`(members, kinds, heads, width / heads, steps, examples)`."""
        found = matmul(weight, inputs.flatten(2), bias)
        shape = (kinds, self.heads, self.width // self.heads)
        return found.view(len(found), *shape, *inputs.shape[2:])


def _by_sums(queries: Tensor, keys: Tensor, values: Tensor, is_causal: bool) -> Tensor:
    """Queries `(M, heads, size, asking, B)`, keys and values `(M, heads, size, steps, B)` to what each
    asking step finds, `(M, heads, size, asking, B)`; the asking steps are the last ones."""
    asking, steps = queries.shape[3], keys.shape[3]
    found = []
    for place, query in enumerate(torch.split(queries, 1, 3)):
        seen = steps - asking + place + 1 if is_causal else steps
        known = keys[:, :, :, :seen]
        weights = (query * known).sum(2, keepdim=True).softmax(3)
        found.append((weights * values[:, :, :, :seen]).sum(3, keepdim=True))
    return torch.cat(found, 3) if asking > 1 else found[0]


def _by_products(queries: Tensor, keys: Tensor, values: Tensor, is_causal: bool) -> Tensor:
    """The same, by a product of matrices for each head and example."""
    members, heads, size, asking, examples = queries.shape
    steps = keys.shape[3]
    # Copied whatever it is: a lone member with one example could be seen as a transposed matrix where it lies, and
    # the kernel would be another one.
    rows, columns, content = (
        part.permute(0, 1, 4, 3, 2).contiguous().view(members * heads * examples, -1, size)
        for part in (queries, keys, values)
    )
    scores = matmul(rows, columns.transpose(1, 2))
    if is_causal and asking > 1:
        future = torch.ones(asking, steps, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(future, -torch.inf)
    found = matmul(scores.softmax(2), content)
    return found.view(members, heads, examples, asking, size).permute(0, 1, 4, 3, 2)
