"""N seeds in JAX: vmap over seeds, scan over the steps of an epoch, everything under one jit.

    python benchmarks/arms/scan.py jaxN CASE DATA EPOCHS

Needs jax and numpy only, in any interpreter. Compiling is not counted: the first run is not timed. Only the
networks of linear layers are written here.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from itertools import pairwise

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
from serve import data, serve

BATCH = 64
SIZES = {"mlp": (64, 64, 10), "mnist": (784, 256, 10)}
RATE, MOMENTUM = 0.1, 0.9


def fresh(key, sizes):
    """Weights and biases, uniform in `+-1 / sqrt(fan in)`."""
    layers = []
    for inputs, outputs in pairwise(sizes):
        key, first, second = jax.random.split(key, 3)
        draw = partial(jax.random.uniform, minval=-(inputs**-0.5), maxval=inputs**-0.5)
        layers.append((draw(first, (inputs, outputs)), draw(second, (outputs,))))
    return layers


def outputs_of(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def mean_loss(layers, x, y):
    outputs = outputs_of(layers, x)
    losses = -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], 1)[:, 0]
    return losses.mean(), (losses.sum(), (outputs.argmax(1) != y).sum())


def step(carry, batch):
    """SGD with momentum on one batch."""
    layers, velocity = carry
    (_, seen), gradients = jax.value_and_grad(mean_loss, has_aux=True)(layers, *batch)
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradients)
    layers = jax.tree.map(lambda w, v: w - RATE * v, layers, velocity)
    return (layers, velocity), seen


def epoch(carry, key, x, y):
    """The whole batches of one epoch, and the smaller last one."""
    order = jax.random.permutation(key, len(x))
    x, y = x[order], y[order]
    whole = len(x) // BATCH
    cut = whole * BATCH
    batches = x[:cut].reshape(whole, BATCH, -1), y[:cut].reshape(whole, BATCH)
    carry, (losses, wrong) = jax.lax.scan(step, carry, batches)
    losses, wrong = losses.sum(), wrong.sum()
    if cut < len(x):
        carry, rest = step(carry, (x[cut:], y[cut:]))
        losses, wrong = losses + rest[0], wrong + rest[1]
    return carry, losses / len(x), wrong / len(x)


def stack(case: str, path: str, epochs: int, count: int):
    """`count` seeds, trained and evaluated."""
    x, y, test_x, test_y = map(jnp.asarray, data(path))
    together = jax.jit(jax.vmap(epoch, in_axes=(0, 0, None, None)), donate_argnums=0)
    start = jax.jit(jax.vmap(partial(fresh, sizes=SIZES[case])))
    hits = jax.jit(jax.vmap(lambda layers: (outputs_of(layers, test_x).argmax(1) == test_y).mean()))

    def run() -> float:
        keys = jax.vmap(jax.random.key)(jnp.arange(count))
        layers = start(keys)
        carry = (layers, jax.tree.map(jnp.zeros_like, layers))
        for number in range(epochs):
            carry, losses, wrong = together(
                carry, jax.vmap(jax.random.fold_in, (0, None))(keys, number), x, y
            )
            np.asarray(losses), np.asarray(wrong)
        return float(hits(carry[0]).mean())

    return run


if __name__ == "__main__":
    arm, case, path, epochs = sys.argv[1:]
    serve(stack(case, path, int(epochs), int(arm.removeprefix("jax"))))
