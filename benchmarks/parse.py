"""Reading specs: megabytes a second, against lark's own tree of the same grammar and Python's parser.

    python benchmarks/parse.py [--megabytes 1]

All in one process, one thread, CPU time, best of three (lark: of one, it takes seconds). `ast.parse` reads a
Python text of the same number of characters made of similar statements.
"""

from __future__ import annotations

import argparse
import ast
import gc
import subprocess
import sys
import time
from pathlib import Path

from gendsl.format import format
from gendsl.parse import parse
from gendsl.parse.tables import tables
from gendsl.places import resource
from gendsl.source import Source

ROOT = Path(__file__).parents[1]
PYTHON = (
    "net = mlp(hidden=[width, width], activation='relu')\nclaim = mean(gap.error[run == 3]) > 2 + 3 * width\n"
)


def seconds(function, *, times: int = 3) -> float:
    """The shortest CPU time of a few runs."""
    found = []
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return min(found)


def fresh(code: str) -> float:
    """CPU seconds of a new process."""
    script = f"{code}\nimport time; print(time.process_time())"
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    return min(float(run.stdout.split()[-1]) for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=float, default=1.0)
    size = int(parser.parse_args().megabytes * 1e6)
    shown = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "specs").rglob("*.gen")))
    text = shown * (size // len(shown) + 1)
    source = Source(text, "benchmark.gen")
    megabytes = len(text) / 1e6
    tables()
    ours = seconds(lambda: parse(source))
    python = PYTHON * (len(text) // len(PYTHON))
    theirs = seconds(lambda: ast.parse(python)) * len(text) / len(python)
    from lark import Lark

    grammar = resource("grammar", "gen.lark").read_text("utf-8")
    machine = Lark(grammar, parser="lalr", lexer="basic", start="file", propagate_positions=True)
    lark = seconds(lambda: machine.parse(text), times=1)
    layout = seconds(lambda: format(source), times=1)
    bare = fresh("pass")
    spec = ROOT / "specs" / "quickstart.gen"
    small = fresh(
        f"from gendsl.parse import parse; from gendsl.source import Source; parse(Source.read({str(spec)!r}))"
    )
    print(f"text                     {megabytes:6.2f} MB, {text.count(chr(10))} lines")
    print(f"gendsl.parse             {ours:6.2f} s   {megabytes / ours:6.2f} MB/s")
    print(
        f"lark, its own tree       {lark:6.2f} s   {megabytes / lark:6.2f} MB/s   {lark / ours:5.1f} x gendsl"
    )
    print(
        f"ast.parse of Python (C)  {theirs:6.2f} s   {megabytes / theirs:6.2f} MB/s   {theirs / ours:5.1f} x"
    )
    print(f"gendsl.format            {layout:6.2f} s   {megabytes / layout:6.2f} MB/s")
    print(f"one shipped spec, new process: {1e3 * small:.0f} ms CPU (bare Python {1e3 * bare:.0f})")


if __name__ == "__main__":
    main()
