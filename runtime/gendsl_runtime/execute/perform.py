"""Performs a task: reads what it needs by digest, calls the component, returns one payload for each node."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch

from gendsl.spec import Component, Quantity, Value
from gendsl_runtime import components
from gendsl_runtime.arguments import call, plain
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.phantom import outline
from gendsl_runtime.execute import gathered, python
from gendsl_runtime.execute.task import Broken, Input, Node, Outcome, Task
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import is_about_memory, told
from gendsl_runtime.store.checkpoints import Checkpoints, Done
from gendsl_runtime.store.payload import pack, unpack
from gendsl_runtime.train import artifact
from gendsl_runtime.train.checkpoint import Keeper
from gendsl_runtime.train.fitted import Diverged
from gendsl_runtime.train.glimpse import Glimpse, Glimpses
from gendsl_runtime.train.loop import train
from gendsl_runtime.train.member import Member

TOO_LARGE = "out-of-memory"
KEPT = 64
"""Datasets that stay in memory although no member uses them."""

Progress = Callable[[float | Glimpse], None]
"""Told the share of the task that is done, and in a training how its losses go."""


class Performer:
    """Performs tasks in this process; the datasets used last stay in memory from one task to the next."""

    def __init__(self, fetch: Callable[[str], bytes], checkpoints: Checkpoints | None = None) -> None:
        """With `checkpoints`, trainings go on from there and leave their own; without, they begin anew."""
        self.fetch, self._checkpoints = fetch, checkpoints
        self._datasets: WeakValueDictionary[str, Dataset] = WeakValueDictionary()
        self._last_used: deque[Dataset] = deque(maxlen=KEPT)
        self._outlines: dict[str, Dataset] = {}

    def dataset(self, digest: str) -> Dataset:
        """The dataset with this digest; in memory only once, however many members use it."""
        data = self._datasets.get(digest)
        if data is None:
            data = self._datasets[digest] = Dataset.unpack(self.fetch(digest))
        self._last_used.append(data)
        return data

    def perform(self, task: Task, progress: Progress) -> list[Outcome]:
        """Results in the order of the nodes; a fault is a `Broken` for every node it keeps from a result.

        A stack that does not fit into memory is done in halves, down to single members.
        """
        outcomes = self._tried(task, progress)
        is_large = any(isinstance(one, Broken) and one.code == TOO_LARGE for one in outcomes)
        if not is_large or len(task.nodes) == 1:
            return outcomes
        half = len(task.nodes) // 2
        first, second = (
            task.model_copy(update={"nodes": nodes}) for nodes in (task.nodes[:half], task.nodes[half:])
        )
        share = half / len(task.nodes)
        return [
            *self.perform(first, _within(progress, 0.0, share)),
            *self.perform(second, _within(progress, share, 1.0)),
        ]

    def _tried(self, task: Task, progress: Progress) -> list[Outcome]:
        """What comes of a task; where the memory does not do, every node is `TOO_LARGE`."""
        work = {"dataset": self._make, "train": self._train, "analysis": self._analyse}[task.kind]
        try:
            return work(task, progress)
        except Problem as problem:
            broken = Broken(code=problem.code, reason=problem.message, help=problem.help)
        except (MemoryError, torch.OutOfMemoryError):
            broken = _too_large(task)
        except (Exception, SystemExit) as error:  # a component's fault must not end the other tasks
            if is_about_memory(error):
                return [_too_large(task)] * len(task.nodes)
            broken = Broken(code="component-failed", reason=told(error, task.component))
        return [broken] * len(task.nodes)

    def member(self, node: Node) -> Member:
        """The training that a node of kind `train` describes."""
        member = self.outline(node)
        init = node.inputs.get("init")
        state = None if init is None else self._state(init, node.arguments["init"])
        return replace(member, data=self.dataset(node.inputs["dataset"].digest), init=state)

    def trained(self, source: Input) -> Member:
        """The training that a stored run came from."""
        assert source.trained is not None
        return self.member(source.trained)

    def done(self, nodes: Iterable[Node]) -> dict[str, Done]:
        """How far those trainings are that have a checkpoint, by their keys."""
        return self._checkpoints.done(node.key for node in nodes) if self._checkpoints else {}

    def outline(self, node: Node) -> Member:
        """The same without what takes memory: its data are a phantom, and it starts from no state."""
        digest = node.inputs["dataset"].digest
        if digest not in self._outlines:
            self._outlines[digest] = outline(self.dataset(digest))
        return outlined(node.arguments, self._outlines[digest], bytes.fromhex(digest))

    def _state(self, source: Input, value: Value) -> Any:
        return artifact.state(self.fetch(source.digest), epoch=gathered.epoch(value))

    def _make(self, task: Task, progress: Progress) -> list[Outcome]:
        results: list[Outcome] = []
        for done, node in enumerate(task.nodes):
            if task.code is not None:
                made = python.dataset(task.code, self._arguments(node))
            else:
                function = components.load("dataset", task.component)
                made = call(function, self._arguments(node)).checked(task.component)
            results.append(made.pack())
            progress((done + 1) / len(task.nodes))
        return results

    def _arguments(self, node: Node) -> dict[str, Any]:
        def feed(value: Value, path: str) -> Any:
            if isinstance(value, Component):
                return value
            source = node.inputs[path]
            if source.kind == "dataset":
                return self.dataset(source.digest)
            assert isinstance(value, Quantity)
            return torch.from_numpy(unpack(self.fetch(source.digest))[0][value.name])

        return {name: plain(value, name, feed) for name, value in node.arguments.items()}

    def _train(self, task: Task, progress: Progress) -> list[Outcome]:
        members = [self.member(node) for node in task.nodes]
        total = max(1, sum(member.steps for member in members))
        keys, keeper = [node.key for node in task.nodes], None
        if self._checkpoints is not None and all(keys):
            keeper = Keeper(self._checkpoints, keys, device=task.device)
        glimpses = Glimpses(total, progress)
        fitted = train(
            members,
            device=task.device,
            dtype=torch.float32,
            tell=lambda steps: progress(steps / total),
            keeper=keeper,
            glimpses=glimpses,
        )
        glimpses.rest()
        return [
            Broken(code=one.code, reason=one.told) if isinstance(one, Diverged) else artifact.pack(one)
            for one in fitted
        ]

    def _analyse(self, task: Task, progress: Progress) -> list[Outcome]:
        arguments, count = gathered.arguments(task, self), len(task.nodes)
        if task.code is not None:
            result, gives = python.analysis(task.code, arguments, members=count)
        else:
            result = call(components.load("analysis", task.component), arguments)
            gives = tuple(components.catalogue().components["analysis", task.component].facts["gives"])
        progress(1.0)
        return payloads(task.component, result, gives=gives, members=count)


def outlined(arguments: Mapping[str, Value], data: Dataset, data_digest: bytes) -> Member:
    """The training that these arguments describe, on these data, from fresh weights."""
    given = {name: plain(value, name, _keep) for name, value in arguments.items() if name != "dataset"}
    return Member(data=data, data_digest=data_digest, **{**given, "init": None})


def _too_large(task: Task) -> Broken:
    return Broken(
        code=TOO_LARGE,
        reason=f"`{task.component}` needs more memory than there is",
        help="make the model, the batch or the dataset smaller",
    )


def payloads(
    component: str, result: Mapping[str, Any], *, gives: Sequence[str], members: int
) -> list[Outcome]:
    """One payload for each member.

    What is not a quantity holds coordinates, the same for all members unless given as a list, one array each.
    """
    missing = sorted(set(gives) - set(result))
    if missing:
        raise Problem("component-failed", f"`{component}` promises {', '.join(missing)} and does not give it")
    own = {name for name, value in result.items() if name in gives or isinstance(value, list)}
    arrays: dict[str, Sequence[np.ndarray] | np.ndarray] = {
        name: [_array(one) for one in value] if isinstance(value, list) else _array(value)
        for name, value in result.items()
    }
    for name in own:
        if len(arrays[name]) != members:
            reason = f"`{component}` gives {len(arrays[name])} values of {name} for {members} runs"
            raise Problem("component-failed", reason)
    return [
        pack({name: _array(array[place] if name in own else array) for name, array in arrays.items()}, {})
        for place in range(members)
    ]


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)


def _keep(value: Value, path: str) -> Value:
    return value


def _within(progress: Progress, low: float, high: float) -> Progress:
    """Tells how far a part of the work is that lies between two shares of the whole."""

    def told(news: float | Glimpse) -> None:
        progress(news if isinstance(news, Glimpse) else low + (high - low) * news)

    return told
