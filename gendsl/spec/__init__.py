"""The checked experiment: what `check` hands to `plan`, to the claims and to the report.

Names, `extends`, units and defaults are gone: every component carries all its parameters, every quantity is in its
base unit (percent is a share, GiB is bytes; epochs and steps keep their unit), every mention of another declaration
is a `Use`. Sweeps are still there, as axes and `Coordinate`s; `plan` resolves those.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from gendsl.source import Span


class Record(BaseModel):
    """An immutable part of a spec; serialises to JSON and back."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


# --- values ------------------------------------------------------------------------------------------------------


class Number(Record):
    """`unit` is '' for a plain number, else `epochs`, `steps`, `s`, `bytes`, `px`, `nats` ..."""

    is_: Literal["number"] = "number"
    value: int | float
    unit: str = ""


class Flag(Record):
    is_: Literal["flag"] = "flag"
    value: bool


class Text(Record):
    is_: Literal["text"] = "text"
    value: str


class Choice(Record):
    """A bare name chosen from a closed set: `activation=relu`, a split name, an axis name, a metric."""

    is_: Literal["choice"] = "choice"
    name: str


class Nothing(Record):
    is_: Literal["nothing"] = "nothing"


class InputFile(Record):
    """A file the user names; `path` is absolute. Its content digest stands for it in keys."""

    is_: Literal["file"] = "file"
    path: str


class Items(Record):
    """A list, or a tuple."""

    is_: Literal["items"] = "items"
    items: tuple[Value, ...]


class Range(Record):
    """Both ends belong to it; only in conditions (`width in 16..64`), sweeps are expanded."""

    is_: Literal["range"] = "range"
    low: float
    high: float
    step: float | None = None


class Code(Record):
    """A class or function of the user's. `path` is absolute; the fingerprint (hex SHA-256 of all it reaches) stands
    for it in keys, the path does not."""

    path: str
    name: str
    fingerprint: str


class Component(Record):
    """A component with every parameter given: a model, optimizer, schedule, loss (a dataset or analysis is a Step)."""

    is_: Literal["component"] = "component"
    kind: str
    name: str
    version: int
    arguments: dict[str, Value]
    code: Code | None = None
    neutral: dict[str, Value] = {}
    """Arguments that keys leave out while they have these values."""


class Use(Record):
    """The result of another step: a dataset, or a trained run."""

    is_: Literal["use"] = "use"
    step: str


class Moment(Record):
    """The state of a run after `epoch` epochs: `clean.at(epoch=[0, 10])`."""

    is_: Literal["moment"] = "moment"
    run: Value
    epoch: Value


class Along(Record):
    """All runs along an axis, taken together: what `over=seed` makes of the runs of an analysis."""

    is_: Literal["along"] = "along"
    subject: Value
    axis: str


class Group(Record):
    """Runs taken together, in the order of their axis, with its labels: what is left of an `Along` at a place."""

    is_: Literal["group"] = "group"
    runs: tuple[Value, ...]
    labels: tuple[str | int | float, ...]


class Split(Record):
    """One split of a dataset: `rings.test`."""

    is_: Literal["split"] = "split"
    dataset: Value
    name: str


class Quantity(Record):
    """A quantity of an analysis step: `gap.error`. `axes` are its own axes, those of the step not included."""

    is_: Literal["quantity"] = "quantity"
    step: str
    name: str
    unit: str = ""
    axes: tuple[str, ...] = ()


class Coordinate(Record):
    """The value of a named axis at the coordinate at hand; `part` picks one name of a tuple axis."""

    is_: Literal["coordinate"] = "coordinate"
    axis: str
    part: int | None = None


class Label(Record):
    """One label of an axis, by its place: the `clean` of `where run == clean`."""

    is_: Literal["label"] = "label"
    axis: str
    index: int


class Operation(Record):
    """`op` is one of `+ - * / **`, `neg`, `not`, `and`, `or`, `< <= == != >= >`, `in`."""

    is_: Literal["operation"] = "operation"
    op: str
    operands: tuple[Value, ...]


class Where(Record):
    """`subject` restricted to the coordinates where `condition` holds; axes in `fixed` are gone from the result.

    In a step's argument every axis of the condition is in `fixed`: the subject at that one place. `picked` are
    own axes of an analysis that are set equal to one coordinate, which is looked up in the results; they are gone
    as well. In a condition a `Label` stands for its place on the axis, numbers for numbers.
    """

    is_: Literal["where"] = "where"
    subject: Value
    condition: Value
    fixed: dict[str, int] = {}
    picked: dict[str, float | str] = {}


class Statistic(Record):
    """A statistic component over results. `over` are the axes it reduces, resolved; `along` is the ordered one."""

    is_: Literal["statistic"] = "statistic"
    name: str
    version: int
    values: tuple[Value, ...]
    arguments: dict[str, Value] = {}
    over: tuple[str, ...] = ()
    along: str | None = None


Value: TypeAlias = Annotated[
    Number
    | Flag
    | Text
    | Choice
    | Nothing
    | InputFile
    | Items
    | Range
    | Component
    | Use
    | Moment
    | Along
    | Group
    | Split
    | Quantity
    | Coordinate
    | Label
    | Operation
    | Where
    | Statistic,
    Field(discriminator="is_"),
]

# --- declarations ------------------------------------------------------------------------------------------------


class Axis(Record):
    """A named axis. `labels` are what people and results see, one for each of `values`.

    A tuple axis `sweep (lr, batch)` has the name `lr_batch`, `parts` ("lr", "batch") and `Items` as values.
    `kind` is `seeds` for the replicate axis, `sweep` for a factor, `epoch` for the axis of `run.at(epoch=...)`.
    `looks` are the numbers of seeds after which claims are looked at, of seeds that go on until they are decided;
    empty for any other axis. `values` are then the seeds of one look, at first of the first.
    """

    name: str
    kind: Literal["seeds", "sweep", "epoch"]
    values: tuple[Value, ...]
    labels: tuple[str | int | float | tuple[str | int | float, ...], ...]
    parts: tuple[str, ...] = ()
    unit: str = ""
    caption: str = ""
    looks: tuple[int, ...] = ()


class Step(Record):
    """Something to be computed: a dataset, a training or an analysis, once for each coordinate of `axes`.

    A nested component gets a step of its own, named after its place (`poisoned.dataset`). `axes` follow the order
    of the file, the replicate axis last.
    """

    name: str
    kind: Literal["dataset", "train", "analysis"]
    component: str
    version: int
    arguments: dict[str, Value]
    axes: tuple[str, ...] = ()
    caption: str = ""
    span: Span = Span(0, 0)
    code: Code | None = None
    neutral: dict[str, Value] = {}
    """Arguments that keys leave out while they have these values."""


class Claim(Record):
    """`left op right`; `quantifiers` maps each axis that is left (not the replicate axis) to `all` or `some`."""

    name: str
    text: str
    """The claim as written, without its name, on one line."""
    left: Value
    op: Literal["<", "<=", "==", "!=", ">=", ">"]
    right: Value
    level: float = 0.95
    quantifiers: dict[str, Literal["all", "some"]] = {}
    unit: str = ""
    caption: str = ""
    span: Span = Span(0, 0)


class Plot(Record):
    """A figure: a plot component and its arguments (result expressions, coordinates, numbers, choices)."""

    name: str
    component: str
    version: int
    arguments: dict[str, Value]
    lets: dict[str, str] = {}
    """Arguments that are a `let`, with its name: what the author calls them."""
    caption: str = ""
    span: Span = Span(0, 0)


class Spec(Record):
    """One checked experiment."""

    name: str
    title: str
    path: str
    text: str
    """The source text of the main file."""
    paper: tuple[str, ...] = ()
    about: str = ""
    catalogue: tuple[str, ...] = ()
    parameters: dict[str, Value] = {}
    preset: str | None = None
    axes: dict[str, Axis] = {}
    steps: dict[str, Step] = {}
    claims: tuple[Claim, ...] = ()
    plots: tuple[Plot, ...] = ()
    show: tuple[str, ...] = ()
    """What the report shows, in order: names of plots, claims and analyses."""
    captions: dict[str, str] = {}
    """Captions of declarations that are not steps (models, optimizers ...), by name."""
