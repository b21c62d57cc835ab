"""Transformer."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, Flag, Share, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.attention import Attention
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.embedding import Embedding, Positions
from gendsl_runtime.train.layers.layer import Layer, Layered
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import Linear
from gendsl_runtime.train.layers.residual import Residual
from gendsl_runtime.train.layers.sequence import EachStep, LastStep, Read, Rows, sides


@model(
    version=1,
    neutral={"dropout": 0.0},
    takes="sequence",
    paper=["vaswani2017attention", "ba2016layer", "xiong2020layer", "srivastava2014dropout"],
)
def transformer(
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int | None = None,
    *,
    layers: Count = 2,
    heads: Count = 4,
    width: Count = 128,
    feed_forward: Count | None = None,
    causal: Flag = True,
    norm: Literal["pre", "post", "none"] = "pre",
    activation: Literal["relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu"] = "relu",
    positions: Literal["learned", "none"] = "learned",
    read: Literal["last", "mean"] = "last",
    dropout: Share = 0.0,
) -> Network:
    """A transformer that reads a sequence and answers once: a decoder (`causal`) or an encoder.

    Blocks of multi-head attention and a feed-forward layer, each with a residual connection (Vaswani et al.
    2017), normalised before (`pre`, with one more LayerNorm at the end; Xiong et al. 2020) or after each sum
    (`post`). Tokens are embedded; steps of numbers are mapped to the width by a linear layer, and an image is
    a sequence of its rows. The answer is linear in the last step, or in the mean over steps.

    Values start as in torch.nn: embeddings of tokens and places standard normal, attention as in
    `MultiheadAttention` (queries, keys and values uniform in `+-sqrt(6 / (4 width))`, biases zero), other
    linear layers uniform in `+-1/sqrt(fan in)`.

    Args:
        layers: blocks.
        heads: heads of the attention; they share the width evenly.
        width: size of the vector at each step.
        feed_forward: units of the feed-forward layers; none is 4 times the width.
        causal: whether a step sees only itself and the steps before it.
        norm: LayerNorm before each part (`pre`), after each sum (`post`) or nowhere.
        activation: of the feed-forward layers.
        positions: learnt vectors added to the embeddings, or none.
        read: what the answer is read from, the last step or the mean of all.
        dropout: share of the values that are zero at each step of training, in the sums of embeddings and
            places and in what each part adds (Vaswani et al. 2017, section 5.4), rounded to 1/65536.
    """
    if width % heads:
        raise Problem(
            "out-of-range",
            f"a width of {width} cannot be shared evenly by {heads} heads",
            help="give a `width` that is a multiple of `heads`",
        )
    steps, features = (shape[0], 0) if vocabulary is not None else sides(shape)
    first: list[Layer] = (
        [Embedding("tokens", vocabulary, width)]
        if vocabulary is not None
        else [Rows(), EachStep(Linear("input", features, width))]
    )
    if positions == "learned":
        first.append(Positions("positions", steps, width))
    first += _dropped("dropout", dropout)
    inner = 4 * width if feed_forward is None else feed_forward
    for index in range(layers):
        # What the last block makes of other steps nobody reads.
        is_last = read == "last" and index == layers - 1
        attention = Attention(f"block.{index}.attention", width, heads, causal, is_last)
        first += _block(f"block.{index}", attention, inner, activation, norm, dropout)
    first += [LayerNorm("norm", width)] if norm == "pre" else []
    return Layered(shape, outputs, (*first, Read(read), Linear("output", width, outputs)))


def _block(
    name: str, attention: Attention, inner: int, activation: str, norm: str, dropout: float
) -> list[Layer]:
    width = attention.width
    mixed: tuple[Layer, ...] = (attention, *_dropped(f"{name}.dropout.0", dropout))
    forward: tuple[Layer, ...] = (
        EachStep(Linear(f"{name}.forward.0", width, inner)),
        Pointwise(activation),
        EachStep(Linear(f"{name}.forward.1", inner, width)),
        *_dropped(f"{name}.dropout.1", dropout),
    )
    norms = [LayerNorm(f"{name}.norm.{index}", width) for index in (0, 1)]
    straight = (LastStep(),) if attention.is_last else ()
    if norm == "pre":
        return [Residual((norms[0], *mixed), straight), Residual((norms[1], *forward))]
    if norm == "post":
        return [Residual(mixed, straight), norms[0], Residual(forward), norms[1]]
    return [Residual(mixed, straight), Residual(forward)]


def _dropped(name: str, share: float) -> tuple[Layer, ...]:
    return (Dropout(name, share),) if share else ()
