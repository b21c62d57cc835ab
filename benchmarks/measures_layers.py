"""CPU seconds of measures of layers and kernels, one thread.

    python benchmarks/measures_layers.py

Tangent kernels of 256 examples and 10 outputs, every pair, of one MLP 64-256-256-64-10 with tanh (99,530 parameters)
and one CNN of about 103,000, in float32 and float64, beside the Jacobian of `vmap(jacrev)` of torch in float32 and its
product with itself; kernels are compared. Norms of per-example gradients of the MLP by layers, beside `vmap(grad)`.
Stacks of 32 small networks (2-16-16-2, 200 examples) beside single ones.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import resource
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, jacrev, vmap
from torch.nn import functional

from gendsl_runtime import components
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.layers import records
from gendsl_runtime.measures.tangent import tangent_kernel
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import Network
from gendsl_runtime.runs import Runs

EXAMPLES = 256
SMALL = ("cka", "neural_collapse", "svcca", "effective_rank", "procrustes", "rsa", "twonn", "linear_probe")
Function = Callable[[dict[str, Tensor], Tensor], Tensor]
"""Parameters and one example to its outputs."""


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")


def stack(
    network: Network, *, members: int = 1, size: int = EXAMPLES, dtype: torch.dtype = torch.float32
) -> Runs:
    chance = torch.Generator().manual_seed(0)
    split = Split(
        torch.randn(size, *network.shape, generator=chance),
        torch.randint(0, network.outputs, (size,), generator=chance),
    )
    data = Dataset({"train": split, "test": split}, "classification", network.shape, network.outputs)
    state = network.init(range(members)).to("cpu", dtype)
    return Runs(network, state, (data,) * members, tuple(range(members)), log_loss)


def dense(values: dict[str, Tensor], x: Tensor) -> Tensor:
    for name in ("hidden.0", "hidden.1", "hidden.2"):
        x = torch.tanh(functional.linear(x, values[f"{name}.weight"], values[f"{name}.bias"]))
    return functional.linear(x, values["output.weight"], values["output.bias"])


def convolved(values: dict[str, Tensor], x: Tensor) -> Tensor:
    x = x[None]
    for name in ("conv.0", "conv.1"):
        x = functional.conv2d(x, values[f"{name}.weight"], values[f"{name}.bias"], padding=1)
        x = functional.max_pool2d(torch.relu(x), 2)
    x = torch.relu(functional.linear(x.flatten(), values["hidden.0.weight"], values["hidden.0.bias"]))
    return functional.linear(x, values["output.weight"], values["output.bias"])


def seconds(work: Callable[[], Any], times: int) -> float:
    found = []
    for _ in range(times):
        start = process_time()
        work()
        found.append(process_time() - start)
    return median(found)


def memory() -> float:
    """Peak memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def by_jacobian(function: Function, values: dict[str, Tensor], inputs: Tensor) -> Tensor:
    rows = vmap(jacrev(function), (None, 0))(values, inputs)
    count = len(inputs)
    flat = [part.reshape(count * part.shape[1], -1) for part in rows.values()]
    return sum((part @ part.T for part in flat), start=torch.zeros(()))


def tangent(name: str, network: Network, function: Function) -> None:
    runs = stack(network)
    inputs = runs.split("train")[0]
    kernel = tangent_kernel(runs, inputs, of="full")
    own = seconds(lambda: tangent_kernel(runs, inputs, of="full"), 5)
    mean = seconds(lambda: tangent_kernel(runs, inputs), 5)
    double = stack(network, dtype=torch.float64)
    precise = seconds(lambda: tangent_kernel(double, double.split("train")[0], of="full"), 5)
    values = {key: value[0] for key, value in runs.state.parameters.items()}
    start = process_time()
    other = by_jacobian(function, values, inputs[0])
    baseline = process_time() - start
    apart = float((kernel - other).abs().max() / other.abs().max())
    print(f"{name}, {sum(value.numel() for value in values.values()):,} parameters, {EXAMPLES} x 10 outputs")
    print(f"  layer by layer, float32   {own:8.3f} s")
    print(f"  layer by layer, float64   {precise:8.3f} s")
    print(f"  mean over outputs         {mean:8.3f} s")
    print(
        f"  vmap(jacrev)              {baseline:8.3f} s   {baseline / own:.0f} times as long; peak {memory():.0f} MB"
    )
    print(f"  largest difference {apart:.1e} of the largest entry")


def norms(network: Network) -> None:
    runs = stack(network, size=2000)
    inputs, labels = runs.split("train")
    values = {key: value[0] for key, value in runs.state.parameters.items()}

    def loss(own: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(dense(own, x), y)

    def by_layers() -> Tensor:
        return sum(
            (record.squared_norms() for record in records(runs, inputs, labels)), start=torch.zeros(())
        )

    def by_examples() -> Tensor:
        rows = vmap(grad(loss), (None, 0, 0), chunk_size=100)(values, inputs[0], labels[0])
        return sum((part.flatten(1).square().sum(1) for part in rows.values()), start=torch.zeros(()))

    apart = float((by_layers()[0] / by_examples() - 1).abs().max())
    own, other = seconds(by_layers, 5), seconds(by_examples, 3)
    print("norms of per-example gradients, 2,000 examples")
    print(f"  by layers                 {own:8.4f} s")
    print(f"  vmap(grad), pieces of 100 {other:8.3f} s   {other / own:.0f} times as long; within {apart:.0e}")


def stacks() -> None:
    network = mlp((2,), 2, hidden=[16, 16])
    print("32 networks 2-16-16-2 on 200 examples, in single ones")
    for name in SMALL:
        measure = components.load("analysis", name)
        one, many = stack(network, size=200), stack(network, members=32, size=200)
        measure(one)
        alone_ = seconds(lambda measure=measure, one=one: measure(one), 15)
        together = seconds(lambda measure=measure, many=many: measure(many), 5)
        print(f"  {name:16} {1e3 * alone_:8.2f} ms alone {1e3 * together:8.2f} ms   {together / alone_:5.1f}")


def peaks(networks: dict[str, Network]) -> None:
    """Before anything larger has run in this process."""
    for name, network in networks.items():
        runs = stack(network)
        before = memory()
        tangent_kernel(runs, runs.split("train")[0], of="full")
        print(f"{name}: full kernel of {EXAMPLES} examples, peak memory {before:.0f} to {memory():.0f} MB")


if __name__ == "__main__":
    torch.set_num_threads(1)
    perceptron = mlp((64,), 10, hidden=[256, 256, 64], activation="tanh")
    images = cnn((1, 8, 8), 10, channels=[32, 64], hidden=[320])
    peaks({"MLP": perceptron, "CNN": images})
    norms(perceptron)
    stacks()
    tangent("MLP 64-256-256-64-10", perceptron, dense)
    tangent("CNN", images, convolved)
