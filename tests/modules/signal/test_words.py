"""Signals in words: a row a signal, with the lines that a researcher reads."""

from __future__ import annotations

import re
import string

import numpy as np
import pytest

from modules.signal import operators, parse
from modules.signal.nodes import size
from modules.signal.operators.phrases import PHRASES
from modules.signal.words import in_words, places
from tests.modules.signal.panels import random_tree

SAID = [
    ("close", ["The close"]),
    ("(high - low) / close", ["(high - low) / close"]),
    ("rank(-returns(close, 5))", ["The rank among all symbols, 0 to 1, of minus the 5-bar return of the close"]),
    (
        "ts_mean(returns(close, 1), 20) / ts_std(returns(close, 1), 60)",
        [
            "A / B",
            "A: the 20-bar mean of the 1-bar return of the close",
            "B: the 60-bar standard deviation of the 1-bar return of the close",
        ],
    ),
    (
        "where(volume > 2 * ts_mean(volume, 20), -returns(close, 1), 0)",
        [
            "B where A holds, else 0",
            "A: whether volume is above 2 * the 20-bar mean of volume",
            "B: minus the 1-bar return of the close",
        ],
    ),
    (
        "rank(ts_mean(volume, 5)) * ts_mean(volume, 5)",
        ["A * B", "A: the rank among all symbols, 0 to 1, of the 5-bar mean of volume", "B: the 5-bar mean of volume"],
    ),
    ("delay(close, 1) / close", ["A / close", "A: the close, 1 bar ago"]),
    (
        "(low - min(open, close)) / (high - low)",
        ["(low - A) / (high - low)", "A: the smaller of the open and the close"],
    ),
    ("(20 - ts_argmin(low, 20)) / 20", ["(20 - A) / 20", "A: the bars since the 20-bar low of the low"]),
    ("log(volume / open + 1)", ["The logarithm of (volume / open + 1)"]),
    ("-(ts_max(high, 5) - close)", ["-(A - close)", "A: the 5-bar high of the high"]),
    (
        "ts_corr(ts_mean(close, 5), open, 10)",
        ["The 10-bar correlation of A and the open", "A: the 5-bar mean of the close"],
    ),
    (
        "ts_mean(close > delay(close, 1), 20)",
        ["The share of 20 bars on which it holds that the close is above the close, 1 bar ago"],
    ),
    (
        "where(close > ts_mean(close, 5), 1, 0)",
        ["1 where A holds, else 0", "A: whether the close is above the 5-bar mean of the close"],
    ),
    (
        "rank(coalesce(ts_mean(close, 5), close))",
        [
            "The rank among all symbols, 0 to 1, of A",
            "A: the 5-bar mean of the close, or the close where that is missing",
        ],
    ),
    (
        "ts_rank(rank(close) ** 5, 9)",
        ["The rank among its own 9 bars, 0 to 1, of (A ** 5)", "A: the rank among all symbols, 0 to 1, of the close"],
    ),
    ("neutralize(returns(close, 5), sector)", ["The 5-bar return of the close, less the mean of its sector"]),
    ("rank(1 + ts_sum(volume, 5))", ["The rank among all symbols, 0 to 1, of (1 + the 5-bar sum of volume)"]),
    ("ts_sum(close > open, 5)", ["The 5-bar sum of (close > open)"]),
]


@pytest.mark.parametrize(("text", "lines"), SAID, ids=[t for t, _ in SAID])
def test_in_words(text: str, lines: list[str]) -> None:
    assert list(in_words(parse(text)).lines()) == lines


def test_every_operator_has_a_phrase_that_names_all_it_takes() -> None:
    for row in operators():
        named = {*row.inputs, *(p.name for p in row.parameters)}
        assert row.name in PHRASES, f"{row.name} has no phrase in modules/signal/operators/phrases.py"
        assert places(PHRASES[row.name]) <= named, row.name
        numbers = {p.name for p in row.parameters}
        assert numbers <= places(PHRASES[row.name]), f"{row.name}: the phrase leaves out {numbers}"
    assert set(PHRASES) == {row.name for row in operators()}


@pytest.mark.parametrize("seed", range(40))
def test_each_letter_is_explained_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    node = random_tree(operators(), rng, 4)
    words = in_words(node)
    letters = [letter for letter, _ in words.parts]
    assert len(set(letters)) == len(letters)
    said = " ".join([words.sentence, *(text for _, text in words.parts)])
    for letter in letters:
        assert re.search(rf"(?<!\w){letter}(?!\w)", said), f"{letter} is explained and never used"
    used = set(re.findall(rf"(?<![\w'])([{string.ascii_uppercase}]\d*)(?![\w'])", said))
    assert used - {"A"} <= set(letters)
    assert len(letters) <= size(node)
