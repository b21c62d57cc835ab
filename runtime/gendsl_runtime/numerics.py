"""The numerical setting of the engine: fixed before torch is imported, and named in every key.

`MKL_CBWR=AVX2,STRICT` makes MKL's products independent of alignment, batch count and thread count, which is
what lets a member keep its bits whatever it is stacked with. MKL reads it once, when torch loads it.
"""

from __future__ import annotations

import os
from functools import cache

NUMERICS = 2
"""Version of the engine's arithmetic: raised whenever the same specification may give other bits."""

REPRODUCIBLE = "AVX2,STRICT"
STRICT = 0x10000
"""MKL_CBWR_STRICT of mkl_types.h."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def settle() -> None:
    """Set MKL's reproducible mode and one thread per process; imports nothing heavy.

    Parallelism comes from processes: two OpenMP threads on a small model can be twenty times slower than one.
    """
    os.environ["MKL_CBWR"] = REPRODUCIBLE
    for name in THREADS:
        os.environ[name] = "1"


def single_thread() -> None:
    """One thread for torch, also where it was imported before the environment was set.

    Two threads share out a single product and not a batch of them, so that M = 1 would get other bits than M
    = 2.
    """
    import torch

    torch.set_num_threads(1)


@cache
def mode() -> str:
    """What MKL does, as it says itself: `strict`, `free`, or `absent` where torch has no MKL to ask."""
    import ctypes
    from pathlib import Path

    import torch

    try:
        library = ctypes.CDLL(str(next(Path(torch.__file__).parent.glob("lib/libtorch_cpu.*"))))
        return "strict" if library.mkl_serv_cbwr_get(-1) & STRICT else "free"
    except (StopIteration, OSError, AttributeError):
        return "absent"


def numerics(device: str = "cpu", dtype: str = "float32") -> str:
    """The numerics class that enters keys: results of two classes are never taken for each other.

    Engine version, torch's major and minor version, dtype, kind of device (`cuda:1` is `cuda`) and, on the
    CPU, MKL's mode; on a GPU what `device.reproducible` sets. Needs no torch import.
    """
    from importlib import metadata  # 25 ms that `gen validate` need not spend

    torch = ".".join(metadata.version("torch").split("+")[0].split(".")[:2])
    kind = device.split(":")[0]
    mode = {"cpu": f";mkl={REPRODUCIBLE}", "cuda": ";tf32=off;algorithms=deterministic"}.get(kind, "")
    return f"engine={NUMERICS};torch={torch};dtype={dtype};device={kind}{mode}"
