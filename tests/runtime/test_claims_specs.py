"""Every claim of every shipped spec gets a verdict, whatever its analyses give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gendsl.check import Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime.archive import load, save
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.components import catalogue, described
from gendsl_runtime.results import collect

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.gen"))


def invented(spec, rng, *, share_failed):
    """Results as the spec's analyses might give them, some nodes missing."""
    nodes = {}
    for name, step in spec.steps.items():
        if step.kind != "analysis":
            continue
        gives = described("analysis", step.component, step.code).gives
        count = int(np.prod([len(spec.axes[axis].values) for axis in step.axes]))
        nodes[name] = [
            None
            if rng.random() < share_failed
            else {quantity: rng.random((3,) * len(axes)) for quantity, (_, axes) in gives.items()}
            for _ in range(count)
        ]
    return collect(spec, nodes)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_each_claim_has_a_verdict(path, tmp_path):
    source = Source.read(str(path))
    file, _ = parse(source)
    spec = check(source, file, catalogue(), Options()).spec
    rng = np.random.default_rng(0)
    for share_failed in (0.0, 0.1, 1.0):
        results = invented(spec, rng, share_failed=share_failed)
        verdicts = decide(results)
        assert [verdict.name for verdict in verdicts] == [claim.name for claim in spec.claims]
        if share_failed == 1.0:
            assert {verdict.outcome for verdict in verdicts} <= {"undecided"}
        save(results, tmp_path)
        assert repr(decide(load(tmp_path))) == repr(verdicts)
