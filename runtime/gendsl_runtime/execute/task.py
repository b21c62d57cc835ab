"""A unit of work as plain data: what to compute and the digests of what it needs.

A task says all about its work and nothing about where it runs, so that it crosses to another process as JSON.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gendsl.spec import Code, Record, Value


class Node(Record):
    """One coordinate of a step: its arguments with no axis left, and what feeds them, by argument path."""

    arguments: dict[str, Value]
    inputs: dict[str, Input] = Field(default_factory=dict)
    key: str = ""
    """Its action key, by which a training is known in checkpoints; none for what is not to be found there."""


class Input(Record):
    """A stored result that feeds an argument; `trained` is the training it came from, where it is a run."""

    kind: Literal["dataset", "train", "analysis"]
    digest: str
    trained: Node | None = None


class Task(Record):
    """Nodes of one component, computed together: a stack of trainings, its analysis, one dataset."""

    kind: Literal["dataset", "train", "analysis"]
    component: str
    code: Code | None = None
    nodes: tuple[Node, ...]
    device: str = "cpu"


Node.model_rebuild()


class Broken(Record):
    """A node that has no result, and why, in the user's words."""

    code: str
    reason: str
    help: str | None = None


Outcome = bytes | Broken
"""The stored form of a node's result, or why there is none."""
