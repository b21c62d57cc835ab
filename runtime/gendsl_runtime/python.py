"""The user's own Python: where it may run, how it is imported, and how its faults are told.

A file is imported by path under a name of its own, without bytecode caches: what runs is what is in the
file. Modules beside it can be imported by name while one of its functions runs.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gendsl_runtime.problem import Problem

if TYPE_CHECKING:
    from gendsl.spec import Code

LONGEST = 400
"""Characters of an error's text that are shown."""

_allowed: list[bool] = []


def codes(value: object) -> Iterator[Code]:
    """Every mention of user code inside records of a spec, a plan or a task."""
    from pydantic import BaseModel

    from gendsl.spec import Code

    if isinstance(value, Code):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from codes(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from codes(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from codes(item)


def allow() -> None:
    """From here on this process may import Python that a spec names. Workers only: user code can do anything."""
    _allowed.append(True)


@cache
def imported(code: Code) -> Callable[..., Any]:
    """The user's function or class.

    Raises:
        Problem: this process may not, the file is not what was planned with, or importing it fails.
    """
    if not _allowed:
        raise Problem("python-not-allowed", f"{code.path} may not run in this process")
    with running(code, code.name):
        module = _module(Path(code.path))
    _same_code(code)
    found: Callable[..., Any] | None = getattr(module, code.name, None)
    if not callable(found):
        raise Problem("component-failed", f"{Path(code.path).name} defines no `{code.name}` when it is run")
    return found


def _same_code(code: Code) -> None:
    """Fails where the file was edited since the plan was made: its results would get the key of its old text."""
    from gendsl.fingerprint import fingerprint

    if fingerprint(Path(code.path), code.name).digest != code.fingerprint:
        raise Problem(
            "code-changed",
            f"{Path(code.path).name}, or a file it imports, was changed while the run went on",
            help="run the same command again",
        )


@contextmanager
def running(code: Code, what: str, *, seed: int | None = 0) -> Iterator[None]:
    """User code at work: modules beside its file can be imported, global generators start from `seed`, and
    whatever it raises is told as a Problem in its own lines. None leaves the generators alone."""
    try:
        with _beside(_folder(code.path)), nullcontext() if seed is None else seeded(seed):
            yield
    except (Problem, MemoryError):
        raise
    except Exception as error:
        if is_about_memory(error):
            raise
        raise Problem("component-failed", told(error, what)) from error
    except SystemExit as error:
        raise Problem("component-failed", told(error, what)) from error


def is_about_memory(error: BaseException) -> bool:
    """Whether memory is full: on a CPU torch says so in a bare RuntimeError."""
    return isinstance(error, MemoryError) or "allocate memory" in said(error)


def said(error: BaseException) -> str:
    """What an error says, on one line that a terminal can show."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception class of the user's whose text fails
        return ""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def told(error: BaseException, what: str) -> str:
    """`Net` raised ValueError: too wide (nets.py:12): on one line, with the last line of the user's own."""
    text = said(error)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return f"`{what}` raised {type(error).__name__}{': ' * bool(text)}{text} ({_line(error)})"


def _line(error: BaseException) -> str:
    """File and line where it was raised: the last one in a file of the user's, else the last of all."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    own = [frame for frame in frames if frame[0] in _files.values()]
    name, line = (own or frames or [("unknown", 0)])[-1]
    return f"{Path(name).name}:{line}"


def place(function: Callable[..., Any]) -> str:
    """Where a function or class of the user's stands, `nets.py:12`."""
    code = getattr(function, "__code__", None) or getattr(function.__init__, "__code__", None)
    return "its file" if code is None else f"{Path(code.co_filename).name}:{code.co_firstlineno}"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global generators of Python, NumPy and torch start from a seed, and are afterwards what they were."""
    import numpy as np
    import torch

    before = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices):
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])


def generators() -> tuple[bytes, ...]:
    """The states of the global generators of Python, NumPy and torch."""
    import numpy as np
    import torch

    own = repr(random.getstate()).encode(), repr(np.random.get_state()).encode()
    return (*own, torch.random.get_rng_state().numpy().tobytes())


_files: dict[str, str] = {}
"""The file of each module of the user's that was imported."""


class _Uncached(SourceFileLoader):
    """Compiles from the source each time: a cached file is found out of date by its time in seconds only."""

    def path_stats(self, path: Any) -> Any:
        raise OSError

    def get_code(self, fullname: str) -> Any:
        _files[fullname] = str(self.path)
        return super().get_code(fullname)


class _Project(MetaPathFinder):
    """Finds modules beside the file whose code is running."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        """Folders of all files that were imported."""
        self.active: list[Path] = []
        self.packages: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        if not self.active or (path is not None and top not in self.packages):
            return None
        for entry in [str(self.active[-1])] if path is None else path:
            found = FileFinder(entry, (_Uncached, [".py"])).find_spec(fullname)
            if found is not None and found.loader is not None:
                self.packages.add(top)
                return found
        return None


class _Folders(MetaPathFinder):
    """Finds folders of modules without an `__init__.py`, where nothing else has their name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or not _project.active or not (_project.active[-1] / fullname).is_dir():
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(_project.active[-1] / fullname)]
        _project.packages.add(fullname)
        return spec


_project = _Project()


@cache
def _folder(path: str) -> Path:
    return Path(path).parent


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    if _project not in sys.meta_path:
        sys.meta_path[:] = [_project, *sys.meta_path, _Folders()]
    if folder not in _project.folders:
        _one_meaning(folder)
        _project.folders.append(folder)
    _project.active.append(folder)
    try:
        yield
    finally:
        _project.active.pop()


def _one_meaning(folder: Path) -> None:
    """Fails where a module beside a new file has the name of one that was imported from beside another."""
    for name, file in _files.items():
        if "." not in name and ((folder / f"{name}.py").exists() or (folder / name).is_dir()):
            raise Problem(
                "component-failed",
                f"both {Path(file).parent} and {folder} have a module `{name}`",
                help="rename one of them, or keep the files of one experiment in one folder",
            )


@cache
def _module(path: Path) -> ModuleType:
    name = f"gendsl_user_{sha256(str(path).encode()).hexdigest()[:12]}"
    spec = spec_from_file_location(name, path, loader=_Uncached(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
