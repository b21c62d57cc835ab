"""A real run of hostile files: names of files, columns of a table, docstrings and papers of components of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gendsl_runtime.cli import main
from tests.browser.chromium import CHROMIUM, MISSING, Tab, tab
from tests.browser.test_injection import ATTACKS, stirred

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
NAME = "a<img src=x onerror=window.taken=1>&'{{7*7}}"
COLUMN = "<svg onload=window.taken=1>{{7*7}}' onmouseover='window.taken=1"
PAPER = "<b>nobody</b>2099"
SPEC = f"""
import "{NAME}.py" as own
experiment hostile {{ title = "{NAME}" paper = "{PAPER}" }}
seeds 0..4
dataset rows = csv("{NAME}.csv", target="{COLUMN}", task=regression, seed=seed)
train fit {{
    model = mlp(hidden=[2])
    dataset = rows
    loss = own.crooked()
    optimizer = sgd(lr=0.01)
    batch = 5
    budget = 1 epochs
}}
analysis found = own.parts(fit)
claim finite: mean(found.size) < 1e9
plot sizes = bar(x=found.part, y=found.size)
"""
PYTHON = '''
import numpy as np
from torch import Tensor

from gendsl_runtime.component import analysis, loss
from gendsl_runtime.runs import Runs


@loss(version=1, needs="regression", paper="{paper}")
def crooked(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squares {attack}"""
    return ((outputs - targets.reshape(outputs.shape)) ** 2).sum(1)


@analysis(version=1, gives={{"size": "1 [part]"}}, axes={{"part": "a part {column}"}}, paper="{paper}")
def parts(fit: Runs) -> dict[str, np.ndarray]:
    """Sizes {attack}

    Returns:
        `size` `(parts,)`.
    """
    return {{"size": np.ones((fit.members, 2)), "part": np.array(["{column}", "{{{{7*7}}}}"])}}
'''


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with tab() as found:
        found.size(1200, 900)
        yield found


def test_hostile_files_are_run_and_reported_and_do_nothing(browser: Tab, tmp_path: Path) -> None:
    attack = f"{ATTACKS['element']} {ATTACKS['template']}"
    (tmp_path / f"{NAME}.py").write_text(PYTHON.format(paper=PAPER, attack=attack, column=COLUMN))
    lines = [f"{k % 7},{k % 3}" for k in range(40)]
    (tmp_path / f"{NAME}.csv").write_text("\n".join([f"x,{COLUMN}", *lines]) + "\n")
    spec, store = tmp_path / f"{NAME}.gen", tmp_path / "store"
    spec.write_text(SPEC)
    assert main(["run", str(spec), "--store", str(store), "--allow-python"]) == 0
    page = store / "runs" / "hostile-001" / "report.html"
    stirred(browser, page)
    text = browser.value("document.body.textContent")
    assert "Squares <img src=x onerror=window.taken=1>" in text, "the docstring is among the methods"
    assert "Sizes <img" in text
    assert browser.value("document.querySelector('.references').textContent").count(PAPER) == 1
    assert browser.value("[...document.querySelectorAll('.methods a')].length") >= 2
    assert COLUMN in browser.value("document.querySelector('#figures').textContent")
