"""What a Python file of the user's offers, for `gen explain FILE.py` and `gen list --from FILE.py`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.catalogue.python import PythonFile


def show(path: str, kind: str | None = None) -> int:
    """The components of a file, by kind; then what keeps other classes and functions from being any."""
    from gendsl_runtime.cli.list import tabled
    from gendsl_runtime.components import FOLDERS

    file = _read(path, "list --from")
    if file is None:
        return 1
    kinds = [one for one in FOLDERS if kind in (None, one)]
    parts = {one: {n: d for n, d in file.components.items() if d.kind == one} for one in kinds}
    told = [tabled(one, found) for one, found in parts.items() if found]
    told += [f"no {kind or 'components'} in {path}\n"] * (not told)
    if file.faults and kind is None:
        reasons = [f"  {name}: {error} (line {error.line})\n" for name, error in file.faults.items()]
        told.append("not for specs\n" + "".join(reasons))
    sys.stdout.write("\n".join(told))
    return 0


def explain(path: str, name: str | None) -> int:
    """One component of a file in full, or all of them in short."""
    from gendsl.words import nearest
    from gendsl_runtime.cli.explain import page

    if not path.endswith(".py"):
        sys.stderr.write(f"gen explain: one name at a time; `gen explain {name}`\n")
        return 2
    if name is None:
        return show(path)
    file = _read(path, "explain")
    if file is None:
        return 1
    if name in file.components:
        sys.stdout.write(page(file.components[name]))
        return 0
    if name in file.faults:
        error = file.faults[name]
        sys.stderr.write(f"gen explain: {path}:{error.line}: `{name}` is not for specs: {error}\n")
        return 1
    near = nearest(name, file.components)
    help = f"did you mean `{near}`?" if near else f"it has {', '.join(file.components) or 'no components'}"
    sys.stderr.write(f"gen explain: {path} has no component `{name}`; {help}\n")
    return 2


def _read(path: str, command: str) -> PythonFile | None:
    from gendsl.catalogue.python import read
    from gendsl.diagnostic import DiagnosticError
    from gendsl.fingerprint import UnreadableError

    try:
        return read(path)
    except DiagnosticError as error:
        sys.stderr.write(f"gen {command}: {error}\n")
    except UnreadableError as error:
        sys.stderr.write(f"gen {command}: {error.path}:{error.line}: {error}\n")
    return None
