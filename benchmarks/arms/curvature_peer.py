"""The five largest Hessian eigenvalues by curvlinops and scipy's eigsh, for `measures_curvature.py`.

Run by the Python of an environment that has both; prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from time import process_time
from typing import Any

import torch
from curvlinops import HessianLinearOperator
from scipy.sparse.linalg import LinearOperator, eigsh


def module(layers: list[tuple[str, list[int], dict[str, torch.Tensor]]]) -> torch.nn.Module:
    made = []
    for name, shape, state in layers:
        if name == "Conv2d":
            one: torch.nn.Module = torch.nn.Conv2d(shape[0], shape[1], shape[2], padding=shape[3])
        elif name == "Linear":
            one = torch.nn.Linear(*shape)
        elif name == "MaxPool2d":
            one = torch.nn.MaxPool2d(2)
        else:
            one = getattr(torch.nn, name)()
        one.load_state_dict(state)
        made.append(one)
    return torch.nn.Sequential(*made)


def main() -> None:
    torch.set_num_threads(1)
    case: dict[str, Any] = torch.load(sys.argv[1])
    network = module(case["layers"])
    data = list(zip(torch.split(case["inputs"], 512), torch.split(case["targets"], 512), strict=True))
    spent, found, products = [], [], 0
    for _ in range(case["rounds"]):
        start = process_time()
        operator = HessianLinearOperator(
            network, torch.nn.CrossEntropyLoss(), list(network.parameters()), data,
            check_deterministic=False,
        )  # fmt: skip
        linear = operator.to_scipy()
        products = 0

        def counted(vector: Any, linear: Any = linear) -> Any:
            nonlocal products
            products += 1
            return linear @ vector

        whole = LinearOperator(linear.shape, counted, dtype=linear.dtype)
        found = sorted(eigsh(whole, k=5, which="LA", tol=1e-3)[0], reverse=True)
        spent.append(process_time() - start)
    print(
        json.dumps({"seconds": median(spent), "products": products, "eigenvalues": list(map(float, found))})
    )


if __name__ == "__main__":
    main()
