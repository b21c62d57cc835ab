"""Parts of a spec in words: titles of axes, expressions, parameters, numbers."""

from __future__ import annotations

import math

from gendsl import spec
from gendsl.spec.shown import shown
from gendsl_runtime.report.shares import share_axes

SIGNS = {"-": "−", "*": "×", "/": "/", "+": "+", "**": "^"}


def title(value: spec.Value, experiment: spec.Spec, *, let: str = "") -> str:
    """The title of an axis that shows an expression, its unit in brackets: `vol log volume (nats)`.

    Args:
        let: what the author calls the expression, where it has a name.
    """
    unit = _unit(value, experiment)
    text = let.replace("_", " ") or words(value, experiment)
    return f"{text} ({unit})" if unit and unit != "1" and unit not in text.split() else text


def words(value: spec.Value, experiment: spec.Spec) -> str:
    """An expression as short text, with the names that it is taken at and without its other conditions."""
    match value:
        case spec.Quantity(step=step, name=name):
            text = name if step in name.split("_") or step == name else f"{step} {name}"
            return text.replace("_", " ")
        case spec.Coordinate(axis=axis, part=part):
            known = experiment.axes.get(axis)
            name = known.parts[part] if known is not None and part is not None else axis
            return name.replace("_", " ")
        case spec.Where(subject=subject, picked=picked):
            names = [label.replace("_", " ") for label in picked.values() if isinstance(label, str)]
            return ", ".join([words(subject, experiment), *names])
        case spec.Statistic(name=name, values=values):
            return f"{name} of {' and '.join(words(item, experiment) for item in values)}"
        case spec.Operation(op="neg", operands=(operand,)):
            return f"−{words(operand, experiment)}"
        case spec.Operation(op=op, operands=operands):
            return f" {SIGNS.get(op, op)} ".join(_bracketed(item, experiment) for item in operands)
    return shown(value)


def _bracketed(value: spec.Value, experiment: spec.Spec) -> str:
    text = words(value, experiment)
    return f"({text})" if isinstance(value, spec.Operation) and value.op != "neg" else text


def _unit(value: spec.Value, experiment: spec.Spec) -> str:
    match value:
        case spec.Quantity(unit=unit):
            return unit
        case spec.Coordinate(axis=axis):
            known = experiment.axes.get(axis)
            return known.unit if known is not None else ""
        case spec.Where(subject=subject):
            return _unit(subject, experiment)
        case spec.Operation(op="+" | "-" | "neg", operands=(operand, *_)):
            return _unit(operand, experiment)
        case spec.Statistic(
            name="mean" | "median" | "lowest" | "highest" | "std" | "regret", values=(first, *_)
        ):
            return _unit(first, experiment)
    return ""


def condition(value: spec.Value, experiment: spec.Spec) -> str:
    """What an expression is restricted to by axes fixed to one label: `noise is 0, run is clean`.

    Names along an analysis' own axes are in the expression's title already.
    """
    match value:
        case spec.Where(subject=subject, fixed=fixed, picked=picked):
            labels = {axis: experiment.axes[axis].labels[place] for axis, place in fixed.items()}
            labels |= {axis: label for axis, label in picked.items() if not isinstance(label, str)}
            own = [f"{axis} is {spelt(axis, label, experiment)}" for axis, label in labels.items()]
            return ", ".join(filter(None, [*own, condition(subject, experiment)]))
        case spec.Operation(operands=operands):
            return ", ".join(dict.fromkeys(filter(None, (condition(item, experiment) for item in operands))))
        case spec.Statistic(values=values):
            return ", ".join(dict.fromkeys(filter(None, (condition(item, experiment) for item in values))))
    return ""


def spelt(axis: str, label: object, experiment: spec.Spec) -> str:
    """A label of an axis: `20%` of an axis of shares, `0.1` of another."""
    if isinstance(label, float | int) and axis in share_axes(experiment):
        return f"{100 * label:.4g}%"
    return f"{label:g}" if isinstance(label, float) else str(label)


def number(value: float, *, digits: int = 4) -> str:
    """A number to a few significant digits, with a true minus sign: `−0.01234`, `148,600`, `1.2 × 10⁶` as `1.2e6`."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    if 1e4 <= abs(float(text)) < 1e6:
        text = f"{float(text):,.0f}"
    elif "e" in text:
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def duration(seconds: float) -> str:
    """`38 ms`, `4.2 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
