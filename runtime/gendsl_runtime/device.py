"""Which kind of device computes."""

from __future__ import annotations

import os
from importlib import metadata

from gendsl_runtime.problem import Problem


def chosen_device(device: str) -> str:
    """`cpu` or `cuda`; `auto` is a GPU where there is one. Imports torch only if it could use a GPU."""
    if device == "cpu":
        return device
    has_gpu = _has_gpu()
    if device == "cuda" and not has_gpu:
        raise Problem("no-device", "no CUDA device is available here", help="use `--device cpu`")
    return "cuda" if has_gpu else "cpu"


def reproducible(device: str) -> None:
    """What the numerics class of a GPU says: products in full precision, and no operation whose result depends on the
    order in which its threads happen to end; torch refuses one that it knows no other way for."""
    if device.split(":")[0] != "cuda":
        return
    import torch

    # cuBLAS reads it when it is first used (NVIDIA, "cuBLAS", section 2.1.4).
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True)
    # Memory that is written before it is read need not be filled first.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _has_gpu() -> bool:
    if metadata.version("torch").endswith("+cpu"):
        return False
    import torch

    return torch.cuda.is_available()
