"""Laplace's approximation against laplace-torch: CPU time of one fit, one thread, in one run.

`python benchmarks/measures_evidence.py [PEER]`; PEER is the python of an environment with laplace-torch (0.3) and
torch, `/tmp/peers/bin/python` unless said. Peers run as processes of their own between two of ours, each the best of
three; without one only our figures are printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import torch

EXAMPLES, CLASSES = 2000, 10

PEER = """
import json, sys, time, warnings
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock
for name in ["torchvision"] + ["torchvision." + part for part in ("models", "datasets", "transforms", "ops", "utils")]:
    sys.modules[name] = MagicMock(__spec__=ModuleSpec(name, None), __version__="0.28.0", __path__=[])  # not needed
warnings.filterwarnings("ignore")
import torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)
from laplace import Laplace
kind, structure = sys.argv[1:]
if kind == "mlp":
    net, shape = nn.Sequential(nn.Linear(64, 256), nn.Tanh(), nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 64),
                               nn.Tanh(), nn.Linear(64, 10)), (64,)
else:
    net, shape = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2),
                               nn.Conv2d(16, 32, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
                               nn.Linear(512, 187), nn.Tanh(), nn.Linear(187, 10)), (1, 16, 16)
x, y = torch.randn(2000, *shape), torch.randint(0, 10, (2000,))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=500)
times = []
for _ in range(3 if structure == "kron" else 1):
    model = Laplace(net, "classification", subset_of_weights="all", hessian_structure=structure)
    start = time.process_time()
    model.fit(loader)
    float(model.log_marginal_likelihood())
    times.append(time.process_time() - start)
print(json.dumps([min(times), sum(p.numel() for p in net.parameters())]))
"""


def runs(kind: str) -> object:
    """An untrained network on random data: times do not depend on either."""
    from gendsl_runtime.data import Dataset, Split
    from gendsl_runtime.models.cnn import cnn
    from gendsl_runtime.models.mlp import mlp
    from gendsl_runtime.runs import Runs

    if kind == "mlp":
        shape, network = (64,), mlp((64,), CLASSES, hidden=[256, 256, 64], activation="tanh")
    else:
        shape = (1, 16, 16)
        network = cnn(shape, CLASSES, channels=[16, 32], hidden=[187], activation="tanh", pool="average")
    stream = torch.Generator().manual_seed(0)
    inputs = torch.randn(EXAMPLES, *shape, generator=stream)
    labels = torch.randint(0, CLASSES, (EXAMPLES,), generator=stream)
    data = Dataset({"train": Split(inputs, labels)}, "classification", shape, CLASSES)
    return Runs(network, network.init([0]), (data,), (0,), torch.nn.functional.cross_entropy)


def fastest(work: Callable[[], object], times: int = 3) -> float:
    """CPU seconds."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def peer(python: str, kind: str, structure: str) -> float | None:
    """CPU seconds of laplace-torch; None where it does not run."""
    done = subprocess.run(
        [python, "-c", PEER, kind, structure],
        capture_output=True,
        text=True,
        env={"OMP_NUM_THREADS": "1", "PATH": ""},
        check=False,
    )
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:])
        return None
    return float(json.loads(done.stdout)[0])


def main() -> None:
    from gendsl_runtime.measures.laplace import laplace

    torch.set_num_threads(1)
    python = sys.argv[1] if len(sys.argv) > 1 else "/tmp/peers/bin/python"
    for kind in ("mlp", "cnn"):
        stack = runs(kind)
        for structure, theirs in (("kronecker", "kron"), ("diagonal", "")):

            def work(stack: object = stack, structure: str = structure) -> float:
                (found,) = laplace(stack, on="train", structure=structure, precision=1.0, noise=1.0)
                return found.log_evidence

            before = fastest(work)
            other = peer(python, kind, theirs) if theirs else None
            ours = min(before, fastest(work))
            ratio = f", laplace-torch {other:.2f} s, ratio {ours / other:.2f}" if other else ""
            print(f"{kind} {structure}: {ours:.2f} s{ratio}", flush=True)


if __name__ == "__main__":
    main()
