"""`gen explain`: a component, a diagnostic code or a declaring word in full."""

from __future__ import annotations

import argparse
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.catalogue.description import Description

HELP = "explain a component, a diagnostic code or a word of the language"
EXAMPLES = """\
examples:
  gen explain basin_volume
  gen explain out-of-range
  gen explain sweep
  gen explain nets.py
  gen explain nets.py WideNet
"""

WORDS = {
    "experiment": (
        "experiment NAME { title = ...  paper = ...  about = ... }",
        "The head of the report. At most one a file; without it the file's name serves.",
    ),
    "param": (
        "param NAME: TYPE = VALUE in RANGE",
        "A parameter of the file, for `--set NAME=VALUE` and presets. Type and range may be left out.",
    ),
    "sweep": (
        "sweep NAME in [A, B, C]    sweep (A, B) in [(1, x), (2, y)]",
        "A named axis. Whatever mentions it varies along it, and so does what is built from that.",
    ),
    "seeds": (
        "seeds 0..9    seeds 0..9 until decided, at most 80",
        "The replicate axis, bound to `seed`. Trainings follow it; claims are resampled over it. With `until` it "
        "goes on, twice as many each time, until every claim is decided.",
    ),
    "dataset": ("dataset NAME = COMPONENT(...)", "Data: `gen list dataset` shows what there is."),
    "model": ("model NAME = COMPONENT(...)", "A network: `gen list model` shows what there is."),
    "optimizer": (
        "optimizer NAME = COMPONENT(...)",
        "An optimizer: `gen list optimizer` shows what there is.",
    ),
    "train": (
        "train NAME { FIELD = VALUE ... }    train NAME extends OTHER { CHANGES }",
        "A training run, once for each seed and each coordinate of the axes it mentions.",
    ),
    "analysis": (
        "analysis NAME = COMPONENT(RUN, ...)",
        "A measurement of runs. It gives quantities: `NAME.QUANTITY`; its name alone is the first of them.",
    ),
    "let": ("let NAME = VALUE", "A name for a value that is needed more than once."),
    "claim": (
        "claim NAME: LEFT < RIGHT at 95%    claim NAME: LEFT > RIGHT for some AXIS",
        "A hypothesis, written before the results. It ends supported, refuted or undecided.",
    ),
    "plot": ("plot NAME = COMPONENT(...)", "A figure of the report: `gen list plot` shows what there is."),
    "report": ("report NAME { show = [A, B, C] }", "What the report shows, in order; everything by default."),
    "preset": ("preset NAME { PATH = VALUE ... }", "A named set of changes, chosen with `--preset NAME`."),
    "import": (
        'import "FILE.gen" as NAME    import "FILE.py" as NAME',
        "The names of another file, as `NAME.THING`. Of a Python file: its components, which are classes on\n"
        "`torch.nn.Module` and functions marked with a decorator of `gendsl_runtime.component`. It is read and\n"
        "not run; `gen explain FILE.py` shows what it offers.",
    ),
}
"""Form and meaning of each declaring word."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="a component, a diagnostic code, a declaring word or a Python file"
    )
    parser.add_argument("part", metavar="COMPONENT", nargs="?", help="a component of that Python file")


def main(arguments: argparse.Namespace) -> int:
    if arguments.name.endswith(".py") or arguments.part is not None:
        from gendsl_runtime.cli import python

        return python.explain(arguments.name, arguments.part)
    text = explained(arguments.name)
    if text is not None:
        sys.stdout.write(text)
        return 0
    from gendsl.explain import CODES
    from gendsl.words import nearest
    from gendsl_runtime.components import catalogue

    known = [*WORDS, *CODES, *(name for _, name in catalogue().components)]
    near = nearest(arguments.name, known)
    help = f"did you mean `{near}`?" if near else "`gen list` shows all components"
    sys.stderr.write(f"gen explain: nothing is called `{arguments.name}`; {help}\n")
    return 2


def explained(name: str) -> str | None:
    """The explanation of everything of that name; None where there is nothing."""
    from gendsl.explain import CODES
    from gendsl_runtime.components import catalogue

    components = catalogue()
    parts = []
    if name in WORDS:
        parts.append("\n    ".join(WORDS[name][0].split("    ")) + f"\n\n{WORDS[name][1]}\n")
    if name in CODES:
        parts.append(CODES[name].rstrip() + "\n")
    parts += [page(components.components[kind, name]) for kind in components.kinds_of(name)]
    return "\n".join(parts) or None


def page(found: Description) -> str:
    """A component: how it is written, what it takes, what it gives, and its documentation."""
    from gendsl.catalogue.description import literal, signature
    from gendsl.catalogue.types import described

    body, documented = _apart(found.body)
    lines = [
        f"{found.kind} {signature(found)}" if found.kind != "train" else "train NAME { ... }",
        "",
        found.summary,
    ]
    if found.parameters:
        width = max(map(len, found.parameters)) + 2
        lines += ["", "Fields:" if found.kind == "train" else "Takes:"]
        for parameter in found.parameters.values():
            default = (
                "" if parameter.required else f"; {literal(parameter.default, parameter.type)} unless given"
            )
            kinds = " or ".join(described(t) for t in (parameter.type, *parameter.type.others))
            optional = " or none" if parameter.type.optional and parameter.default is not None else ""
            lines.append(f"  {parameter.name:{width}}{kinds}{optional}{default}")
            if said := documented.get(parameter.python):
                lines += textwrap.wrap(said, 96, initial_indent=" " * 4, subsequent_indent=" " * 4)
    lines += [*_gives(found), *_facts(found)]
    if body:
        lines += ["", body]
    return "\n".join(lines) + "\n"


def _apart(body: str) -> tuple[str, dict[str, str]]:
    """A docstring without its `Args:`, and what those say of each parameter."""
    before, heading, after = body.partition("Args:\n")
    if not heading or (before and not before.endswith("\n")):
        return body, {}
    section, _, rest = after.partition("\n\n")
    found: dict[str, str] = {}
    for line in section.splitlines():
        name, colon, text = line.strip().partition(":")
        if colon and line.startswith("    ") and not line.startswith("     ") and name.isidentifier():
            found[name] = text.strip()
        elif found:
            found[next(reversed(found))] += f" {line.strip()}"
    return f"{before}{rest}".strip(), found


def _gives(found: Description) -> list[str]:
    if not found.gives:
        return []
    width = max(map(len, found.gives)) + 2
    lines = ["", "Gives:"]
    for name, gives in found.gives.items():
        along = f", along {', '.join(gives.axes)}" if gives.axes else ""
        unit = f"in {gives.unit}" if gives.unit else "a plain number"
        lines.append(f"  {name:{width}}{unit}{along}")
    axes = found.facts.get("axes") or {}
    return lines + [f"  axis {name}: {text}" for name, text in axes.items()]


def _facts(found: Description) -> list[str]:
    lines = []
    if found.needs:
        lines.append(f"Needs: {', '.join(found.needs)}")
    if found.kind == "model":
        takes, smallest = found.facts.get("takes", "any"), found.facts.get("smallest", 1)
        shape = {
            "any": "any numbers",
            "vector": "vectors",
            "image": f"images of at least {smallest} pixels a side",
            "sequence": "sequences: tokens, steps of numbers, or images read row by row",
        }
        if takes != "unknown":
            lines.append(f"For: {shape.get(takes, takes)}")
    if found.kind == "statistic":
        reduces = {"over": "over=AXIS", "along": "along=AXIS", "grid": "over=[AXIS, AXIS]"}
        lines.append(f"Reduces: {reduces[found.facts['reduces']]}")
        units = {
            "same": "that of the values",
            "first": "that of the first",
            "1": "none",
            "per": "that of the values per unit of the axis",
            "times": "that of the values times that of the axis",
            "coordinate": "that of the axis",
            "ratio": "that of the first per unit of the second",
        }
        lines.append(f"Unit: {units[found.facts.get('unit', 'same')]}")
    if found.paper:
        lines.append(f"Paper: {', '.join(found.paper)}")
    return ["", *lines] if lines else []
