"""CPU seconds of measures of curvature and sharpness, one thread.

    python benchmarks/measures_curvature.py [--peers PYTHON] [--parts top,measures,stacks] [--rounds N]

top: the five largest Hessian eigenvalues of an MLP 64-256-256-64-10 with tanh (99,530 parameters) and of a CNN of
102,931, both on 2,000 digits (of 1,797, the first ones twice) after 60 steps of Adam, beside 13 products on a graph
that is kept, written in plain PyTorch, and, where the Python of an environment with curvlinops and scipy is given,
beside `eigsh` on curvlinops' operator with the same weights and data, in a process of its own. measures: what every
other measure costs on the same two networks. stacks: what 32 small networks cost together, in single ones.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import torch
from sklearn.datasets import load_digits

from gendsl_runtime.analyses.curvature.effective_dimension import effective_dimension
from gendsl_runtime.analyses.curvature.gradient_share import gradient_share
from gendsl_runtime.analyses.curvature.hessian_blocks import hessian_blocks
from gendsl_runtime.analyses.curvature.hessian_diagonal import hessian_diagonal
from gendsl_runtime.analyses.curvature.hessian_norm import hessian_norm
from gendsl_runtime.analyses.curvature.hessian_spectrum import hessian_spectrum
from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.analyses.curvature.hessian_trace import hessian_trace
from gendsl_runtime.analyses.sharpness.expected_sharpness import expected_sharpness
from gendsl_runtime.analyses.sharpness.local_entropy import local_entropy
from gendsl_runtime.analyses.sharpness.pac_bayes_sharpness import pac_bayes_sharpness
from gendsl_runtime.analyses.sharpness.perturbation_radius import perturbation_radius
from gendsl_runtime.analyses.sharpness.sam_sharpness import sam_sharpness
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import Network, State
from gendsl_runtime.runs import Runs

PRODUCTS = 13
PEER = Path(__file__).parent / "arms" / "curvature_peer.py"


def log_loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return cross_entropy(outputs, targets, label_smoothing=torch.zeros(len(outputs)))


def stack(network: Network, examples: int, members: int) -> Runs:
    """Networks trained for a while on digits."""
    images, labels = load_digits(return_X_y=True)
    inputs = torch.from_numpy(np.resize(images, (examples, 64)) / 16).float()
    split = Split(inputs.reshape(examples, *network.shape), torch.from_numpy(np.resize(labels, examples)))
    data = Dataset({"train": split}, "classification", network.shape, 10)
    seeds = tuple(range(members))
    return trained(Runs(network, network.init(seeds), (data,) * members, seeds, log_loss), steps=60, lr=1e-3)


def trained(runs: Runs, steps: int, lr: float) -> Runs:
    values = {name: tensor.clone().requires_grad_() for name, tensor in runs.state.parameters.items()}
    optimizer = torch.optim.Adam(values.values(), lr=lr)
    inputs, targets = runs.split("train")
    for _ in range(steps):
        optimizer.zero_grad()
        runs.losses(inputs, targets, values).mean(1).sum().backward()
        optimizer.step()
    return replace(runs, state=State({name: tensor.detach() for name, tensor in values.items()}, {}))


def networks() -> dict[str, Runs]:
    return {
        "MLP": stack(mlp((64,), 10, hidden=[256, 256, 64], activation="tanh"), 2000, 1),
        "CNN": stack(cnn((1, 8, 8), 10, channels=[32, 64], hidden=[315], activation="tanh"), 2000, 1),
    }


def seconds(work: Callable[[], object], rounds: int = 1) -> float:
    spent = []
    for _ in range(rounds):
        start = process_time()
        work()
        spent.append(process_time() - start)
    return median(spent)


# --- plain PyTorch: the same network, written as anyone would -----------------------------------------------


def plain(runs: Runs) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """The network as a `torch.nn` module with the same weights, its inputs and targets."""
    modules: list[torch.nn.Module] = []
    own = {name: value[0] for name, value in runs.state.parameters.items()}
    if own[next(iter(own))].ndim == 2:
        modules.append(torch.nn.Flatten())
    is_flat = bool(modules)
    for name in (name.removesuffix(".weight") for name in own if name.endswith(".weight")):
        weight, bias = own[f"{name}.weight"], own[f"{name}.bias"]
        layer: torch.nn.Module
        if weight.ndim == 4:
            layer = torch.nn.Conv2d(
                weight.shape[1], weight.shape[0], weight.shape[2], padding=weight.shape[2] // 2
            )
        else:
            if not is_flat:
                modules.append(torch.nn.Flatten())
                is_flat = True
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        modules.append(layer)
        if name != "output":
            modules.append(torch.nn.Tanh())
        if weight.ndim == 4:
            modules.append(torch.nn.MaxPool2d(2))
    inputs, targets = runs.split("train")
    return torch.nn.Sequential(*modules), inputs[0], targets[0]


def plain_products(module: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> None:
    """13 Hessian-vector products on one graph that is kept."""
    parameters = list(module.parameters())
    loss = torch.nn.functional.cross_entropy(module(inputs), targets)
    slopes = torch.autograd.grad(loss, parameters, create_graph=True)
    for _ in range(PRODUCTS):
        vectors = [torch.randn_like(parameter) for parameter in parameters]
        torch.autograd.grad(slopes, parameters, vectors, retain_graph=True)


# --- parts --------------------------------------------------------------------------------------------------


def top(rounds: int, peers: str | None) -> None:
    for name, runs in networks().items():
        module, inputs, targets = plain(runs)
        outputs = runs.outputs(runs.split("train")[0])[0].T
        assert torch.allclose(module(inputs), outputs, atol=1e-4), "the plain network is another one"
        own = seconds(lambda: hessian_top(runs, count=5, repeated=False), rounds)  # noqa: B023
        twice = seconds(lambda: hessian_top(runs, count=5), rounds)  # noqa: B023
        bare = seconds(lambda: plain_products(module, inputs, targets), rounds)  # noqa: B023
        given = hessian_top(runs, count=5, repeated=False)
        made = int(given["products"][0])
        size = sum(parameter.numel() for parameter in module.parameters())
        print(f"{name}, {size:,} parameters: top 5 {own:.2f} s, {made} products, all converged: "
              f"{bool((given['converged'] == 1).all())}; with copies searched for {twice:.2f} s")  # fmt: skip
        print(f"    13 plain products on a kept graph {bare:.2f} s: {own / bare:.2f} times as long")
        if peers is None:
            print("    curvlinops: left out, no --peers")
            continue
        found = peer(peers, module, inputs, targets, rounds)
        ours = np.asarray(given["eigenvalue"][0])
        print(f"    curvlinops with eigsh {found['seconds']:.2f} s, {found['products']:.0f} products: ours takes "
              f"{own / found['seconds']:.2f} of it; eigenvalues differ by "
              f"{max(abs(ours - found['eigenvalues']) / ours[0]):.1e}")  # fmt: skip


def peer(
    python: str, module: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor, rounds: int
) -> Mapping[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.pt"
        layers = [(type(one).__name__, _shape(one), dict(one.state_dict())) for one in module.children()]
        torch.save({"layers": layers, "inputs": inputs, "targets": targets, "rounds": rounds}, path)
        done = subprocess.run(
            [python, str(PEER), str(path)], capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    return {key: np.asarray(value) for key, value in json.loads(done.stdout.splitlines()[-1]).items()}


def _shape(one: torch.nn.Module) -> list[int]:
    if isinstance(one, torch.nn.Conv2d):
        return [one.in_channels, one.out_channels, one.kernel_size[0], int(one.padding[0])]
    return [one.in_features, one.out_features] if isinstance(one, torch.nn.Linear) else []


MEASURES: dict[str, Callable[[Runs], object]] = {
    "hessian_top, GGN": lambda runs: hessian_top(runs, operator="ggn", repeated=False),
    "hessian_trace, 32 probes": hessian_trace,
    "hessian_norm, 32 probes": hessian_norm,
    "hessian_spectrum, 10 x 90": hessian_spectrum,
    "effective_dimension, 10 x 60": effective_dimension,
    "hessian_blocks": hessian_blocks,
    "gradient_share, 10": lambda runs: gradient_share(runs, repeated=False),
    "hessian_diagonal, 32 probes": hessian_diagonal,
    "GGN diagonal, exact": lambda runs: hessian_diagonal(runs, operator="ggn", method="exact"),
    "empirical Fisher diagonal, exact": lambda runs: hessian_diagonal(
        runs, operator="empirical_fisher", method="exact"
    ),
    "sam_sharpness": sam_sharpness,
    "expected_sharpness, 100 samples": expected_sharpness,
    "perturbation_radius": perturbation_radius,
    "pac_bayes_sharpness, 32 samples": pac_bayes_sharpness,
    "local_entropy, quadratic": lambda runs: local_entropy(runs, method="quadratic", gamma=1e4),
    "local_entropy, annealed, 4 x 20 x 6": lambda runs: local_entropy(runs, chains=4, gamma=1e4),
}


def measures(names: list[str]) -> None:
    runs = {name: one for name, one in networks().items() if name in names}
    for measure, work in MEASURES.items():
        spent = ", ".join(f"{name} {seconds(lambda: work(one)):.2f} s" for name, one in runs.items())  # noqa: B023
        print(f"{measure}: {spent}", flush=True)


def stacks(rounds: int) -> None:
    """32 MLPs 64-16-10 on 200 digits, together and each alone."""
    runs = stack(mlp((64,), 10, hidden=[16]), 200, 32)
    kinds = ("hessian", "effective", "gradient", "empirical", "GGN", "sam")
    few: dict[str, Callable[[Runs], object]] = {
        "hessian_top": hessian_top,
        **{name: work for name, work in MEASURES.items() if name.startswith(kinds)},
        "expected_sharpness, 10 samples": lambda part: expected_sharpness(part, samples=10),
        "perturbation_radius, 5 steps": lambda part: perturbation_radius(part, steps=5, rays=5),
        "pac_bayes_sharpness, 8 samples": lambda part: pac_bayes_sharpness(part, samples=8),
        "local_entropy, annealed, 8 chains": lambda part: local_entropy(part, chains=8),
    }
    for name, work in few.items():
        alone = seconds(lambda: [work(runs.select([m])) for m in range(8)], rounds)  # noqa: B023
        together = seconds(lambda: work(runs), rounds)  # noqa: B023
        print(
            f"{name}: 32 together cost {8 * together / alone:.1f} single ones ({together:.2f} s)", flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", help="Python of an environment with curvlinops-for-pytorch and scipy")
    parser.add_argument("--parts", default="top,measures,stacks")
    parser.add_argument("--networks", default="MLP,CNN", help="for `measures`")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    chosen = options.parts.split(",")
    if "top" in chosen:
        top(options.rounds, options.peers)
    if "measures" in chosen:
        measures(options.networks.split(","))
    if "stacks" in chosen:
        stacks(options.rounds)
