"""How signals are written, which writings are one signal, and what is read off a tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modules.signal import canonical, fields_of, format_signal, operators, parse, signal_digest, similarity, warmup
from modules.signal.operators import MAX_WINDOW, Kind, Slot, kernel_of
from modules.signal.reference import operators_markdown
from modules.workspace import CHECKOUT

# as written, as printed
PRINTED = [
    ("rank( - returns(close,5) )", "rank(-returns(close, 5))"),
    ("returns(close)", "returns(close, 1)"),
    ("winsorize(close, limit=.01)", "winsorize(close, 0.01)"),
    ("(a+b)+c", "a + b + c"),
    ("a+(b+c)", "a + (b + c)"),
    ("a-(b-c)", "a - (b - c)"),
    ("(a*b)/c", "a * b / c"),
    ("(a+b)*c", "(a + b) * c"),
    ("-(a+b)", "-(a + b)"),
    ("-a**2", "-a ** 2"),
    ("(-a)**2", "(-a) ** 2"),
    ("(-2)**2*a", "(-2) ** 2 * a"),
    ("a - -1", "a - -1"),
    ("- - a", "--a"),
    ("+a", "a"),
    ("not a > b", "not a > b"),
    ("(not a) > b", "(not a) > b"),
    ("a > b and c or d", "a > b and c or d"),
    ("a and (b or c)", "a and (b or c)"),
    ("a < b < c", "a < b and b < c"),
    ("(a < b) < c", "(a < b) < c"),
    ("a*1e20+0.1", "a * 1e+20 + 0.1"),
    ("a+1_000", "a + 1000"),
    ("regress_out(a,x1=b)", "regress_out(a, b)"),
    ("regress_out(a,b,x3=d,x2=c)", "regress_out(a, b, c, d)"),
    ("top(a,share=.1)", "top(a, 0.1)"),
    ("where(a>b,\n  a,\tb)", "where(a > b, a, b)"),
]


@pytest.mark.parametrize(("written", "printed"), PRINTED)
def test_printed(written: str, printed: str) -> None:
    assert format_signal(parse(written)) == printed
    assert parse(printed) == parse(written)


SAME = [
    ("a + b", "b + a"),
    ("a > b", "b < a"),
    ("a >= b", "b <= a"),
    ("a and (b and c)", "(c and a) and b"),
    ("max(a, max(b, c))", "max(max(c, b), a)"),
    ("--a", "a"),
    ("a * 1", "a / 1"),
    ("a * (2 * 3)", "6 * a"),
    ("returns(close)", "returns(close, 1)"),
    ("ts_corr(a, b, 5)", "ts_corr(b, a, 5)"),
    ("unitless(a) + b", "a + b"),
    ("eq0 == b", "b == eq0"),
]
DIFFERENT = [
    ("(a + b) + c", "a + (b + c)"),  # floating addition is not associative: the bits differ
    ("a - b", "b - a"),
    ("a > b", "a >= b"),
    ("ts_mean(a, 5)", "ts_mean(a, 6)"),
    ("ts_beta(a, b, 5)", "ts_beta(b, a, 5)"),
    ("rank(a)", "ts_rank(a, 5)"),
    ("regress_out(a, b)", "regress_out(a, b, b)"),
    ("regress_out(a, b, c)", "regress_out(a, c, b)"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_one_digest_for_one_signal(a: str, b: str) -> None:
    assert canonical(parse(a)) == canonical(parse(b))
    assert signal_digest(parse(a)) == signal_digest(parse(b))
    assert similarity(parse(a), parse(b)) == 1.0


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_two_digests_for_two_signals(a: str, b: str) -> None:
    assert signal_digest(parse(a)) != signal_digest(parse(b))
    assert similarity(parse(a), parse(b)) < 1.0


def test_similarity_orders_relatives_before_strangers() -> None:
    base = parse("rank(-returns(close, 5))")
    window, sign, stranger = (
        similarity(base, parse(t))
        for t in ("rank(-returns(close, 6))", "rank(returns(close, 5))", "ts_std(volume, 20)")
    )
    assert window > 0.5
    assert window > sign > stranger == 0.0


@pytest.mark.parametrize(
    ("text", "bars", "fields"),
    [
        ("close", 0, {"close"}),
        ("rank(-returns(close, 5))", 5, {"close"}),
        ("ts_mean(returns(close, 5), 20) - ts_std(returns(volume, 1), 29)", 29, {"close", "volume"}),
        ("ts_autocorr(close, 20, 5)", 24, {"close"}),
        ("ema(delay(close, 2), 10)", 11, {"close"}),
        ("where(month == 1, high - low, 0)", 0, {"high", "low"}),
        ("atr(high, low, close, 14)", 14, {"high", "low", "close"}),
    ],
)
def test_warmup_and_fields(text: str, bars: int, fields: set[str]) -> None:
    assert warmup(parse(text)) == bars
    assert fields_of(parse(text)) == fields


def test_the_table_is_whole() -> None:
    """Every row is documented, bounded, and names a kernel of its own; wma is another name of decay_linear."""
    table = operators()
    assert len(table) >= 110
    assert len({o.kernel for o in table if o.name != "wma"}) == len(table) - 1
    for o in table:
        assert o.formula and o.units and o.nan and o.source, o.name
        assert callable(kernel_of(o)), o.name
        assert all(p.low >= 1 and p.high <= MAX_WINDOW for p in o.parameters if p.slot is Slot.WINDOW), o.name
        windows = any(p.slot is Slot.WINDOW for p in o.parameters)
        assert windows or o.kind is not Kind.WINDOW, o.name
        assert not windows or o.kind in (Kind.WINDOW, Kind.STATE), o.name


def test_the_reference_is_current() -> None:
    committed = (CHECKOUT / "docs" / "operators.md").read_text()
    assert committed == operators_markdown(), "run `python -m modules.signal.reference > docs/operators.md`"


def test_reading_and_printing_need_no_compiler(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from modules.signal import parse, format_signal, signal_digest, similarity, operators\n"
        "import modules.feature.expression.contract, modules.feature.expression.settings\n"
        "node = parse('rank(-returns(close, 5))'); format_signal(node); signal_digest(node); similarity(node, node)\n"
        "operators(); print('numba' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT, timeout=600
    )
    assert done.stdout.split() == ["False", "False"]
