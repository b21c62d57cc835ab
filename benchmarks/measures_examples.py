"""CPU seconds of the scores of examples, beside a backward pass for each example, one thread.

    python benchmarks/measures_examples.py

One MLP 64-256-256-64-10 with tanh (99,530 parameters) and one CNN of about 103,000 on 2,000 samples, in
float32. The baseline is `vmap(grad)` of torch on the same network written as plain functions, over all
examples at once and in pieces of 100, which is its best size here; the scores are compared. A stack of 32
MLPs 64-64-10 beside single ones.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable
from statistics import median
from time import process_time

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn import functional

from gendsl_runtime.analyses.examples.el2n import el2n
from gendsl_runtime.analyses.examples.gradient_noise import gradient_noise
from gendsl_runtime.analyses.examples.grand import grand
from gendsl_runtime.analyses.examples.stiffness import stiffness
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import Network
from gendsl_runtime.runs import Runs

SAMPLES = 2_000
PIECE = 100
Function = Callable[[dict[str, Tensor], Tensor], Tensor]
"""Parameters and one example to its outputs."""


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(outputs, targets, label_smoothing=torch.zeros(len(outputs)))


def stack(network: Network, members: int = 1) -> Runs:
    chance = torch.Generator().manual_seed(0)
    split = Split(
        torch.randn(SAMPLES, *network.shape, generator=chance),
        torch.randint(0, network.outputs, (SAMPLES,), generator=chance),
    )
    data = Dataset({"train": split}, "classification", network.shape, network.outputs)
    return Runs(network, network.init(range(members)), (data,) * members, tuple(range(members)), log_loss)


def dense(values: dict[str, Tensor], x: Tensor) -> Tensor:
    for name in ("hidden.0", "hidden.1", "hidden.2"):
        x = torch.tanh(functional.linear(x, values[f"{name}.weight"], values[f"{name}.bias"]))
    return functional.linear(x, values["output.weight"], values["output.bias"])


def convolutional(values: dict[str, Tensor], x: Tensor) -> Tensor:
    x = x.unsqueeze(0)
    for name in ("conv.0", "conv.1"):
        x = functional.conv2d(x, values[f"{name}.weight"], values[f"{name}.bias"], padding=1)
        x = functional.max_pool2d(torch.relu(x), 2)
    x = torch.relu(functional.linear(x.flatten(1), values["hidden.0.weight"], values["hidden.0.bias"]))
    return functional.linear(x, values["output.weight"], values["output.bias"])[0]


def by_vmap(function: Function, runs: Runs, piece: int) -> Tensor:
    """Norms of the gradients of all examples."""
    values = {name: tensor[0] for name, tensor in runs.state.parameters.items()}

    def loss(values: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(function(values, x), y)

    inputs, targets = (part[0] for part in runs.split("train"))
    norms = []
    for x, y in zip(inputs.split(piece), targets.split(piece), strict=True):
        rows = vmap(grad(loss), (None, 0, 0))(values, x, y)
        norms.append(sum(row.flatten(1).square().sum(1) for row in rows.values()).sqrt())
    return torch.cat(norms)


def seconds(work: Callable[[], object], times: int = 5) -> float:
    work()
    found = []
    for _ in range(times):
        start = process_time()
        work()
        found.append(process_time() - start)
    return median(found)


def compare(name: str, runs: Runs, function: Function) -> None:
    whole, pieces = (seconds(lambda size=size: by_vmap(function, runs, size), 3) for size in (SAMPLES, PIECE))
    print(f"{name}: vmap(grad) {whole:.3f} s at once, {pieces:.3f} s in pieces of {PIECE}")
    difference = (grand(runs)["grand"][0] / by_vmap(function, runs, PIECE) - 1).abs().amax()
    for measure in (grand, el2n, gradient_noise, stiffness):
        spent = seconds(lambda measure=measure: measure(runs))
        print(
            f"    {measure.__name__}: {spent:.4f} s, {whole / spent:.1f} and {pieces / spent:.1f} times less"
        )
    print(f"    largest relative difference of GraNd {difference:.1e}")


def main() -> None:
    compare("MLP 64-256-256-64-10", stack(mlp((64,), 10, hidden=(256, 256, 64), activation="tanh")), dense)
    images = stack(cnn((1, 16, 16), 10, channels=(16, 32), hidden=(188,)))
    size = sum(tensor.numel() for tensor in images.state.parameters.values())
    compare(f"CNN of {size:,}", images, convolutional)
    network = mlp((64,), 10, hidden=(64,))
    single, whole = stack(network), stack(network, 32)
    for measure in (grand, el2n, gradient_noise):
        one, many = (seconds(lambda runs=runs, measure=measure: measure(runs)) for runs in (single, whole))
        print(
            f"{measure.__name__} of 32 MLPs 64-64-10: {many:.3f} s, as much as {many / one:.1f} single ones"
        )


if __name__ == "__main__":
    main()
