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


OWN = '''
from torch import nn
from gendsl_runtime.component import loss


class WideNet(nn.Module):
    """One hidden layer.

    Args:
        width: hidden units,
            all in one layer.
    """

    def __init__(self, inputs, outputs, *, width: int = 64): ...


class Helper(nn.Module):
    def __init__(self, size): ...


@loss()
def margin(outputs, targets): ...
'''


def test_components_of_a_python_file(capsys, tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(OWN)
    for words in ((explain, str(path)), (list, "--from", str(path))):
        code, out, _ = run(words[0], capsys, *words[1:])
        assert code == 0 and "WideNet  One hidden layer." in out and "margin" in out
        assert "Helper: the parameter `size` has no type (line 18)" in out
    code, out, _ = run(list, capsys, "loss", "--from", str(path))
    assert code == 0 and "margin" in out and "WideNet" not in out
    code, out, _ = run(explain, capsys, str(path), "WideNet")
    assert code == 0 and re.search(r"width +a whole number; 64 unless given\n +hidden units, all in one", out)
    assert "Args" not in out and "For:" not in out


@pytest.mark.parametrize(
    ("text", "name", "code", "said"),
    [
        (OWN, "WideNte", 2, "did you mean `WideNet`?"),
        (OWN, "Helper", 1, "not for specs"),
        ("def (", "WideNet", 1, "not valid Python"),
        (None, "WideNet", 1, "there is no file"),
    ],
)
def test_what_a_python_file_does_not_offer(capsys, tmp_path, text, name, code, said):
    path = tmp_path / "nets.py"
    if text is not None:
        path.write_text(text)
    found, out, err = run(explain, capsys, str(path), name)
    assert (found, out) == (code, "") and said in err


def test_a_parameter_is_told_once(capsys):
    _, out, _ = run(explain, capsys, "sgd")
    assert "Args" not in out and out.count("\n  momentum ") == 1 and "whether the step looks ahead" in out
