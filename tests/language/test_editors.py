"""What editors need stays in step with the language."""

from __future__ import annotations

import json
import re

from gendsl.places import resource
from gendsl.words import DECLARING, RESERVED


def patterns() -> list[str]:
    grammar = json.loads(resource("grammar", "gen.tmLanguage.json").read_text("utf-8"))
    return [
        pattern.get("match", pattern.get("begin")) for pattern in grammar["repository"]["all"]["patterns"]
    ]


def test_every_word_is_coloured():
    for word in (*DECLARING, *RESERVED):
        assert any(found and found[0] == word for p in patterns() if (found := re.match(p, word + " x")))


def test_grammar_and_word_list_agree():
    text = resource("grammar", "gen.lark").read_text("utf-8")
    words = set(re.findall(r'"([a-z]+)"', text)) | {"by"}
    assert words == {*DECLARING, *RESERVED}
    excluded = re.search(r"\(\?!\(\?:([a-z|]+)\)", text)
    assert excluded
    assert set(excluded[1].split("|")) == {*DECLARING, *RESERVED}
