"""What stands between a person and the first mistake: `gen validate`, beside what Python itself takes.

    python benchmarks/validate.py

CPU time of fresh processes, the best of five: `gen validate` on every shipped spec, with what it has kept from
before (grammar tables, catalogue) and without, beside a bare Python and one that imports torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMES = 5
VALIDATE = "import sys; sys.argv = ['gen', 'validate', {path!r}]\nfrom gendsl_runtime.cli import main\nmain()"


def seconds(code: str, *, cache: Path) -> float:
    """CPU seconds of a new process, the least of a few."""
    script = f"import atexit, sys, time\natexit.register(lambda: print(time.process_time(), file=sys.stderr))\n{code}"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        for _ in range(TIMES)
    ]
    return min(float(run.stderr.split()[-1]) for run in runs)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        print(f"bare Python                        {1e3 * seconds('pass', cache=kept):6.0f} ms")
        print(f"import torch                       {1e3 * seconds('import torch', cache=kept):6.0f} ms")
        for path in sorted((ROOT / "specs").rglob("*.gen")):
            code = VALIDATE.format(path=str(path))
            warm = 1e3 * seconds(code, cache=kept)
            cold = 1e3 * seconds(code, cache=Path("/dev/null"))
            print(f"gen validate {path.stem:<20}  {warm:6.0f} ms, without a cache {cold:6.0f} ms")


if __name__ == "__main__":
    main()
