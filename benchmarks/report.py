"""How large a report is and how long it takes to open: pages of 5, 20 and 50 figures of all kinds in headless Chromium.

    python -m benchmarks.report [--page FILE ...]

Wall seconds from the request for the file: until its `load` event, until every figure within reach of a reader (in
the window or near it) is drawn, until all are; then the CPU seconds that the page spent, and how long printing it
takes when asked for at once. The best of three. The baseline is an empty page.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from gendsl_runtime.report.render import drawn, page
from tests.browser.chromium import Tab, tab
from tests.runtime.reported import PLOTS, results

ROUNDS = 3
NEAR = "document.readyState === 'complete' && (!document.querySelector('[data-figure]') || document.body.dataset.drawn)"
ALL = f"{NEAR} && (!document.querySelector('[data-figure]') || 'whole' in document.body.dataset)"


def made(folder: Path, count: int) -> Path:
    """A report of `count` figures, made of one plot of each kind in turn."""
    kinds = (PLOTS[place % len(PLOTS)] for place in range(count))
    plots = tuple(plot.model_copy(update={"name": f"{plot.name}_{k}"}) for k, plot in enumerate(kinds))
    found = results(plots=plots)
    path = folder / f"{count}.html"
    path.write_text(page(found, [drawn(plot, found) for plot in plots]), "utf-8")
    return path


def opened(page: Path) -> tuple[float, float, float, float]:
    """Seconds until load, figures in reach, all figures; CPU seconds."""
    with tab() as browser:
        browser.size(1200, 1000)
        browser.call("Performance.enable")
        start = perf_counter()
        browser.open(page)
        loaded = perf_counter() - start
        near = _until(browser, NEAR, start)
        whole = _until(browser, ALL, start)
        measured = browser.call("Performance.getMetrics")["metrics"]
        return loaded, near, whole, next(one["value"] for one in measured if one["name"] == "TaskDuration")


def printed(page: Path) -> float:
    """Seconds from the request until the page is a PDF, asked for as soon as the page has loaded."""
    with tab() as browser:
        start = perf_counter()
        browser.open(page).paper()
        return perf_counter() - start


def _until(browser: Tab, condition: str, start: float) -> float:
    browser.wait(condition)
    return perf_counter() - start


def best(work: Callable[[], tuple[float, ...]]) -> list[float]:
    """The smallest of each figure over the rounds."""
    return [min(values) for values in zip(*(work() for _ in range(ROUNDS)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, action="append", default=[], help="a report of your own")
    given = [path.resolve() for path in parser.parse_args().page]
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name) / "empty.html"
        empty.write_text("<!doctype html><title>empty</title>", "utf-8")
        pages = [empty, *(given or [made(Path(name), count) for count in (5, 20, 50)])]
        print(f"{'page':<24} {'MB':>5} {'load':>6} {'near':>6} {'all':>6} {'CPU':>6} {'print':>6}")
        for path in pages:
            times = best(lambda path=path: (*opened(path), printed(path)))
            size = path.stat().st_size / 1e6
            print(f"{path.name:<24} {size:5.2f} " + " ".join(f"{one:6.2f}" for one in times), flush=True)


if __name__ == "__main__":
    main()
