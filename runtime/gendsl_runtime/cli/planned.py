"""The plan that a command line names."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from gendsl.plan import Plan
from gendsl_runtime.cli.options import UsageError, is_coloured, spec_options


def planned(arguments: argparse.Namespace, *, max_runs: int, is_whole: bool = False) -> Plan:
    """The plan of the spec in `arguments`; its warnings are printed.

    Where seeds go on it is that of the first look, or of all seeds there may be where `is_whole`.

    Raises:
        DiagnosticError: the file is wrong, or its plan is over the limit.
    """
    from gendsl.diagnostic import DiagnosticError
    from gendsl.plan import plan
    from gendsl.render import render
    from gendsl.spec.looks import adaptive, with_seeds
    from gendsl_runtime.device import chosen_device
    from gendsl_runtime.numerics import numerics
    from gendsl_runtime.reading import file_digest, read_checked

    arguments.only = getattr(arguments, "only", [])
    checked = read_checked(arguments.file, spec_options(arguments))
    if checked.spec is None:
        raise DiagnosticError(*checked.diagnostics)
    if checked.diagnostics:
        print(render(checked.diagnostics, color=is_coloured(sys.stderr)), file=sys.stderr)
    device = chosen_device(arguments.device)
    axis = adaptive(checked.spec) if is_whole else None
    experiment = checked.spec if axis is None else with_seeds(checked.spec, axis.looks[-1])
    return plan(experiment, numerics=numerics(device), max_runs=max_runs, file_digest=file_digest)


def refuse_unknown(plan: Plan, steps: Sequence[str]) -> None:
    """Raises a usage error for a name that is no step of the plan."""
    from gendsl.words import nearest

    for name in steps:
        if name not in plan.steps:
            near = nearest(name, plan.steps)
            meant = f"did you mean `{near}`?" if near else f"there are: {', '.join(plan.steps)}"
            raise UsageError(f"there is no step `{name}` in {plan.spec.path}; {meant}")
