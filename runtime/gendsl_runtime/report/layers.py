"""Places for the nodes of a directed acyclic graph, in layers from left to right.

Layers by longest path (Sugiyama et al. 1981), long edges through waypoints, order in a layer by the mean
place of the neighbours, swept forwards and backwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import networkx as nx

SWEEPS = 8

Point = tuple[str, ...]
"""A node `(name,)`, or a waypoint `(source, target, layer)` of a long edge."""


def layers(inputs: Mapping[str, Sequence[str]]) -> list[list[Point]]:
    """Nodes and waypoints of each layer, in order from top to bottom.

    Args:
        inputs: for each node the nodes it uses; every one of them is a key too.
    """
    depth = _depths(inputs)
    columns: list[list[Point]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in inputs:
        columns[depth[node]].append((node,))
    links: dict[Point, list[Point]] = {}
    for target, sources in inputs.items():
        for source in sources:
            path = route(source, target, depth)
            for one, other in pairwise(path):
                links.setdefault(other, []).append(one)
                links.setdefault(one, []).append(other)
            for point in path[1:-1]:
                columns[int(point[2])].append(point)
    for sweep in range(SWEEPS):
        order = range(1, len(columns)) if sweep % 2 == 0 else range(len(columns) - 2, -1, -1)
        for place in order:
            beside = columns[place - 1 if sweep % 2 == 0 else place + 1]
            columns[place] = _ordered(columns[place], beside, links)
    return columns


def route(source: str, target: str, depth: Mapping[str, int]) -> list[Point]:
    """An edge as points, one in each layer it crosses."""
    between = range(depth[source] + 1, depth[target])
    return [(source,), *((source, target, str(layer)) for layer in between), (target,)]


def _depths(inputs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The length of the longest path to each node; what is used only later is moved next to its first use."""
    graph = nx.DiGraph([(source, node) for node, sources in inputs.items() for source in sources])
    graph.add_nodes_from(inputs)
    depth = {node: place for place, nodes in enumerate(nx.topological_generations(graph)) for node in nodes}
    users: dict[str, list[int]] = {}
    for node, sources in inputs.items():
        for source in sources:
            users.setdefault(source, []).append(depth[node])
    return {
        node: min(users[node]) - 1 if not inputs[node] and node in users else place
        for node, place in depth.items()
    }


def depths(columns: Sequence[Sequence[Point]]) -> dict[str, int]:
    """The layer of each node."""
    return {point[0]: place for place, column in enumerate(columns) for point in column if len(point) == 1}


def _ordered(
    column: list[Point], beside: Sequence[Point], links: Mapping[Point, Sequence[Point]]
) -> list[Point]:
    place = {point: index for index, point in enumerate(beside)}
    own = {point: index for index, point in enumerate(column)}

    def middle(point: Point) -> float:
        near = [place[other] for other in links.get(point, ()) if other in place]
        return sum(near) / len(near) if near else float(own[point])

    return sorted(column, key=lambda point: (middle(point), own[point]))
