"""The results of a run, as labelled arrays: one `xarray.Dataset` for each analysis of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import xarray as xr

from gendsl.spec import Axis, Quantity, Spec, Step
from gendsl_runtime.record import Failure, RunRecord

if TYPE_CHECKING:
    from gendsl_runtime.claims.verdict import Verdict

Payload: TypeAlias = Mapping[str, np.ndarray]
Gives: TypeAlias = Mapping[str, tuple[str, tuple[str, ...]]]
"""The quantities of an analysis: unit and own axes of each."""


@dataclass(frozen=True, eq=False)
class Results(Mapping[str, xr.Dataset]):
    """What an experiment gave. `results["vol"]` is the dataset of the analysis `vol`.

    Dimensions are the step's axes and the quantity's own axes, coordinates their labels; a missing node is
    NaN and listed in `failures`; `attrs["unit"]` of a variable is its unit.
    """

    spec: Spec
    datasets: Mapping[str, xr.Dataset]
    failures: tuple[Failure, ...] = ()
    record: RunRecord | None = None
    verdicts: tuple[Verdict, ...] = ()

    def __getitem__(self, name: str) -> xr.Dataset:
        if name not in self.datasets:
            raise KeyError(f"no analysis `{name}` here; there are: {', '.join(self.datasets) or 'none'}")
        return self.datasets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.datasets)

    def __len__(self) -> int:
        return len(self.datasets)

    def quantity(self, quantity: Quantity) -> xr.DataArray:
        """The values of one quantity, also where its variable had to give way to an axis of the same name."""
        dataset = self[quantity.step]
        return dataset[variable_name(quantity.name, taken=dataset.coords)]


def variable_name(name: str, *, taken: Any) -> str:
    """The name of a quantity's variable: its own, with an underscore where a coordinate is called so."""
    return f"{name}_" if name in taken else name


def collect(
    spec: Spec,
    nodes: Mapping[str, Sequence[Payload | None]],
    failures: Sequence[Failure] = (),
    record: RunRecord | None = None,
    *,
    gives: Mapping[str, Gives] | None = None,
) -> Results:
    """The results of the analysis steps in `nodes`.

    Args:
        nodes: for each analysis step its payloads, in C order over the step's axes; None where a node failed.
            A payload holds one array a quantity, over the quantity's own axes, and coordinates of own axes.
        gives: for each analysis component its quantities, `{"radius": ("1", ("ray",))}`; read from the
            catalogue when left out.

    Own axes of unequal length or labels (runs that stopped at different epochs) are joined over the union of
    their labels, NaN elsewhere.
    """
    datasets = {
        name: _dataset(spec, spec.steps[name], payloads, _gives(spec.steps[name], gives))
        for name, payloads in nodes.items()
    }
    return Results(spec, datasets, tuple(failures), record)


def _gives(step: Step, given: Mapping[str, Gives] | None) -> Gives:
    if given is not None:
        return given.get(step.component, {})
    from gendsl_runtime.components import described

    found = described("analysis", step.component, step.code)
    return found.gives if found else {}


def _dataset(spec: Spec, step: Step, payloads: Sequence[Payload | None], gives: Gives) -> xr.Dataset:
    axes = [spec.axes[name] for name in step.axes]
    shape = tuple(len(axis.values) for axis in axes)
    if len(payloads) != int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"{step.name}: {len(payloads)} nodes for axes of {shape}")
    coordinates: dict[str, Any] = {}
    for axis in axes:
        coordinates |= axis_coordinates(axis)
    own = _own_coordinates(payloads, gives)
    coordinates |= {name: (name, labels) for name, labels in own.items() if name not in coordinates}
    variables = {}
    for name, (unit, own_axes) in gives.items():
        values = _stacked(payloads, name, own_axes, own)
        values = values.reshape(shape + values.shape[1:])
        key = variable_name(name, taken=coordinates)
        variables[key] = ((*step.axes, *own_axes), values, {"unit": unit})
    return xr.Dataset(variables, coords=coordinates, attrs={"component": step.component})


def axis_coordinates(axis: Axis) -> dict[str, Any]:
    """The xarray coordinates of an axis: its labels; for a tuple axis also one coordinate a part along it."""
    attributes = {"unit": axis.unit} if axis.unit else {}
    if not axis.parts:
        return {axis.name: (axis.name, _label_array(axis.labels), attributes)}
    texts = np.array([", ".join(map(str, _parts(label))) for label in axis.labels])
    coordinates: dict[str, Any] = {axis.name: (axis.name, texts)}
    for place, part in enumerate(axis.parts):
        coordinates[part] = (axis.name, _label_array([_parts(label)[place] for label in axis.labels]))
    return coordinates


def _parts(label: Any) -> tuple[Any, ...]:
    return label if isinstance(label, tuple) else (label,)


def _label_array(labels: Sequence[Any]) -> np.ndarray:
    """Numbers stay numbers; anything else is text."""
    if labels and all(isinstance(label, int | float) and not isinstance(label, bool) for label in labels):
        return np.array(labels)
    return np.array([str(label) for label in labels], dtype=np.str_)


def _own_coordinates(payloads: Sequence[Payload | None], gives: Gives) -> dict[str, np.ndarray]:
    """For each own axis the union of its labels over all nodes."""
    found: dict[str, dict[bytes, np.ndarray]] = {}
    for name, (_, axes) in gives.items():
        for place, axis in enumerate(axes):
            distinct = found.setdefault(axis, {})
            for payload in payloads:
                if payload is not None and name in payload:
                    labels = _labels(payload, axis, payload[name].shape[place])
                    distinct.setdefault(labels.tobytes(), labels)
    return {axis: union(list(distinct.values())) for axis, distinct in found.items()}


def union(distinct: Sequence[np.ndarray]) -> np.ndarray:
    """All labels of these rows, numbers ascending; texts in an order that each row has them in, where there is one:
    a text goes before the first one that follows it in its own row and is there already."""
    if not distinct:
        return np.arange(0)
    if len(distinct) == 1:
        return distinct[0]
    if any(labels.dtype.kind != "U" for labels in distinct):
        return np.unique(np.concatenate(distinct))
    ordered: list[str] = []
    for labels in distinct:
        place = len(ordered)
        for label in reversed(labels.tolist()):
            if label in ordered:
                place = ordered.index(label)
            else:
                ordered.insert(place, label)
    return np.array(ordered, dtype=np.str_)


def _labels(payload: Payload, axis: str, length: int) -> np.ndarray:
    """The payload's labels of an own axis; places from 0 where it gives none."""
    return np.asarray(payload[axis]) if axis in payload else np.arange(length)


def _stacked(
    payloads: Sequence[Payload | None], name: str, axes: tuple[str, ...], own: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The quantity of all nodes, `(nodes, *own axes)`, NaN where there is none."""
    shape = tuple(len(own[axis]) for axis in axes)
    present = [payload[name] for payload in payloads if payload is not None and name in payload]
    if len(present) == len(payloads) and all(array.shape == shape for array in present):
        whole = np.array(present).reshape(len(payloads), *shape)
        if all(_is_same_labels(payloads, axis, own[axis]) for axis in axes):
            return whole
    kind = (
        np.result_type(*{array.dtype for array in present}, np.float32) if present else np.dtype(np.float64)
    )
    values = np.full((len(payloads), *shape), np.nan, dtype=kind)
    for place, payload in enumerate(payloads):
        if payload is not None and name in payload:
            array = payload[name]
            where = [_places(payload, axis, own[axis], array.shape[k]) for k, axis in enumerate(axes)]
            values[place, ...][np.ix_(*where)] = array
    return values


def _places(payload: Payload, axis: str, whole: np.ndarray, length: int) -> np.ndarray:
    """Where the payload's labels of an own axis stand among all of them."""
    labels = _labels(payload, axis, length)
    if np.array_equal(labels, whole):
        return np.arange(length)
    order = np.argsort(whole, kind="stable")
    found: np.ndarray = order[np.searchsorted(whole, labels, sorter=order)]
    return found


def _is_same_labels(payloads: Sequence[Payload | None], axis: str, labels: np.ndarray) -> bool:
    return all(
        payload is None or axis not in payload or np.array_equal(payload[axis], labels)
        for payload in payloads
    )
