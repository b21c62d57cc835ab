"""The declarations of an experiment as a picture: what uses what, what was computed, how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gendsl import spec
from gendsl_runtime.record import StepRecord
from gendsl_runtime.report.layers import depths, layers, route
from gendsl_runtime.report.words import duration
from gendsl_runtime.results import Results

WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 158, 52, 56, 16, 12


@dataclass(frozen=True)
class Node:
    """One declaration in its place; `state` is `computed`, `cached`, `failed`, `claim` or `figure`."""

    name: str
    detail: str
    foot: str
    state: str
    x: float
    y: float
    tip: str
    key: str
    """Its whole name."""


@dataclass(frozen=True)
class Graph:
    """The picture: boxes and curves, in pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[str, ...]
    """SVG paths."""
    width: float
    height: float

    @property
    def states(self) -> list[str]:
        """The states that occur, in a fixed order."""
        return [
            state
            for state in ("computed", "cached", "failed", "planned", "claim", "figure")
            if any(node.state == state for node in self.nodes)
        ]


def graph(results: Results) -> Graph:
    """The steps of the spec with what became of each; claims and figures after what they use."""
    experiment = results.spec
    inputs = _inputs(results)
    columns = layers(inputs)
    depth = depths(columns)
    tallest = max((len(column) for column in columns), default=0)
    places = {
        point: (
            MARGIN + layer * (WIDTH + ACROSS),
            MARGIN + (tallest - len(column)) * (HEIGHT + DOWN) / 2 + index * (HEIGHT + DOWN),
        )
        for layer, column in enumerate(columns)
        for index, point in enumerate(column)
    }
    records = {record.name: record for record in results.record.steps} if results.record else {}
    outcomes = {verdict.name: str(verdict.outcome) for verdict in results.verdicts}
    nodes = tuple(
        _node(name, experiment, records.get(name), outcomes.get(name, ""), *places[name,]) for name in inputs
    )
    edges = tuple(
        _curve([places[point] for point in route(source, target, depth)])
        for target, sources in inputs.items()
        for source in sources
    )
    width = 2 * MARGIN + len(columns) * (WIDTH + ACROSS) - ACROSS
    return Graph(nodes, edges, max(width, 0), 2 * MARGIN + tallest * (HEIGHT + DOWN) - DOWN)


def _inputs(results: Results) -> dict[str, list[str]]:
    experiment = results.spec
    known = {record.name: record.inputs for record in results.record.steps} if results.record else {}
    found: dict[str, list[str]] = {}
    for name, step in experiment.steps.items():
        used = known.get(name) or _mentioned(step.arguments.values(), experiment)
        found[name] = [use for use in used if use in experiment.steps and use != name]
    leaves = [(claim.name, [claim.left, claim.right]) for claim in experiment.claims]
    leaves += [(plot.name, list(plot.arguments.values())) for plot in experiment.plots]
    for name, values in leaves:
        used = [use for use in _mentioned(values, experiment) if use in experiment.steps]
        # What the label of an axis names (`color=run`) is no result that a figure shows.
        found.setdefault(name, [use for use in used if experiment.steps[use].kind == "analysis"])
    return found


def _mentioned(values: Iterable[spec.Value], experiment: spec.Spec) -> list[str]:
    """Each step once, in the order of mention."""
    return list(dict.fromkeys(use for value in values for use in uses(value, experiment)))


def uses(value: spec.Value, experiment: spec.Spec) -> Iterator[str]:
    """Names of the steps that a value mentions, also through the labels of an axis it follows."""
    match value:
        case spec.Use(step=step) | spec.Quantity(step=step):
            yield step
        case spec.Coordinate(axis=axis):
            known = experiment.axes.get(axis)
            for label in known.values if known is not None else ():
                yield from uses(label, experiment)
        case spec.Component(arguments=arguments):
            for item in arguments.values():
                yield from uses(item, experiment)
        case spec.Items(items=items) | spec.Operation(operands=items) | spec.Statistic(values=items):
            for item in items:
                yield from uses(item, experiment)
        case spec.Moment(run=inner) | spec.Split(dataset=inner):
            yield from uses(inner, experiment)
        case spec.Where(subject=inner) | spec.Along(subject=inner):
            yield from uses(inner, experiment)


def _node(
    name: str, experiment: spec.Spec, record: StepRecord | None, outcome: str, x: float, y: float
) -> Node:
    step = experiment.steps.get(name)
    if step is None:
        plot = next((plot for plot in experiment.plots if plot.name == name), None)
        state = "claim" if plot is None else "figure"
        detail = outcome or "claim" if plot is None else plot.component
        return Node(_short(name), detail, state, state, x, y, f"{state} {name}, {detail}", name)
    detail = step.component if step.component != step.kind else step.kind
    if record is None:
        return Node(
            _short(name), _short(detail), step.kind, "planned", x, y, f"{step.kind} {name}: {detail}", name
        )
    state = "failed" if record.failed else "cached" if record.computed == 0 else "computed"
    time = f" · {duration(record.seconds)}" if record.seconds >= 0.0005 else ""
    foot = f"{record.total:,} × {step.kind}{time}"
    tip = (
        f"{step.kind} {name}: {detail}, {record.total:,} in all, {record.computed:,} computed, "
        f"{record.cached:,} from the store, {record.failed:,} failed, {duration(record.seconds)}"
    )
    return Node(_short(name), _short(detail), foot, state, x, y, tip, name)


def _short(text: str, *, length: int = 19) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _curve(points: list[tuple[float, float]]) -> str:
    """From the right side of the first box to the left side of the last one, through the waypoints."""
    x, y = points[0][0] + WIDTH, points[0][1] + HEIGHT / 2
    path = [f"M{x:g} {y:g}"]
    for place, (left, top) in enumerate(points[1:], start=1):
        down = top + HEIGHT / 2
        middle = (x + left) / 2
        path.append(f"C{middle:g} {y:g} {middle:g} {down:g} {left:g} {down:g}")
        is_waypoint = place < len(points) - 1
        if is_waypoint:
            path.append(f"H{left + WIDTH:g}")
        x, y = left + WIDTH, down
    return " ".join(path)
