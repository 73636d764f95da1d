"""JSON that every parser takes."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.strict_json import strict_json

NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def finite(text):
    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), '"NaN"'),
        (float("inf"), '"Infinity"'),
        (float("-inf"), '"-Infinity"'),
        (
            {"a": [1.0, float("inf"), (float("nan"), None)]},
            '{"a": [1.0, "Infinity", ["NaN", null]]}',
        ),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (5e-324, "5e-324"),
        (float(np.float32(0.1)), "0.10000000149011612"),
        ("∂ℓ/∂W⁽¹⁾", '"∂ℓ/∂W⁽¹⁾"'),
        ("\x7f", r'"\u007f"'),
        ("\udc80", r'"\udc80"'),
        ("\x1b\x9b\u202e\U000e0001", r'"\u001b\u009b\u202e\udb40\udc01"'),
    ],
)
def test_known_texts(value, text):
    assert strict_json(value) == text


@given(NESTED)
def test_what_is_finite_reads_back_as_it_was(value):
    def bits(item):
        if isinstance(item, float):
            return struct.pack("d", item) if np.isfinite(item) else str(item)
        if isinstance(item, dict):
            return {key: bits(inner) for key, inner in item.items()}
        return [bits(inner) for inner in item] if isinstance(item, list) else item

    names = {"Infinity": float("inf"), "-Infinity": float("-inf")}
    text = strict_json(value)
    assert text.isprintable()
    if not any(name in text for name in names):
        assert bits(finite(text)) == bits(value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_is_exact(value):
    single = np.float32(value)
    assert np.float32(finite(strict_json(single.tolist()))).tobytes() == single.tobytes()


def test_indented_text_keeps_its_lines():
    assert strict_json([{"a": "é\x9b"}], indent=1) == '[\n {\n  "a": "é\\u009b"\n }\n]'


def test_an_array_is_refused():
    with pytest.raises(TypeError):
        strict_json(np.zeros(2))
