from __future__ import annotations

import argparse
import re

import pytest

from gendsl.explain import CODES
from gendsl_runtime.cli import explain, list
from gendsl_runtime.components import FOLDERS, catalogue


def run(module, capsys, *words):
    parser = argparse.ArgumentParser()
    module.add(parser)
    code = module.main(parser.parse_args(words))
    found = capsys.readouterr()
    return code, found.out, found.err


def test_list_names_every_component(capsys):
    code, out, _ = run(list, capsys)
    assert code == 0
    for kind, name in catalogue().components:
        assert kind == "train" or re.search(rf"^  {name} ", out, re.MULTILINE)


@pytest.mark.parametrize("kind", ["model", "models", "MODEL"])
def test_list_of_one_kind(kind, capsys):
    code, out, _ = run(list, capsys, kind)
    assert code == 0 and "mlp" in out and "sgd" not in out
    assert all(len(line) <= 140 for line in out.splitlines())


def test_list_of_an_unknown_kind(capsys):
    code, _, err = run(list, capsys, "modle")
    assert code == 2 and "did you mean `model`?" in err


def test_explain_every_component_code_and_word(capsys):
    for name in [*CODES, *explain.WORDS, *(name for _, name in catalogue().components)]:
        code, out, _ = run(explain, capsys, name)
        assert code == 0 and out.strip(), name


def test_explain_shows_types_defaults_and_quantities(capsys):
    _, out, _ = run(explain, capsys, "sgd")
    assert re.search(r"lr +a number, above 0; 0\.1 unless given", out)
    _, out, _ = run(explain, capsys, "generalization_gap")
    assert "Gives:" in out and re.search(r"error +a plain number", out)
    _, out, _ = run(explain, capsys, "basin_volume")
    assert re.search(r"log_volume +in nats", out)


def test_explain_of_nothing(capsys):
    code, _, err = run(explain, capsys, "sdg")
    assert code == 2 and "did you mean `sgd`?" in err


def test_every_declaring_word_is_explained():
    from gendsl.words import DECLARING

    assert set(DECLARING) == set(explain.WORDS)


def test_every_kind_has_a_folder():
    assert {kind for kind, _ in catalogue().components} <= set(FOLDERS)
