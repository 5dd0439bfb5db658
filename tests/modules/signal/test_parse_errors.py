"""Each bad expression, the column that the error points at, and what it must say."""

from __future__ import annotations

import pytest

from modules.signal import SignalError, evaluate, fields_of, parse
from modules.signal.nodes import MAX_DEPTH, MAX_NODES, MAX_TEXT
from tests.modules.signal.panels import grouped_panel, make_panel

DEEP = "-" * (MAX_DEPTH + 5) + "close"
NESTED = "abs(" * (MAX_DEPTH + 1) + "close" + ")" * (MAX_DEPTH + 1)
WIDE = "max(" * 8 + "close" + ", close)" * 8

# text, column (None: no place), what the message holds
CASES: list[tuple[str, int | None, tuple[str, ...]]] = [
    # nothing there, or too much
    ("", None, ("empty", "rank(")),
    ("  \n ", None, ("empty",)),
    ("close + " * 600 + "close", None, (f"at most {MAX_TEXT}",)),
    (DEEP, None, ("deeper than",)),
    (NESTED, 244, ("deeper than",)),
    ("((" * 200 + "close" + "))" * 200, 61, ("deeper than",)),
    ("1 + 2", 1, ("at least one field",)),
    # not the language
    ("rank(close", 5, ("cannot read this", "never closed")),
    ("close +", 7, ("cannot read this",)),
    ("close close", 7, ("cannot read this",)),
    ("clöse", 3, ("'ö'", "plain letters")),
    ("close – open", 7, ("'–'",)),
    ("close # the price", 7, ("comments",)),
    ("close[5]", 1, ("delay(x, 5)",)),
    ("close.shift(5)", 1, ("attributes",)),
    ("__import__('os')", 12, ("str", "write a number")),
    ("rank(lambda: 1)", 6, ("lambda",)),
    ("close if open else high", 1, ("where(c, a, b)",)),
    ("(close > 1) & (open > 1)", 13, ("`and`",)),
    ("(close > 1) | (open > 1)", 13, ("`or`",)),
    ("~close", 1, ("`not`",)),
    ("close // 2", 7, ("`//`",)),
    ("close % 2", 7, ("`%`",)),
    ("rank(*close)", 6, ("`*`",)),
    ("rank(**close)", 8, ("`**`",)),
    ("(x := close)", 2, (":=",)),
    ("[close]", 1, ("List is not part",)),
    ("close in open", 7, ("> < >= <=",)),
    ("close + True", 9, ("write 1 or 0",)),
    ("close + 1j", 9, ("complex",)),
    ("close + 1e999", 9, ("not finite",)),
    ("close + " + "9" * 400, 9, ("not finite",)),
    # names
    ("rnk(close)", 1, ("unknown operator rnk", "did you mean rank")),
    ("rank(-ret(close, 5))", 7, ("unknown operator ret", "returns")),
    ("sma(close, 5)", 1, ("did you mean ts_mean",)),
    ("shift(close, 5)", 1, ("did you mean delay",)),
    ("qqqq(close)", 1, ("unknown operator qqqq", "cws signal ops")),
    ("rank", 1, ("rank is an operator", "write rank(x)")),
    ("add(close, open)", 1, ("add is written x + y",)),
    # arity and keywords
    ("rank()", 1, ("rank needs x", "write rank(x)")),
    ("ts_mean(close)", 1, ("ts_mean needs window", "looks back")),
    ("ts_rank(close)", 1, ("across symbols it is rank(x)",)),
    ("rank(close, 5)", 1, ("takes 1 argument, got 2", "ts_rank(x, window)")),
    ("zscore(close, 5)", 1, ("ts_zscore(x, window)",)),
    ("where(close > 1, open)", 1, ("where needs y",)),
    ("ts_corr(close, 5)", 1, ("ts_corr needs window",)),
    ("winsorize(close, size=0.1)", 23, ("no argument size", "limit=0.05")),
    ("ts_mean(close, 5, window=6)", 26, ("window twice",)),
    ("neutralize(close)", 1, ("neutralize needs group", "write neutralize(x, group)")),
    ("top(close)", 1, ("top needs share", "write top(x, share)")),
    # inputs that may be left out
    ("regress_out(close)", 1, ("regress_out needs x1", "write regress_out(y, x1[, x2[, x3]])")),
    ("regress_out(close, open, x3=low)", 1, ("regress_out needs x2",)),
    ("regress_out(close, x2=low)", 1, ("regress_out needs x1",)),
    ("regress_out(a, b, c, d, e)", 1, ("takes 4 arguments, got 5", "[, x2[, x3]]")),
    ("regress_out(close, open, y=low)", 28, ("got y twice",)),
    # windows and other numbers
    ("ts_mean(close, window=-1)", 23, ("look-ahead",)),
    ("delta(close, 0)", 14, ("bars is 0", "from 1 to 5000")),
    ("top(close, 0)", 12, ("share is 0", "from 0.001 to 1")),
    ("bottom(close, 20)", 15, ("share is 20", "or less")),
    ("mad_clip(close, -3)", 17, ("width is -3",)),
    ("delay(close, -1)", 14, ("look-ahead", "1 bars of the future", "back only")),
    ("ts_mean(close, -20)", 16, ("ts_mean window", "look-ahead")),
    ("returns(close, 1 - 6)", 16, ("must be a number, not an expression",)),
    ("ts_mean(close, 0)", 16, ("window is 0", "from 1 to 5000; write 1 or more")),
    ("ts_mean(close, 2.5)", 16, ("2.5", "whole number")),
    ("ts_mean(close, 5001)", 16, ("5001", "from 1 to 5000")),
    ("ts_mean(close, 1e300)", 16, ("1e+300",)),
    ("ts_mean(close, open)", 16, ("must be a number, not an expression",)),
    ("ts_std(close, 1)", 15, ("from 2 to 5000",)),
    ("ts_quantile(close, 5, 1.5)", 23, ("level is 1.5", "from 0 to 1")),
    ("quantile_bucket(close, 1)", 24, ("buckets is 1", "from 2 to 100")),
    ("close ** open", 10, ("power exponent must be a number",)),
    ("close ** 99", 10, ("from -10 to 10",)),
    ("clip(close, 2, 1)", 1, ("low 2 is above high 1",)),
]


@pytest.mark.parametrize(("text", "column", "said"), CASES, ids=[c[0][:30] or "empty" for c in CASES])
def test_refused(text: str, column: int | None, said: tuple[str, ...]) -> None:
    with pytest.raises(SignalError) as caught:
        parse(text)
    error = caught.value
    for part in said:
        assert part in error.message
    if column is not None:
        assert error.column == column
        shown, pointer = str(error).splitlines()[-2:]
        assert shown[pointer.index("^")] == " ".join(text.split("\n"))[column - 1]


def test_too_many_parts() -> None:
    text = "close"
    while len(text) < MAX_TEXT // 2 - 10:
        text = f"{text}+a" if len(text) < 100 else f"({text})*({text})"
    many = " + ".join(f"max({', '.join(['a'] * 2)})" for _ in range(20))
    assert parse(many)
    with pytest.raises(SignalError, match=f"more than {MAX_NODES} parts"):
        parse(_balanced("a", 9))


def _balanced(leaf: str, levels: int) -> str:
    return leaf if levels == 0 else f"({_balanced(leaf, levels - 1)}+{_balanced(leaf, levels - 1)})"


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("rank(clsoe)", 6, ("unknown field clsoe", "did you mean close", "there is close")),
        ("rank(-returns(close, 60))", 7, ("61 bars is longer than the data, 40 bars",)),
        ("ts_mean(ts_mean(close, 30), 20)", 1, ("look-back of 49 bars",)),
    ],
)
def test_refused_for_this_panel(text: str, column: int, said: tuple[str, ...]) -> None:
    with pytest.raises(SignalError) as caught:
        evaluate(parse(text), make_panel(1))
    assert all(part in caught.value.message for part in said)
    assert caught.value.column == column


def test_known_fields_are_checked_where_they_are_given() -> None:
    assert parse("close / month", fields=["close"])
    with pytest.raises(SignalError, match="unknown field bid_size; there is close"):
        parse("close / bid_size", fields=["close"])


def test_a_field_may_be_called_as_its_operator() -> None:
    """Some vendors deliver vwap; from plain bars it is computed."""
    delivered = parse("close / vwap - 1", fields=["close", "vwap"])
    assert fields_of(delivered) == {"close", "vwap"}
    computed = r"unknown field vwap; write vwap\(high, low, close, volume, window=20\) to compute it from bars"
    with pytest.raises(SignalError, match=computed):
        parse("close / vwap", fields=["close"])


ALONE = [
    ("rank(close)", "rank", 1),
    ("close - cs_mean(close)", "cs_mean", 9),
    ("close * top(close, 0.5)", "top", 9),
    ("-neutralize(close, sector)", "neutralize", 2),
    ("ts_mean(group_rank(close, sector), 3)", "group_rank", 9),
    ("regress_out(close, open)", "regress_out", 1),
    ("vector_neutral(close, open)", "vector_neutral", 1),
]


@pytest.mark.parametrize(("text", "operator", "column"), ALONE, ids=[c[1] for c in ALONE])
def test_one_symbol_has_no_cross_section(text: str, operator: str, column: int) -> None:
    with pytest.raises(SignalError, match=rf"{operator} compares symbols, and the panel has one \(S0.NYSE\)") as caught:
        evaluate(parse(text), grouped_panel(1, symbols=1, rough=False))
    assert caught.value.column == column


def test_one_symbol_has_a_past() -> None:
    assert evaluate(parse("ts_mean(close, 3)"), make_panel(1, symbols=1, rough=False)).shape == (40, 1)


def test_a_panel_without_rows_or_symbols_is_refused() -> None:
    for panel in (make_panel(1).rows(0, 0), make_panel(1, symbols=0, rough=False)):
        with pytest.raises(SignalError, match="needs at least one of each"):
            evaluate(parse("close"), panel)
