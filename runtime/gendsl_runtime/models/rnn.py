"""Recurrent network."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.embedding import Embedding
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Linear
from gendsl_runtime.train.layers.recurrent import Cell, Recurrent
from gendsl_runtime.train.layers.sequence import Rows, sides


@model(version=1, takes="sequence", paper=["elman1990finding", "cho2014learning", "hochreiter1997long"])
def rnn(
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int | None = None,
    *,
    cell: Literal["rnn", "gru", "lstm"] = "rnn",
    activation: Literal["tanh", "relu"] = "tanh",
    hidden: Count = 64,
    layers: Count = 1,
    embedding: Count = 64,
) -> Network:
    """A recurrent network that reads a sequence and answers from its last state.

    `rnn` is Elman's network `h' = f(W x + b + U h + c)` (1990), `gru` the gated unit of Cho et al. (2014),
    `lstm` that of Hochreiter and Schmidhuber (1997) with forget gates, all in the form of torch.nn. The state
    starts at zero. Tokens are embedded; an image is read row by row, from the top. The answer is linear in
    the last state of the last layer.

    Values start as in torch.nn: recurrent layers uniform in `+-1/sqrt(hidden)`, biases too, embeddings
    standard normal, the output layer uniform in `+-1/sqrt(hidden)`.

    Args:
        cell: `rnn`, `gru` or `lstm`.
        activation: f of the cell `rnn`; the others have their own.
        hidden: size of the state.
        layers: recurrent layers, each reading the states of the one below.
        embedding: size of the vector of a token; without effect where the data are numbers.
    """
    features = embedding if vocabulary is not None else sides(shape)[1]
    stack: list[Layer] = [Rows() if vocabulary is None else Embedding("tokens", vocabulary, embedding)]
    for index, name in enumerate(prefixes(layers, "recurrent")):
        kind: Cell = activation if cell == "rnn" else cell
        stack.append(Recurrent(name, kind, features, hidden, is_last=index == layers - 1))
        features = hidden
    return Layered(shape, outputs, (*stack, Linear("output", hidden, outputs)))
