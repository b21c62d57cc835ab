"""Results on disk: `results.json` and tidy Parquet tables, from which the same datasets come back.

Each analysis has one table for each set of own axes among its quantities: `vol.parquet` for one row a node,
`vol.ray.parquet` for one row a node and ray. A table has a column for each axis (its labels; for a tuple axis
also one for each part) and for each quantity; rows are in C order over the axes. `results.json` holds all
else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from gendsl.spec import Spec
from gendsl_runtime.claims.verdict import Verdict
from gendsl_runtime.draft import write_whole
from gendsl_runtime.json_numbers import loose, strict
from gendsl_runtime.problem import Problem
from gendsl_runtime.record import Failure, RunRecord, StepRecord
from gendsl_runtime.results import Results
from gendsl_runtime.saved import file_digest

FORMAT = 1
SCALAR_ROWS = 1000
"""Analyses with more nodes than this are in the Parquet tables only, not also as rows in `results.json`."""


def save(results: Results, folder: Path) -> list[Path]:
    """Write the results into `folder`; returns the files, `results.json` (written last, at once) first."""
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[dict[str, Any]]] = {}
    files = []
    for name, dataset in results.items():
        tables[name] = []
        for dims, variables in _groups(dataset).items():
            own = [dim for dim in dims if dim not in results.spec.steps[name].axes]
            path = folder / f"{'.'.join([name, *own])}.parquet"
            pq.write_table(_table(dataset, dims, variables), path, compression="zstd")
            files.append(path)
            tables[name].append(_described(dataset, dims, variables, file=path.name))
    content = {
        "format": FORMAT,
        "spec": results.spec.model_dump(mode="json"),
        "verdicts": [verdict.record() for verdict in results.verdicts],
        "scalars": {name: rows for name, dataset in results.items() if (rows := _scalars(dataset))},
        "failures": [asdict(failure) for failure in results.failures],
        "record": asdict(results.record) if results.record else None,
        "tables": tables,
        "attributes": {name: dataset.attrs for name, dataset in results.items()},
        "files": {file.name: file_digest(file) for file in files},
    }
    path = folder / "results.json"
    write_whole(path, json.dumps(strict(content), indent=1, allow_nan=False).encode())
    return [path, *files]


def load(folder: Path) -> Results:
    """The results that `save` wrote into `folder`.

    Raises:
        Problem: `run-damaged` where they are not what was written, `run-newer` where a later version wrote them.
    """
    try:
        content = loose(json.loads((folder / "results.json").read_bytes()))
        if content["format"] > FORMAT:
            raise _newer(folder)
        return _restored(content, folder)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Problem(
            "run-damaged",
            f"the results of the run in {folder} cannot be read: {_first_line(error)}",
            help="run its spec again: what is stored is not computed again",
        ) from error


def _newer(folder: Path) -> Problem:
    return Problem(
        "run-newer",
        f"the run in {folder} was written by a newer GenDSL",
        help="update GenDSL, or run its spec again",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _restored(content: dict[str, Any], folder: Path) -> Results:
    datasets = {
        name: _dataset(folder, tables, content["attributes"][name])
        for name, tables in content["tables"].items()
    }
    record = content["record"]
    return Results(
        spec=Spec.model_validate(content["spec"]),
        datasets=datasets,
        failures=_failures(content["failures"]),
        record=_record(record) if record else None,
        verdicts=tuple(Verdict.restored(verdict) for verdict in content["verdicts"]),
    )


def _groups(dataset: xr.Dataset) -> dict[tuple[str, ...], list[str]]:
    """Quantities by their dimensions."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, variable in dataset.data_vars.items():
        groups.setdefault(tuple(map(str, variable.dims)), []).append(str(name))
    return groups


def _along(dataset: xr.Dataset, dims: Sequence[str]) -> dict[str, str]:
    """Every coordinate of these dimensions, and the dimension it lies along."""
    return {
        str(name): str(coordinate.dims[0])
        for name, coordinate in dataset.coords.items()
        if coordinate.ndim == 1 and coordinate.dims[0] in dims
    }


def _table(dataset: xr.Dataset, dims: tuple[str, ...], variables: Sequence[str]) -> pa.Table:
    shape = tuple(dataset.sizes[dim] for dim in dims)
    columns: dict[str, pa.Array] = {}
    for name, dim in _along(dataset, dims).items():
        place = dims.index(dim)
        inner, outer = math.prod(shape[place + 1 :]), math.prod(shape[:place])
        codes = np.tile(np.repeat(np.arange(shape[place], dtype=np.int32), inner), outer)
        labels = dataset[name].values
        columns[name] = (
            pa.DictionaryArray.from_arrays(codes, pa.array(labels.tolist(), pa.string()))
            if labels.dtype.kind in "UO"
            else pa.array(labels[codes])
        )
    for name in variables:
        columns[name] = pa.array(np.ascontiguousarray(dataset[name].values).reshape(-1))
    return pa.table(columns)


def _described(
    dataset: xr.Dataset, dims: tuple[str, ...], variables: Sequence[str], *, file: str
) -> dict[str, Any]:
    shape = [dataset.sizes[dim] for dim in dims]
    coordinates: dict[str, dict[str, Any]] = {}
    for name, dim in _along(dataset, dims).items():
        coordinates[name] = {"along": dim, "attributes": dataset[name].attrs}
        if 0 in shape:
            coordinates[name]["labels"] = dataset[name].values.tolist()
    quantities = {name: dataset[name].attrs for name in variables}
    return {"file": file, "dims": dims, "shape": shape, "coordinates": coordinates, "quantities": quantities}


def _dataset(folder: Path, tables: Sequence[Mapping[str, Any]], attributes: Mapping[str, Any]) -> xr.Dataset:
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for entry in tables:
        table = pq.read_table(folder / entry["file"])
        dims, shape = entry["dims"], entry["shape"]
        for name, coordinate in entry["coordinates"].items():
            labels = _labels(table[name], coordinate, dims=dims, shape=shape)
            coordinates[name] = (coordinate["along"], labels, coordinate["attributes"])
        for name, attrs in entry["quantities"].items():
            variables[name] = (dims, table[name].to_numpy().reshape(shape), attrs)
    return xr.Dataset(variables, coords=coordinates, attrs=dict(attributes))


def _labels(
    column: pa.ChunkedArray, coordinate: Mapping[str, Any], *, dims: list[str], shape: list[int]
) -> np.ndarray:
    """The labels along one dimension, from the column that repeats them (written apart if it has no rows)."""
    is_text = pa.types.is_dictionary(column.type)
    if "labels" in coordinate:
        kind = np.str_ if is_text else column.type.to_pandas_dtype()
        return np.array(coordinate["labels"], dtype=kind)
    place = dims.index(coordinate["along"])
    rows = np.arange(shape[place]) * math.prod(shape[place + 1 :])
    labels = column.take(pa.array(rows))
    return np.array(labels.to_pylist()) if is_text else labels.to_numpy()


def _scalars(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """The table without own axes as rows, for readers without Parquet; empty where it is large."""
    groups = _groups(dataset)
    if not groups:
        return []
    dims = min(groups, key=len)
    if math.prod(dataset.sizes[dim] for dim in dims) > SCALAR_ROWS:
        return []
    rows: list[dict[str, Any]] = _table(dataset, dims, groups[dims]).to_pylist()
    return rows


def _failures(records: Sequence[Mapping[str, Any]]) -> tuple[Failure, ...]:
    return tuple(Failure(**failure) for failure in records)


def _record(record: Mapping[str, Any]) -> RunRecord:
    steps = tuple(StepRecord(**{**step, "inputs": tuple(step["inputs"])}) for step in record["steps"])
    command, failures = tuple(record["command"]), _failures(record["failures"])
    return RunRecord(**{**record, "command": command, "steps": steps, "failures": failures})
