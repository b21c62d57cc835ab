"""Seeds that go on until every claim is decided: how they are written, checked, planned and limited."""

from __future__ import annotations

import pytest

from gendsl.diagnostic import DiagnosticError
from gendsl.format import format
from gendsl.parse import parse
from gendsl.plan import plan
from gendsl.source import Source
from gendsl.spec.looks import adaptive, doubling, with_seeds
from tests.language.checking import BASE, checked, spec

BODY = BASE.replace("seeds 0..9", "") + "analysis g = gap(clean)\nclaim small: mean(g.error) < 50%\n"
SEEDS = "seeds 0..9 until decided, at most 80"


def spec_of(head: str = SEEDS, **options):
    return spec(f"{head}\n{BODY}", **options)


@pytest.mark.parametrize(
    ("first", "most", "looks"),
    [(10, 80, (10, 20, 40, 80)), (10, 50, (10, 20, 40, 50)), (5, 6, (5, 6)), (3, 24, (3, 6, 12, 24))],
)
def test_looks_double_up_to_the_most(first, most, looks) -> None:
    assert doubling(first, most) == looks


def test_the_spec_has_the_first_seeds_and_all_looks() -> None:
    axis = spec_of().axes["seed"]
    assert axis.labels == tuple(range(10))
    assert axis.looks == (10, 20, 40, 80)


def test_fixed_seeds_have_no_looks() -> None:
    fixed = spec_of("seeds 0..9")
    assert adaptive(fixed) is None
    assert with_seeds(fixed, 0) is fixed


@pytest.mark.parametrize(
    ("seeds", "labels"), [("0..9", (0, 1, 2)), ("5..9 by 2", (5, 7, 9, 11)), ("7..7", (7, 8, 9))]
)
def test_more_seeds_continue_the_range(seeds, labels) -> None:
    longer = with_seeds(spec_of(f"seeds {seeds} until decided, at most 80"), 40).axes["seed"]
    assert longer.labels[: len(labels)] == labels
    assert len(longer.labels) == len(longer.values) == 40
    assert [value.value for value in longer.values] == list(longer.labels)


def test_a_preset_and_the_command_line_replace_them_whole() -> None:
    preset = "preset quick { seeds = 0..4 }\npreset long { seeds = 0..4 until decided, at most 20 }"
    assert spec_of(f"{SEEDS}\n{preset}", preset="quick").axes["seed"].looks == ()
    assert spec_of(f"seeds 0..9\n{preset}", preset="long").axes["seed"].looks == (5, 10, 20)
    assert spec_of(seeds="0..4").axes["seed"].looks == ()
    assert spec_of(overrides=(("seeds", "0..4"),)).axes["seed"].looks == ()
    longer = spec_of("seeds 0..9", seeds="0..4 until decided, at most 40")
    assert longer.axes["seed"].looks == (5, 10, 20, 40)


def test_the_most_may_be_a_parameter() -> None:
    text = "param budget = 40\nseeds 0..9 until decided, at most budget"
    assert spec_of(text).axes["seed"].looks == (10, 20, 40)


def test_nothing_else_goes_on() -> None:
    found = checked(f"param width = 3\n{SEEDS}\n{BODY}", overrides=(("width", "3 until decided, at most 9"),))
    assert found.spec is None
    assert len(found.diagnostics) == 1


def test_the_limit_counts_the_most_there_may_be() -> None:
    with pytest.raises(DiagnosticError) as error:
        plan(spec_of(), numerics="cpu", max_runs=79, file_digest=bytes)
    assert error.value.diagnostics[0].message == "this experiment asks for 80 trainings, the limit is 79"
    assert plan(spec_of(), numerics="cpu", max_runs=80, file_digest=bytes).trainings == 10


def test_the_nodes_of_a_look_have_the_keys_of_plain_seeds() -> None:
    going_on, plain = (
        plan(each, numerics="cpu", file_digest=bytes)
        for each in (with_seeds(spec_of(), 20), spec_of("seeds 0..19"))
    )
    assert going_on["clean"].keys == plain["clean"].keys
    assert going_on["g"].keys == plain["g"].keys


def test_the_one_layout() -> None:
    assert format(Source("seeds 0 .. 9   until\n decided ,at most   80", "x")) == f"{SEEDS}\n"


@pytest.mark.parametrize("number", range(len(SEEDS.split())))
def test_a_word_too_few_is_one_fault_on_its_line(number) -> None:
    words = SEEDS.split()
    text = " ".join(words[:number] + words[number + 1 :])
    _, faults = parse(Source(f"{text}\nparam x = 3\n", "x"))
    assert [fault.source.position(fault.span.start).line for fault in faults] == [1]
