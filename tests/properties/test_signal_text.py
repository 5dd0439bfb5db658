"""Text and tree are two writings of one thing.

1. Round trip: `parse(format_signal(tree)) == tree` for every tree that the parser can make.
2. The canonical form is a fixed point, and so is its text; its digest does not depend on the writing.
3. Similarity lies in [0, 1], is symmetric, and is 1 exactly for equal canonical forms.
4. Whatever the text, `parse` answers with a tree or a SignalError, and with nothing else.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.signal import SignalError, canonical, format_signal, parse, signal_digest, similarity
from modules.signal.nodes import Node, size
from modules.signal.operators import operators
from tests.modules.signal.panels import random_tree

SEEDS = st.integers(0, 2**32 - 1)


def _tree(seed: int, levels: int = 4) -> Node:
    """A tree with a field in it (the parser refuses one without) and few enough nodes."""
    rng = np.random.default_rng(seed)
    while True:
        node = random_tree(operators(), rng, levels)
        try:
            parse(format_signal(node), units=False)
        except SignalError as error:
            assert "at least one field" in error.message or "more than" in error.message
            continue
        return node


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS)
def test_round_trip(seed: int) -> None:
    node = _tree(seed)
    text = format_signal(node)
    assert parse(text, units=False) == node
    assert format_signal(parse(text, units=False)) == text
    assert parse(f"  {text}\n ", units=False) == node


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS)
def test_canonical_is_a_fixed_point(seed: int) -> None:
    node = _tree(seed)
    once = canonical(node)
    assert canonical(once) == once
    assert parse(format_signal(once), units=False) == once or size(once) == 1
    assert signal_digest(once) == signal_digest(node)


@settings(max_examples=100, deadline=None)
@given(a=SEEDS, b=SEEDS)
def test_similarity(a: int, b: int) -> None:
    left, right = _tree(a, 3), _tree(b, 3)
    value = similarity(left, right)
    assert 0.0 <= value <= 1.0
    assert value == similarity(right, left)
    assert (value == 1.0) == (canonical(left) == canonical(right))
    assert similarity(left, left) == 1.0


_SCRAPS = ["close", "rank", "ts_mean", "delay", "(", ")", ",", "-", "+", "*", "**", "/", " ", "5", "1e999", "0", "not ",
           "and", "or", "<", "==", "where", "x=", "[", "]", ".", "'", "lambda", ":", "if", "else", "#", "\n", "\t", "é",
           "\x00", "9" * 400, "_", "!", "@", "1_0", "0x1f", "1j", "True", "..."]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(parts=st.lists(st.sampled_from(_SCRAPS), max_size=14))
def test_any_text_gets_an_answer(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        node = parse(text)
    except SignalError as error:
        assert error.message
        assert error.column is None or 1 <= error.column <= max(len(text), 1)
    else:
        assert parse(format_signal(node)) == node


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=40))
def test_any_unicode_gets_an_answer(text: str) -> None:
    try:
        parse(text)
    except SignalError as error:
        assert error.message
