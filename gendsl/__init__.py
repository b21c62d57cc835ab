"""GenDSL: experiments on why deep networks generalise, said in a language of their own.

`gendsl.run("spec.gen")` carries out an experiment and `gendsl.load("RUN")` returns the results of one; both
need the engine (`pip install gendsl[run]`), which is imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gendsl_runtime.face import load as load
    from gendsl_runtime.face import load_ipython_extension as load_ipython_extension
    from gendsl_runtime.face import run as run

_FACE = ("load", "load_ipython_extension", "run")


def __getattr__(name: str) -> Any:
    if name in _FACE:
        from gendsl_runtime import face

        return getattr(face, name)
    raise AttributeError(f"module 'gendsl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_FACE])
