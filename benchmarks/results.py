"""A million rows of results: collected, written as tidy Parquet and read again, beside bare arrays.

    python benchmarks/results.py

CPU time, the best of three. The baseline, `np.savez` and `np.load`, keeps no label, unit or axis.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from gendsl.spec import Axis, Number, Spec, Step
from gendsl_runtime.archive import load, save
from gendsl_runtime.results import collect

ROWS = 500_000
GIVES = {"m": {"volume": ("nats", ()), "radius": ("1", ("ray",))}}


def seconds(work: Callable[[], object]) -> float:
    found = []
    for _ in range(3):
        start = process_time()
        work()
        found.append(process_time() - start)
    return min(found)


def main() -> None:
    axis = Axis(name="run", kind="sweep", values=(Number(value=0), Number(value=1)), labels=(0, 1))
    step = Step(name="m", kind="analysis", component="m", version=1, arguments={}, axes=("run",))
    spec = Spec(name="t", title="", path="", text="", axes={"run": axis}, steps={"m": step})
    nodes = [{"volume": np.array(0.5), "radius": np.arange(float(ROWS))} for _ in range(2)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = collect(spec, {"m": nodes}, gives=GIVES)
        arrays = {key: variable.values for key, variable in results["m"].data_vars.items()}
        print(f"collect  {1e3 * seconds(lambda: collect(spec, {'m': nodes}, gives=GIVES)):6.1f} ms")
        print(f"save     {1e3 * seconds(lambda: save(results, folder)):6.1f} ms")
        print(f"load     {1e3 * seconds(lambda: load(folder)['m'].load()):6.1f} ms")
        print(f"np.savez {1e3 * seconds(lambda: np.savez(folder / 'bare.npz', **arrays)):6.1f} ms")
        print(f"np.load  {1e3 * seconds(lambda: dict(np.load(folder / 'bare.npz'))):6.1f} ms")


if __name__ == "__main__":
    main()
