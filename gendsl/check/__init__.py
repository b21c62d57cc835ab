"""Checking: from the tree to the experiment that is meant, or to every fault in it.

Names, `extends`, presets, units and defaults are resolved here and gone afterwards. Nothing that the file
names is run, and no component is imported: all that is known about one is its description.
"""

from __future__ import annotations

from dataclasses import dataclass

from gendsl import tree
from gendsl.catalogue import Catalogue
from gendsl.check import claims, figures, finish, imports, params, references, settings, sweeps
from gendsl.check.faults import Broken, Faults, Place
from gendsl.check.scope import Declared, Scope, World
from gendsl.check.settings import Options
from gendsl.diagnostic import Diagnostic
from gendsl.source import Source, Span
from gendsl.spec import Claim, Spec, Value

LATER = ("claim", "plot", "report")
_STARTER = "`gen new NAME` writes a file to start from"
COMPONENTS = ("dataset", "model", "optimizer", "train", "analysis")


@dataclass(frozen=True)
class Checked:
    """The outcome: a spec where no diagnostic is an error."""

    spec: Spec | None
    diagnostics: tuple[Diagnostic, ...]


def check(source: Source, file: tree.File, catalogue: Catalogue, options: Options = Options()) -> Checked:  # noqa: B008
    """The experiment that a file means.

    Args:
        source: the text of the file, its path as the user wrote it.
        file: its tree. Declarations that could not be read are in `file.broken` and are not reported again.
        catalogue: the components there are.
        options: what the command line changes.
    """
    faults = Faults()
    world = World(catalogue, faults, Scope(source))
    faults.add(*catalogue.faults)
    imports.scope(world, source, file)
    world.seeds = world.main.names.get("seed")
    if world.seeds is not None and world.seeds.word != "seeds":
        world.seeds = None
    spec = None
    try:
        if not file.declarations and not file.broken:
            place = Place(source, Span(0, 0))
            faults.fail("nothing-declared", "this file declares nothing", place, help=_STARTER)
        settings.apply(world, options)
        spec = _experiment(world, options, is_whole=not file.broken)
    except Broken:
        pass  # What broke it is among the faults.
    except RecursionError:
        place = Place(source, Span(0, min(1, len(source.text))))
        faults.report("too-deep", "names in this file lead to one another too many times", place)
    return Checked(None if faults.has_errors else spec, faults.sorted(source))


def _experiment(world: World, options: Options, *, is_whole: bool) -> Spec | None:
    found = _Found()
    # Claims and plots speak about steps, and are clearer about an axis once all of those are known.
    for declared in sorted(world.main.names.values(), key=lambda declared: declared.word in LATER):
        try:
            found.add(world, declared)
        except Broken:
            continue
    finish.lets(world)
    if is_whole:
        claims.decidable(world, found.claims)
    if world.faults.has_errors:
        return None
    if is_whole and not options.overrides and options.preset is None:
        # A setting may well take the last use of a name away: that is no slip in the file.
        finish.unused(world)
    finish.with_checkpoints(world)
    return finish.spec(
        world,
        found.head or figures.head(world, None),
        found.parameters,
        found.claims,
        found.show,
        preset=options.preset,
        only=options.only,
    )


class _Found:
    """What the declarations gave, besides the steps."""

    def __init__(self) -> None:
        self.head: dict[str, object] = {}
        self.parameters: dict[str, Value] = {}
        self.claims: list[Claim] = []
        self.show: tuple[str, ...] = ()

    def add(self, world: World, declared: Declared) -> None:
        match declared.word:
            case "experiment":
                self.head = figures.head(world, declared)
            case "param":
                self.parameters[declared.full] = params.checked(world, declared)
            case "sweep":
                sweeps.draft(world, declared)
            case "seeds":
                sweeps.seeds(world)
            case "claim":
                self.claims.append(claims.claim(world, declared))
            case "plot":
                world.plots.append(figures.plot(world, declared))
            case "report":
                self.show += figures.report(world, declared)
            case word if word in COMPONENTS:
                references.bound(world, declared)


__all__ = ["Checked", "Options", "check"]
