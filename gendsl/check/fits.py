"""Whether parts go together: a model and its data, a loss and its task, an analysis and its runs."""

from __future__ import annotations

from collections.abc import Iterator

from gendsl import tree
from gendsl.catalogue.description import Description
from gendsl.catalogue.types import RUNS
from gendsl.check import facts
from gendsl.check.drafts import Draft
from gendsl.check.facts import Facts
from gendsl.check.faults import Place
from gendsl.check.scope import Given, World
from gendsl.spec import Choice, Component, Nothing, Operation, Split, Value

LOSSES = {"classification": "cross_entropy", "labelling": "cross_entropy", "regression": "mse"}
"""The loss where none is given."""
A_TASK = {"classification": "a classification", "labelling": "a labelling", "regression": "a regression"}
LABELS = "labels"
"""What classifications and labellings have."""


def _place(draft: Draft, *parameters: str) -> Place:
    """Where the first of the parameters that is written down stands."""
    for name in parameters:
        field = draft.fields.get(name)
        if field is not None:
            return field.value.place if isinstance(field.value, Given) else field.key
    return draft.place


def train(world: World, draft: Draft, arguments: dict[str, Value]) -> None:
    """Checks a training run, and fills in the loss its task asks for."""
    data = facts.of(world, arguments["dataset"])
    for found in data:
        for model in _within(world, arguments["model"], "model"):
            _model(world, draft, model, found)
    tasks = {found.task for found in data}
    if isinstance(arguments.get("loss"), Nothing):
        _default_loss(world, draft, arguments, tasks)
    else:
        _loss(world, draft, arguments, data)
    _stop(world, draft, arguments, data)
    _batch(world, draft, arguments)
    if any(found.splits is not None and "train" not in found.splits for found in data):
        world.faults.fail("unknown-split", "this data has no split `train`", _place(draft, "dataset"))


def _sides(shape: tuple[int | None, ...]) -> str:
    """A shape in words: `3 x 32 x 32`, `2 numbers`."""
    words = " x ".join("?" if side is None else str(side) for side in shape)
    return f"{words} numbers" if len(shape) == 1 else words


def _model(world: World, draft: Draft, model: Component, found: Facts) -> None:
    reason = _misfit(world.description(model), found)
    if reason is not None:
        world.faults.fail(
            "wrong-shape",
            reason,
            _place(draft, "model"),
            also=((_place(draft, "dataset"), f"examples of {_examples(found)}"),),
        )


def _misfit(model: Description, found: Facts) -> str | None:
    """Why a model cannot take these data; None where it can, or where that is not known before the run."""
    takes, smallest = model.facts.get("takes", "any"), model.facts.get("smallest", 1)
    shape, words = found.shape, _examples(found)
    if takes == "unknown":
        return None
    answers = model.facts.get("answers", "examples")
    if found.task is not None and (found.task == "labelling") != (answers == "places"):
        own, asked = ("each place of an example", "each example")[:: 1 if answers == "places" else -1]
        return f"`{model.name}` answers for {own}, and this data asks about {asked}"
    if found.inputs == "tokens":
        return None if takes == "sequence" else f"`{model.name}` takes numbers, and this data has tokens"
    if shape is None or takes == "any":
        return None
    if takes == "sequence" and len(shape) == 1 and found.inputs == "numbers":
        return f"`{model.name}` takes sequences, and this data has examples of {words}"
    if takes == "image" and len(shape) != 3:
        return f"`{model.name}` takes images, and this data has examples of {words}"
    if takes == "vector" and len(shape) != 1:
        return f"`{model.name}` takes vectors, and this data has examples of {words}"
    if takes == "image" and any(side is not None and side < smallest for side in shape[1:]):
        return f"`{model.name}` takes images of at least {smallest} pixels a side; these are {words}"
    return None


def _examples(found: Facts) -> str:
    """What an example is, in words: `3 x 32 x 32`, `2 numbers`, `3 tokens`."""
    if found.inputs != "tokens":
        return _sides(found.shape or (None,))
    steps = found.shape[0] if found.shape else None
    return "tokens" if steps is None else f"{steps} tokens"


def _default_loss(world: World, draft: Draft, arguments: dict[str, Value], tasks: set[str | None]) -> None:
    if len(tasks) > 1:
        world.faults.fail(
            "missing-field",
            "this run has data of different tasks, so it needs a `loss` of its own",
            draft.place,
            also=((_place(draft, "dataset"), " and ".join(sorted(A_TASK[task] for task in tasks if task))),),
        )
    task = next(iter(tasks), None)
    described = world.catalogue.find("loss", LOSSES.get(task or "", ""))
    if described is not None:
        from gendsl.check.components import built

        arguments["loss"] = built(world, Draft(described, draft.place, {}), step="loss")


def _loss(world: World, draft: Draft, arguments: dict[str, Value], data: list[Facts]) -> None:
    for loss in facts.components(world, arguments["loss"]):
        described = world.description(loss)
        for found in data:
            place, data_place = _place(draft, "loss"), _place(draft, "dataset")
            _needs(world, draft, described, found, place, data_place)
            if found.task == "labelling" and not {"labelling", LABELS} & set(described.needs):
                message = f"`{described.name}` is no loss of a labelling"
                also = ((data_place, "a labelling"),)
                world.faults.fail("wrong-task", message, place, also=also, help="write `cross_entropy`")


def _metrics(stop: Operation) -> Iterator[str]:
    """The metrics that a stop asks about."""
    parts = stop.operands if stop.op == "and" else (stop,)
    for part in parts:
        if isinstance(part, Operation) and isinstance(part.operands[0], Choice):
            yield part.operands[0].name


def _stop(world: World, draft: Draft, arguments: dict[str, Value], data: list[Facts]) -> None:
    stop = arguments.get("stop")
    if not isinstance(stop, Operation) or all(found.task != "regression" for found in data):
        return
    metrics = list(_metrics(stop))
    counting = [name for name in metrics if name != "train_loss"]
    if not counting:
        return
    field = draft.fields["stop"].value
    place = _place(draft, "stop")
    if len(metrics) == 1 and isinstance(field, Given) and isinstance(field.expr, tree.Binary):
        place = field.spot(field.expr.left.span)
    world.faults.fail(
        "wrong-task",
        f"`{counting[0]}` counts wrong classes, and this data is a regression",
        place,
        also=((_place(draft, "dataset"), "a regression"),),
        help="write `train_loss`",
    )


def _within(world: World, value: Value, kind: str) -> Iterator[Component]:
    """The components of a kind that a value may be, and those within them."""
    for found in facts.components(world, value):
        if found.kind == kind:
            yield found
        for inner in found.arguments.values():
            yield from _within(world, inner, kind)


def _batch(world: World, draft: Draft, arguments: dict[str, Value]) -> None:
    if isinstance(arguments.get("batch"), Nothing):
        return
    for optimizer in _within(world, arguments["optimizer"], "optimizer"):
        if world.description(optimizer).facts.get("batch") == "all":
            world.faults.fail(
                "needs-whole-set",
                f"`{optimizer.name}` takes the whole training set in every step",
                _place(draft, "batch"),
                also=((_place(draft, "optimizer"), "this optimizer has no batches"),),
                help="write `batch = none`",
            )


def _needs(
    world: World, draft: Draft, described: Description, found: Facts, place: Place, data: Place
) -> None:
    """Fails where the data is known not to be what a loss or analysis needs."""
    for need in described.needs:
        is_missed = found.task != need if need in A_TASK else need == LABELS and found.task == "regression"
        if is_missed and found.task is not None:
            wanted = A_TASK["classification" if need == LABELS else need]
            message = f"`{described.name}` needs {wanted}, and this is {A_TASK[found.task]}"
            label = f"{A_TASK[found.task]}" if data != draft.place else ""
            also = ((data, label),) if label else ()
            world.faults.fail("wrong-task", message, place, also=also)
        if need in ("numbers", "plane", "image") and found.inputs == "tokens":
            world.faults.fail(
                "wrong-shape", f"`{described.name}` needs numbers, and this data has tokens", place
            )
        if need == "plane" and found.shape is not None and found.shape != (2,):
            message = (
                f"`{described.name}` needs points of a plane, and these are examples of {_sides(found.shape)}"
            )
            world.faults.fail("wrong-shape", message, place)
        if need == "image" and found.shape is not None and len(found.shape) != 3:
            message = f"`{described.name}` needs images, and these are examples of {_sides(found.shape)}"
            world.faults.fail("wrong-shape", message, place)


def analysis(world: World, draft: Draft, arguments: dict[str, Value]) -> None:
    """Checks that the runs an analysis is of are what it needs."""
    described = draft.description
    subjects = [p.name for p in described.parameters.values() if p.type.name in (*RUNS, "Dataset")]
    subjects = [name for name in subjects if not isinstance(arguments[name], Nothing)]
    for name in subjects:
        place = _place(draft, name)
        for found in facts.of(world, arguments[name]):
            step = world.steps.get(found.step)
            origin = place
            if step is not None and step.span != (0, 0):
                origin = Place(world.main.source, step.span)
            _needs(world, draft, described, found, place, origin)
    _defaults_exist(world, draft, arguments, subjects)
    own = [found for name in subjects for found in facts.of(world, arguments[name])]
    for name, value in arguments.items():
        if described.parameters[name].type.name == "SplitName":
            _same_shape(world, _place(draft, name), value, own)
            _same_task(world, draft, _place(draft, name), value, own)


def _same_shape(world: World, place: Place, value: Value, own: list[Facts]) -> None:
    """Fails where a split of other data has examples that the runs cannot take."""
    for split in facts.labels(world, value):
        for found in facts.of(world, split.dataset) if isinstance(split, Split) else ():
            for wanted in own:
                if found.shape is None or wanted.shape is None:
                    continue
                if found.inputs != wanted.inputs or not _alike(found.shape, wanted.shape):
                    world.faults.fail(
                        "wrong-shape",
                        f"the runs take examples of {_examples(wanted)}, and this split has {_examples(found)}",
                        place,
                    )


def _same_task(world: World, draft: Draft, place: Place, value: Value, own: list[Facts]) -> None:
    """Fails where an analysis that looks at targets is given those of another task."""
    if not {LABELS, *A_TASK} & set(draft.description.needs):
        return
    for split in facts.labels(world, value):
        for found in facts.of(world, split.dataset) if isinstance(split, Split) else ():
            for wanted in own:
                if found.task is None or wanted.task is None or found.task == wanted.task:
                    continue
                world.faults.fail(
                    "wrong-task",
                    f"the runs learnt {A_TASK[wanted.task]}, and this split is of {A_TASK[found.task]}",
                    place,
                )


def _alike(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> bool:
    """Whether one network may take both: some take sequences and images of any size, none other channels or numbers.

    Channels come first, those of a sequence `(steps, channels)` last.
    """
    channel = 1 if len(one) == 2 else 0
    return len(one) == len(other) and (
        not one or one[channel] == other[channel] or None in (one[channel], other[channel])
    )


def own_axes(world: World, draft: Draft, axes: tuple[str, ...]) -> None:
    """Fails where an axis of an analysis has the name of an axis of the file."""
    own = {axis for gives in draft.description.gives.values() for axis in gives.axes}
    for axis in sorted(own):
        declared = world.main.names.get(axis)
        if declared is not None and declared.word == "sweep":
            world.faults.fail(
                "duplicate-name",
                f"`{draft.what}` has an axis `{axis}` of its own, and that name is taken",
                draft.place,
                also=((declared.place, "declared here"),),
                help="give the sweep another name",
            )
        if axis in axes:
            world.faults.fail(
                "duplicate-name",
                f"`{draft.what}` has an axis `{axis}` of its own, and here it would vary along another one",
                draft.place,
                help=f"write the run without `at`: `{draft.what}` goes over all epochs",
            )


def dataset(world: World, draft: Draft, arguments: dict[str, Value]) -> None:
    """Checks that a transformation is given the data it needs, and finds the splits it has by default."""
    subjects = [p.name for p in draft.description.parameters.values() if p.type.name == "Dataset"]
    for name in subjects:
        place = _place(draft, name)
        for found in facts.of(world, arguments[name]):
            _needs(world, draft, draft.description, found, place, draft.place)
    _defaults_exist(world, draft, arguments, subjects)


def _defaults_exist(world: World, draft: Draft, arguments: dict[str, Value], subjects: list[str]) -> None:
    """A split that the signature names by default must be there as well."""
    for parameter in draft.description.parameters.values():
        value = arguments[parameter.name]
        is_default = parameter.name not in draft.fields and parameter.type.name == "SplitName"
        if not is_default or not isinstance(value, Choice):
            continue
        splits = ((name, facts.splits(world, arguments[name])) for name in subjects)
        lacking = ((name, known) for name, known in splits if known and value.name not in (*known, "fit"))
        name, known = next(lacking, ("", None))
        if known is None:
            continue
        world.faults.fail(
            "unknown-split",
            f"`{draft.what}` takes the split `{value.name}` by default, and this data has none",
            _place(draft, name),
            note=f"it has {', '.join(known)}",
            help=f"write `{parameter.name}={known[0]}`",
        )
