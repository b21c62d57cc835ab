"""Deep thinking network."""

from __future__ import annotations

from gendsl_runtime.component import Count, Flag, Natural, Share, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.thinking import Schedule, Thinking


@model(
    version=2,
    takes="sequence",
    answers="places",
    paper=["schwarzschild2021learn", "bansal2022endtoend"],
)
def deep_thinking(
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int | None = None,
    *,
    width: Count = 32,
    blocks: Count = 1,
    iterations: Count = 12,
    recall: Flag = True,
    tied: Flag = True,
    progressive: Share = 1.0,
    skip: Natural | None = None,
    ramp: Natural = 0,
) -> Network:
    """A convolutional network that applies one block again and again: it may think longer than it was trained to.

    `h_0 = relu(P x)`, `h_{t+1} = B([h_t, x])`, answers `H(h_t)` for each place: the DT net of Bansal et al. (2022),
    with kernels of 3 (sequences) or 3 x 3 (images), zeros around the border, no biases and no norms. B is a convolution
    that takes in the input again (recall) and `blocks` residual blocks of two convolutions with relu; H three
    convolutions, the second with a quarter of the channels. In evaluation there are `iterations` iterations;
    `thinking_time` makes other numbers of them, and any size of input will do.

    A training step is progressive with probability `progressive` (alpha in the paper, where the two losses are added
    with weights alpha and 1 - alpha: the expectation is the same): n iterations without gradient, then k with it. With
    m = `iterations`, n is uniform in 0..m-1 and k in 1..m-n, as in the paper; with `skip` n is uniform in 0..skip and
    k in 1..m, which teaches the block to hold what it has found. Any other step is m iterations with gradient. The
    draws depend on the number of the step alone: all runs think equally long at the same step.

    Args:
        width: channels of the memory h.
        blocks: residual blocks in an iteration.
        iterations: m.
        recall: whether each iteration sees the input.
        tied: whether all iterations share their weights; without, it is a feed-forward network of that depth, which
            cannot think longer.
        progressive: share of the training steps that are progressive.
        skip: most iterations without gradient; the paper's rule unless given.
        ramp: steps over which that number grows from `iterations` to `skip`.

    Example:
        model net = deep_thinking(width=32, iterations=12, skip=60, ramp=3000)
    """
    if len(shape) == 1 or vocabulary is not None:
        raise Problem(
            "wrong-shape",
            "`deep_thinking` takes sequences of numbers or images",
            help="`prefix_sums` and `mazes` are made for it",
        )
    if skip is not None and not tied:
        raise Problem(
            "out-of-range",
            f"without tied weights there are {iterations} iterations and no more, and `skip` asks for further ones",
            help="leave out `skip`",
        )
    if ramp and skip is None:
        raise Problem(
            "missing-argument",
            "`ramp` says how the number of iterations without gradient grows, and not how far",
            help="give `skip`, or leave out `ramp`",
        )
    if skip is not None and ramp and skip < iterations:
        raise Problem(
            "out-of-range",
            f"`skip` is to grow from {iterations} iterations to {skip}",
            help="leave out `ramp`",
        )
    return Thinking(
        shape, outputs, width, blocks, recall, tied, Schedule(iterations, progressive, skip, ramp)
    )
