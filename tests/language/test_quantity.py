from __future__ import annotations

import math

import pytest

from gendsl.quantity import DIMENSIONS, UNITS, base_of, in_base, written


@pytest.mark.parametrize(
    ("value", "unit", "base"),
    [
        (7, "%", (0.07, "")),
        (300, "epoch", (300, "epochs")),
        (8, "KiB", (8192, "bytes")),
        (2, "kB", (2000, "bytes")),
        (10, "min", (600, "s")),
        (1, "bit", (math.log(2), "nats")),
        (math.pi, "rad", (180.0, "deg")),
    ],
)
def test_base_units(value, unit, base):
    found = in_base(value, unit)
    assert found[1] == base[1] and found[0] == pytest.approx(base[0], rel=4e-16)


def test_percent_is_the_literal_share():
    assert all(in_base(n, "%")[0] == float(f"{n / 100:.2f}") for n in range(101))


def test_every_base_unit_has_a_name_and_stands_for_itself():
    for unit in UNITS.values():
        assert unit.base in DIMENSIONS
        assert not unit.base or UNITS[unit.base] == (unit.base, 1)


def test_units_of_components():
    assert base_of("1") == "" and base_of("nats") == "nats" and base_of("furlongs") == "furlongs"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1, "epochs", "1 epoch"), (300, "epochs", "300 epochs"), (0.2, "", "0.2"), (4, "px", "4 px")],
)
def test_written(value, unit, text):
    assert written(value, unit) == text
