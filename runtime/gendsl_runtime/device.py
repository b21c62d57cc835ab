"""Which kind of device computes."""

from __future__ import annotations

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


def _has_gpu() -> bool:
    if metadata.version("torch").endswith("+cpu"):
        return False
    import torch

    return torch.cuda.is_available()
