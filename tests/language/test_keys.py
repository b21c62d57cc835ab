"""Keys: what is equal has one encoding, what differs has another."""

from __future__ import annotations

import math
import struct
import unicodedata
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gendsl.plan.keys import count, encode, number, parts, text
from gendsl.spec import Choice, Component, Flag, InputFile, Items, Nothing, Number, Split, Text, Use, Value


def encoded(value: Value) -> bytes:
    """The encoding of a value whose inputs are known by the hash of their names."""
    return encode(parts(value), lambda hole: sha256(repr(hole).encode()).digest())


numbers = st.integers() | st.floats(allow_nan=False)
words = st.text(max_size=8)
leaves = (
    st.builds(Number, value=numbers, unit=st.sampled_from(["", "epochs", "steps"]))
    | st.builds(Flag, value=st.booleans())
    | st.builds(Text, value=words)
    | st.builds(Choice, name=words)
    | st.just(Nothing())
    | st.builds(Use, step=words)
    | st.builds(InputFile, path=words)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Items, items=st.lists(inner, max_size=4).map(tuple))
        | st.builds(Split, dataset=inner, name=words)
        | st.builds(
            Component,
            kind=words,
            name=words,
            version=st.integers(1, 3),
            arguments=st.dictionaries(words, inner, max_size=4),
        )
    ),
    max_leaves=12,
)


def canonical(value: object) -> object:
    """Equal exactly where two values are the same to the language: an independent reading of the rule."""
    match value:
        case Number():
            return "number", value.value, value.unit
        case Flag():
            return "flag", value.value
        case Text() | Choice():
            word = value.value if isinstance(value, Text) else value.name
            return type(value).__name__, unicodedata.normalize("NFC", word)
        case Items():
            return "items", tuple(map(canonical, value.items))
        case Split():
            return "split", unicodedata.normalize("NFC", value.name), canonical(value.dataset)
        case Component():
            arguments = sorted((k, canonical(v)) for k, v in value.arguments.items())
            names = [unicodedata.normalize("NFC", name) for name in (value.kind, value.name)]
            return (*names, value.version, tuple(map(repr, arguments)))
        case _:
            return value


@given(values, values)
def test_two_values_share_an_encoding_only_if_they_are_the_same(one: Value, other: Value) -> None:
    assert (encoded(one) == encoded(other)) == (canonical(one) == canonical(other))


@given(values, values)
def test_no_encoding_is_the_beginning_of_another(one: Value, other: Value) -> None:
    if encoded(one) != encoded(other):
        assert not encoded(one).startswith(encoded(other))


@given(st.dictionaries(words, leaves, min_size=2, max_size=5), st.randoms())
def test_the_order_of_arguments_is_not_in_the_key(arguments: dict[str, Value], random) -> None:
    shuffled = list(arguments.items())
    random.shuffle(shuffled)

    def made(items: dict[str, Value]) -> Component:
        return Component(kind="model", name="mlp", version=1, arguments=items)

    assert encoded(made(arguments)) == encoded(made(dict(shuffled)))


@given(values)
def test_a_value_that_went_through_json_keeps_its_encoding(value: Value) -> None:
    wrapped = Items(items=(value,))
    try:
        back = Items.model_validate_json(wrapped.model_dump_json())
    except ValueError:
        return  # infinities and lone surrogates have no JSON
    if back == wrapped:
        assert encoded(back) == encoded(wrapped)


@given(numbers, numbers)
def test_numbers_have_equal_bytes_exactly_when_equal(one: float, other: float) -> None:
    assert (number(one) == number(other)) == (one == other)


def test_numbers_that_are_easily_confused() -> None:
    assert number(1) == number(1.0) == b"d" + struct.pack(">d", 1.0)
    assert number(0.0) == number(-0.0) == number(0)
    assert number(2**53) != number(2**53 + 1)
    assert number(0.1) != number(math.nextafter(0.1, 1))
    assert number(10**400) != number(math.inf)
    assert encoded(Flag(value=True)) != encoded(Number(value=1))
    assert encoded(Text(value="relu")) != encoded(Choice(name="relu"))
    with pytest.raises(ValueError, match="NaN"):
        number(math.nan)


def test_text_is_normalised_and_measured() -> None:
    assert text("\u00e9") == text("e\u0301") == count(2) + b"\xc3\xa9"
    assert text("ab") + text("c") != text("a") + text("bc")


def test_pinned_encodings() -> None:
    """These bytes are in every store: changing them means a new domain prefix."""
    net = Component(
        kind="model",
        name="mlp",
        version=1,
        arguments={"hidden": Items(items=(Number(value=64),)), "activation": Choice(name="relu")},
    )
    assert sha256(encoded(net)).hexdigest() == NET
    assert encoded(Number(value=60, unit="epochs")).hex() == EPOCHS


NET = "4959b16a9186035b352cd966e05403f26ea7ca934e987cfe77366c611b0c1326"
EPOCHS = "6e64404e000000000000000000000000000665706f636873"
