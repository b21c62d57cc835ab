"""Claims: two sides that can be compared, quantified over what is left, with replicates to decide them."""

from __future__ import annotations

from typing import Literal, NoReturn

from gendsl import tree
from gendsl.check import groups, intervals, names, reach, results, shares, sweeps
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Declared, Given, World
from gendsl.quantity import in_base
from gendsl.spec import Claim, Quantity, Value, Where


def claim(world: World, declared: Declared) -> Claim:
    """The checked claim."""
    node = declared.node
    assert isinstance(node, tree.Claim)
    given = declared.scope.given(node.statement)
    with world.faults.gathered() as gathering:
        level = 0.95
        with gathering.part():
            level = _level(world, given, node.level)
        with gathering.part():
            left, right, op, unit = _sides(world, given)
            _mixed(world, given, left, right)
            quantifiers = _quantifiers(world, given, node, left.axes | right.axes)
            _replicates(world, given, node, left, right)
    start, end = node.statement.span.start, node.span.end
    return Claim(
        name=declared.name,
        text=" ".join(given.source.text[start:end].split()),
        left=left.value,
        op=op,
        right=right.value,
        level=level,
        quantifiers=quantifiers,
        unit=unit,
        caption=declared.caption,
        span=node.span,
    )


def _sides(world: World, given: Given) -> tuple[results.Result, results.Result, str, str]:
    expr = given.expr
    while isinstance(expr, tree.Group):
        expr = expr.inner
    if not isinstance(expr, tree.Binary) or expr.op not in results.COMPARISONS:
        _not_a_claim(world, given, expr)
    if isinstance(expr.right, tree.Text) and expr.right.doc:
        world.faults.fail(
            "not-a-claim",
            f"`{expr.op}` lacks its right side",
            given.spot(expr.op_span),
            also=((given.spot(expr.right.span), "this text stands in its place"),),
        )
    found: list[results.Result] = []
    with world.faults.gathered() as gathering:
        for side in (expr.left, expr.right):
            with gathering.part():
                found.append(results.result(world, given.at(side)))
    left, right = found
    unit = results.same_unit(world, given, expr, left, right)
    shares.bounded(world, ((given.at(expr.left), left), (given.at(expr.right), right)))
    if not (_measured(left.value) or _measured(right.value)):
        world.faults.fail(
            "not-a-claim", "this says nothing about a result", given.place, note="no analysis is mentioned"
        )
    return left, right, expr.op, unit


def _not_a_claim(world: World, given: Given, expr: tree.Expr) -> NoReturn:
    note = ""
    if isinstance(expr, tree.Binary) and expr.op in ("and", "or"):
        note = "make two claims of it"
    if isinstance(expr, tree.Where):
        note = "`where` binds loosest: put the side it belongs to in brackets"
    world.faults.fail("not-a-claim", "a claim compares two sides", given.place, note=note)


def _measured(value: Value) -> bool:
    return isinstance(value, Quantity) or any(_measured(part) for part in reach.inside(value))


def _level(world: World, given: Given, level: tree.Quantity | None) -> float:
    if level is None:
        return 0.95
    if level.unit != "%":
        world.faults.fail(
            "wrong-unit",
            "the level of a claim is in percent",
            given.spot(level.span),
            help="write `at 95%`",
        )
    value = in_base(level.value, "%")[0]
    if not 0.5 <= value < 1:
        world.faults.fail(
            "out-of-range", "the level of a claim is from 50% to below 100%", given.spot(level.span)
        )
    return value


def _mixed(world: World, given: Given, left: results.Result, right: results.Result) -> None:
    """Axes of one side that the other lacks would all be crossed: hardly ever what was meant."""
    lone = [sorted(one.axes - other.axes - {"seed"}) for one, other in ((left, right), (right, left))]
    if lone[0] and lone[1]:
        expr = given.expr
        assert isinstance(expr, tree.Binary)
        world.faults.fail(
            "mixed-axes",
            "the two sides vary along different axes",
            given.spot(expr.op_span),
            also=(
                (given.spot(expr.left.span), f"varies along {', '.join(lone[0])}"),
                (given.spot(expr.right.span), f"varies along {', '.join(lone[1])}"),
            ),
            help="fix or reduce an axis on each side, with `where` or a statistic",
        )


Quantifiers = dict[str, Literal["all", "some"]]


def _quantifiers(world: World, given: Given, node: tree.Claim, axes: frozenset[str]) -> Quantifiers:
    left = reach.ordered(world, set(axes) - {"seed"})
    found: Quantifiers = dict.fromkeys(left, "all")
    for quantifier in node.quantifiers:
        word: Literal["all", "some"] = "some" if quantifier.word == "some" else "all"
        quantified = [_quantified(world, given, axis, left) for axis in quantifier.axes] or list(left)
        found.update(dict.fromkeys(quantified, word))
    return found


def _quantified(world: World, given: Given, axis: tree.Name, left: tuple[str, ...]) -> str:
    declared = given.scope.names.get(axis.id)
    name = axis.id
    if declared is not None and declared.word == "sweep":
        name = sweeps.draft(world, declared).name
    if name in given.scope.broken:
        raise Broken
    if name not in left:
        note = f"left are {', '.join(left)}" if left else "no axis is left"
        world.faults.fail(
            "missing-axis",
            f"`{axis.id}` is not an axis this claim has left",
            given.spot(axis.span),
            note="seeds are never quantified: they are resampled" if name == "seed" else note,
            help=names.meant(axis.id, left),
        )
    return name


def _replicates(
    world: World, given: Given, node: tree.Claim, left: results.Result, right: results.Result
) -> None:
    """A claim about trained networks needs several of each; one about fixed numbers needs none."""
    quantities = [*_quantities(left.value, frozenset()), *_quantities(right.value, frozenset())]
    random = [
        (quantity, fixed)
        for quantity, fixed in quantities
        if any(world.steps[step].kind == "train" for step in reach.steps_of(world, quantity))
    ]
    if not random or "seed" in world.main.broken:
        return
    if world.seeds is None:
        world.faults.fail(
            "no-replicates",
            "this claim is about trained networks, and there is one of each",
            given.place,
            note="without replicates nothing can decide it",
            help="declare replicates: `seeds 0..9`",
            once="seeds",
        )
    for quantity, _ in random:
        _no_group(world, given, quantity)
    if all("seed" in fixed or "seed" not in reach.axes_of(world, q) for q, fixed in random):
        world.faults.fail(
            "no-replicates",
            "no replicates are left to decide this claim",
            given.place,
            note="`seed` is fixed here",
            help="take the condition on `seed` away",
        )
    _few(world, given)
    intervals.narrow(world, given, left.value, right.value)


def decidable(world: World, claims: list[Claim]) -> None:
    """Seeds that go on until every claim is decided need a claim that rests on them."""
    broken = world.main.broken
    if world.seeds is None or world.seeds.given is None or "seed" in broken or world.faults.has_errors:
        return
    rests = any(
        "seed" in reach.axes_of(world, quantity) and "seed" not in fixed
        for claim in claims
        for side in (claim.left, claim.right)
        for quantity, fixed in _quantities(side, frozenset())
    )
    if sweeps.seeds(world).looks and not rests:
        world.faults.report(
            "nothing-to-decide",
            "no claim rests on seeds, so nothing says when to stop",
            world.seeds.given.place,
            help="add a claim, or leave `until decided` out",
        )


def _no_group(world: World, given: Given, quantity: Quantity) -> None:
    """Fails for what took all seeds together: one number is left, and nothing tells how far another would be."""
    step = groups.takes_seeds(world, quantity)
    if step is not None:
        world.faults.fail(
            "no-replicates",
            f"`{step}` takes all seeds together: it has no replicates to decide this claim",
            given.place,
            note="one number without an interval decides nothing; tables and figures show it",
            help="give each seed a group of its own: `sweep member in 0..4`, in the run "
            "`seed = 5 * seed + member`, and `over=member`",
        )


def _quantities(value: Value, fixed: frozenset[str]) -> list[tuple[Quantity, frozenset[str]]]:
    """The quantities in a value, each with the axes that are fixed around it."""
    if isinstance(value, Quantity):
        return [(value, fixed)]
    if isinstance(value, Where):
        fixed |= value.fixed.keys()
    return [found for part in reach.inside(value) for found in _quantities(part, fixed)]


def _few(world: World, given: Given) -> None:
    axis = sweeps.seeds(world)
    if len(axis.values) >= intervals.FEW or world.seeds is None or world.seeds.given is None:
        return
    count = len(axis.values)
    world.faults.report(
        "few-seeds",
        f"{count} seed{'s' if count > 1 else ''} decide{'' if count > 1 else 's'} little",
        world.seeds.given.place,
        note=f"claims are resampled over seeds: {intervals.FEW} at least, better 10",
        also=((Place(given.source, given.expr.span), "a claim that rests on them"),),
        severity="warning",
        once="seeds",
    )
