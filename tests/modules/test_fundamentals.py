"""Facts as panel fields: what was known at each bar, and nothing else.

1. A figure is invisible before its acceptance second and visible at the first bar known at or after it: session closes
   in summer and winter time, half days, weekends, bars within a day, bars without a calendar.
2. A restatement is seen from its own acceptance on, and changes nothing before.
3. Row t equals what `as_of` at the moment of bar t gives, for statements of every kind (made by hypothesis).
4. Quarters and four quarters follow from what was stated: the fourth quarter, sums so far, years, restated parts.
5. A figure of a period that ended too long ago is missing.
6. The order of facts changes nothing; the order of symbols permutes the result; later bars and facts change nothing.
7. Market value follows the close as traded and the shares of the day, through splits and dividends; an adjusted close
   times shares as filed is found to read a level.
8. Figures in another currency are not used; what cannot go together is refused with a remedy.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.bitemporal import FACT, as_of
from modules.contract import TIME
from modules.crossings import FactsSchema
from modules.facts.fields import view_of
from modules.facts.history import History
from modules.fundamentals import FactsError, Sources, known_at, looks_ahead, not_stated, with_fundamentals
from modules.panel import FloatArray, Panel, ns
from modules.schema import TableSchema
from modules.signal import parse
from modules.signal.prove import level_difference

Fact = tuple[str, str, str, int, str, float]
"""symbol, concept, period end, quarters, accepted (UTC), value"""


def facts_table(rows: Iterable[Fact], unit: str = "USD") -> pl.DataFrame:
    columns: dict[str, list[object]] = {name: [] for name in FactsSchema.columns()}
    for symbol, concept, end, quarters, known, value in rows:
        start = None if quarters == 0 else ns(end) - quarters * 91 * 86_400 * 10**9
        shares = "shares" in concept
        cells = {
            "symbol": symbol, "concept": concept, "event_time": ns(end), "quarters": quarters,
            "unit": "shares" if shares else unit, "available_at": ns(known), "period_start": start, "value": value,
            "form": "10-Q", "accession": f"{symbol}-{known}",
        }  # fmt: skip
        for name, cell in cells.items():
            columns[name].append(cell)
    times = ("event_time", "available_at", "period_start")
    schema = {n: pl.Int64 if n in times else c.dtype for n, c in FactsSchema.columns().items()}
    table = pl.DataFrame(columns, schema=schema).with_columns(pl.col(t).cast(TIME) for t in times)
    assert not TableSchema(FactsSchema).check("facts", table)
    return table


def sources(
    days: Sequence[str], facts: pl.DataFrame, *, symbols: tuple[str, ...] = ("A",), calendar: str = "XNYS",
    close: FloatArray | None = None, raw: FloatArray | None = None,
) -> Sources:  # fmt: skip
    """Bars on `days`; `raw` closes beside adjusted ones, where given."""
    ts = np.array([ns(d) for d in days])
    close = np.full((ts.size, len(symbols)), 10.0) if close is None else close
    n = len(symbols)
    instruments = pl.DataFrame({"symbol": symbols, "calendar": [calendar] * n, "currency": ["USD"] * n}).with_columns(
        pl.lit(int(ts[0])).cast(TIME).alias("valid_from")
    )
    cells = {
        "symbol": list(symbols) * ts.size,
        "event_time": np.repeat(ts, n),
        "close": (close if raw is None else raw).ravel(),
        "adj_close": close.ravel() if raw is not None else [None] * (ts.size * n),
    }
    schema = {"symbol": pl.String, "event_time": pl.Int64, "close": pl.Float64, "adj_close": pl.Float64}
    records = pl.DataFrame(cells, schema=schema).with_columns(pl.col("event_time").cast(TIME))
    return Sources(Panel(ts, symbols, {"close": close}), instruments, records, facts)


def column(source: Sources, name: str, stale_days: int = 1000) -> list[float | None]:
    values = with_fundamentals(source, [name], stale_days)[name][:, 0]
    return [None if math.isnan(v) else v for v in values]


SUMMER = ("2009-08-05", "2009-08-06", "2009-08-07", "2009-08-10")
WINTER = ("2009-11-25", "2009-11-27", "2009-11-30", "2009-12-01")  # the 27th closes at 13:00


@pytest.mark.parametrize(
    ("days", "known", "first"),
    [
        (SUMMER, "2009-08-06T19:59:59Z", 1),
        (SUMMER, "2009-08-06T20:00:00Z", 1),  # at the close itself
        (SUMMER, "2009-08-06T20:00:01Z", 2),  # a second later: the next session
        (SUMMER, "2009-08-07T20:30:00Z", 3),  # Friday evening: Monday
        (SUMMER, "2009-08-08T12:00:00Z", 3),
        (SUMMER, "2009-08-10T20:00:01Z", None),
        (WINTER, "2009-11-25T21:00:00Z", 1),  # never by the first bar, whose kind is not known; the half day sees it
        (WINTER, "2009-11-27T18:00:00Z", 1),
        (WINTER, "2009-11-27T18:00:01Z", 2),
        (WINTER, "2009-11-30T21:00:00Z", 2),
        (WINTER, "2009-11-30T21:00:01Z", 3),
    ],
)
def test_1_a_figure_is_seen_at_the_first_close_after_its_acceptance(
    days: Sequence[str], known: str, first: int | None
) -> None:
    source = sources(days, facts_table([("A", "total_assets", "2009-06-30", 0, known, 7.0)]))
    expected = [7.0 if first is not None and i >= first else None for i in range(4)]
    assert column(source, "total_assets") == expected


def test_1_bars_within_a_day_know_what_was_known_when_they_begin() -> None:
    hours = [f"2009-08-06T{h:02d}:30:00" for h in (13, 14, 15, 16)]
    for known, first in (("2009-08-06T14:30:00Z", 1), ("2009-08-06T14:30:01Z", 2)):
        source = sources(hours, facts_table([("A", "total_assets", "2009-06-30", 0, known, 7.0)]))
        assert column(source, "total_assets") == [7.0 if i >= first else None for i in range(4)]


def test_1_hours_around_midnight_are_no_days() -> None:
    hours = ["2009-08-06T00:00:00", "2009-08-06T01:00:00", "2009-08-07T00:00:00", "2009-08-08T00:00:00"]
    source = sources(hours, facts_table([("A", "total_assets", "2009-06-30", 0, "2009-08-07T12:00:00Z", 7.0)]))
    assert column(source, "total_assets") == [None, None, None, 7.0]


def test_1_without_a_calendar_a_day_ends_at_midnight_utc() -> None:
    facts = facts_table([("A", "total_assets", "2009-06-30", 0, "2009-08-07T23:59:59Z", 7.0)])
    assert column(sources(SUMMER, facts, calendar="UNKNOWN"), "total_assets") == [None, None, 7.0, 7.0]
    assert column(sources(SUMMER, facts, calendar="XNYS"), "total_assets") == [None, None, None, 7.0]


def test_2_a_restatement_is_seen_from_its_own_acceptance_on() -> None:
    rows: list[Fact] = [
        ("A", "total_assets", "2009-06-30", 0, "2009-08-05T21:00:00Z", 7.0),
        ("A", "total_assets", "2009-06-30", 0, "2009-08-07T13:00:00Z", 9.0),  # amended
        ("A", "total_assets", "2009-03-31", 0, "2009-08-10T13:00:00Z", 5.0),  # an older period, restated later
    ]
    assert column(sources(SUMMER, facts_table(rows)), "total_assets") == [None, 7.0, 9.0, 9.0]
    before = sources(SUMMER, facts_table(rows[:1]))
    assert column(before, "total_assets")[:2] == [None, 7.0]


# --- quarters -------------------------------------------------------------------------------------

Q = {"2008-03-31": 10.0, "2008-06-30": 11.0, "2008-09-30": 12.0, "2008-12-31": 13.0,
     "2009-03-31": 20.0, "2009-06-30": 21.0, "2009-09-30": 22.0, "2009-12-31": 23.0}  # fmt: skip
SO_FAR = [("2008-06-30", 2, 21.0), ("2008-09-30", 3, 33.0), ("2008-12-31", 4, 46.0), ("2009-06-30", 2, 41.0),
          ("2009-09-30", 3, 63.0), ("2009-12-31", 4, 86.0)]  # fmt: skip
SINGLE = [(end, 1, v) for end, v in Q.items()]


@pytest.mark.parametrize(
    ("stated", "quarter", "quarter_ago", "ttm", "ttm_ago"),
    [
        (SINGLE, 23.0, 13.0, 86.0, 46.0),
        (SINGLE[:7], 22.0, 12.0, 76.0, None),
        # three quarters and the year: the fourth is what is left
        ([*SINGLE[:3], *SINGLE[4:7], ("2008-12-31", 4, 46.0), ("2009-12-31", 4, 86.0)], 23.0, 13.0, 86.0, 46.0),
        # only sums since the start of the year, as in statements of cash flows
        ([SINGLE[0], SINGLE[4], *SO_FAR], 23.0, 13.0, 86.0, 46.0),
        ([SINGLE[0], SINGLE[4], *SO_FAR[:5]], 22.0, 12.0, 76.0, None),
        ([SINGLE[0], SINGLE[4], *SO_FAR[:3], SO_FAR[3]], 21.0, 11.0, 66.0, None),
        ([SINGLE[0], *SO_FAR[:3], SINGLE[4]], 20.0, 10.0, 56.0, None),
        # a year alone has no quarter
        ([("2009-12-31", 4, 86.0)], None, None, 86.0, None),
        # the newest quarter without its year: no guess
        ([("2009-06-30", 2, 41.0), ("2008-06-30", 2, 21.0)], None, None, None, None),
        # quarters of 12 and 13 weeks wander about the month's end, and over the middle of a month
        ([("2008-03-22", 1, 10.0), ("2008-06-14", 1, 11.0), ("2008-09-06", 1, 12.0), ("2008-12-27", 4, 46.0)],
         13.0, None, 46.0, None),
        ([("2008-03-29", 1, 10.0), ("2008-06-28", 1, 11.0), ("2008-09-27", 1, 12.0), ("2008-12-27", 1, 13.0),
          ("2009-04-02", 1, 20.0)], 20.0, 10.0, 56.0, None),
    ],
)  # fmt: skip
def test_4_quarters_and_four_quarters(
    stated: list[tuple[str, int, float]],
    quarter: float | None,
    quarter_ago: float | None,
    ttm: float | None,
    ttm_ago: float | None,
) -> None:
    facts = facts_table([("A", "revenue", end, n, "2010-02-20T12:00:00Z", v) for end, n, v in stated])
    source = sources(("2010-02-19", "2010-02-22"), facts)
    names = ("revenue_quarter", "revenue_quarter_year_ago", "revenue_ttm", "revenue_ttm_year_ago")
    for name, expected in zip(names, (quarter, quarter_ago, ttm, ttm_ago), strict=True):
        assert column(source, name)[0] is None
        found = column(source, name)[1]
        assert (found is None) == (expected is None), name
        assert found is None or expected is None or found == pytest.approx(expected, rel=1e-12), name


def test_4_the_fourth_quarter_moves_with_a_restated_part() -> None:
    rows: list[Fact] = [("A", "revenue", e, n, "2010-02-18T12:00:00Z", v) for e, n, v in [SINGLE[4], *SO_FAR[3:]]]
    rows.append(("A", "revenue", "2009-09-30", 3, "2010-02-19T22:00:00Z", 60.0))
    source = sources(("2010-02-18", "2010-02-19", "2010-02-22"), facts_table(rows))
    assert column(source, "revenue_quarter")[1:] == [23.0, 26.0]
    assert column(source, "revenue_ttm")[1:] == [86.0, 86.0]


def test_5_a_stale_figure_is_missing() -> None:
    facts = facts_table([("A", "total_assets", "2009-06-30", 0, "2009-08-05T12:00:00Z", 7.0)])
    days = ("2009-08-05", "2009-10-07", "2009-10-08", "2009-10-09")  # 2009-10-08 is 100 days after the period
    assert column(sources(days, facts, calendar="UNKNOWN"), "total_assets", 101) == [None, 7.0, 7.0, None]


def test_a_year_ago_is_a_year_before_the_newest() -> None:
    ends = ("2008-03-31", "2008-06-30", "2009-03-31", "2009-06-30")
    rows: list[Fact] = [("A", "total_assets", e, 0, f"2009-08-0{i + 4}T12:00:00Z", i + 1.0) for i, e in enumerate(ends)]
    source = sources(("2009-08-03", "2009-08-04", "2009-08-05", "2009-08-06", "2009-08-07"), facts_table(rows))
    assert column(source, "total_assets", 1000)[1:] == [1.0, 2.0, 3.0, 4.0]
    assert column(source, "total_assets_year_ago", 1000)[1:] == [None, None, 1.0, 2.0]


# --- any statements at all ------------------------------------------------------------------------

ENDS = ("2008-03-31", "2008-06-30", "2008-09-30", "2008-12-31", "2009-03-31", "2009-06-30")
DAYS = tuple(f"2009-08-{d:02d}" for d in (3, 4, 5, 6, 7, 10, 11, 12))
VIEWS = (
    "total_assets", "total_assets_year_ago", "revenue_quarter", "revenue_quarter_year_ago", "revenue_ttm",
    "revenue_ttm_year_ago",
)  # fmt: skip
STATEMENTS = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        st.sampled_from(ENDS),
        st.integers(0, 4),
        st.integers(ns("2009-08-01") // 10**9, ns("2009-08-13") // 10**9),
        st.floats(-1e6, 1e6),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda s: s[:4],
)


def random_facts(found: list[tuple[str, str, int, int, float]]) -> pl.DataFrame:
    rows = [
        (s, "revenue" if q else "total_assets", end, q, str(np.datetime64(at, "s")), v) for s, end, q, at, v in found
    ]
    return facts_table(rows)


@given(found=STATEMENTS)
@settings(max_examples=20, deadline=None)
def test_3_a_row_is_what_as_of_says_at_its_moment(found: list[tuple[str, str, int, int, float]]) -> None:
    source = sources(DAYS, random_facts(found), symbols=("A", "B"))
    panel = with_fundamentals(source, VIEWS, 1000)
    known = known_at(source.bars, source.instruments)
    for t in range(len(DAYS)):
        for i, symbol in enumerate(("A", "B")):
            seen = as_of(source.facts, int(known[t, i]), FACT).filter(pl.col("symbol") == symbol)
            for name in VIEWS:
                view = view_of(name)
                history = History()
                own = seen.filter(pl.col("concept") == view.concept)
                ends = own.get_column("event_time").to_physical()
                for end, quarters, value in zip(ends, own.get_column("quarters"), own.get_column("value"), strict=True):
                    history.state(quarters, end, value, 0)
                expected = history.look(view.window, year_ago=view.year_ago).value
                assert np.array_equal([panel[name][t, i]], [expected], equal_nan=True), (name, t, symbol)


@given(found=STATEMENTS, seed=st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_6_order_and_what_comes_later_change_nothing(found: list[tuple[str, str, int, int, float]], seed: int) -> None:
    facts = random_facts(found)
    source = sources(DAYS, facts, symbols=("A", "B"))
    panel = with_fundamentals(source, VIEWS, 1000)
    shuffled = dataclasses.replace(source, facts=facts.sample(facts.height, shuffle=True, seed=seed))
    turned = sources(DAYS, facts, symbols=("B", "A"))
    for name, values in with_fundamentals(shuffled, VIEWS, 1000).fields.items():
        assert values.tobytes() == panel[name].tobytes()
    for name, values in with_fundamentals(turned, VIEWS, 1000).fields.items():
        assert np.ascontiguousarray(values[:, ::-1]).tobytes() == panel[name].tobytes()
    assert looks_ahead(source, panel, 1000, range(len(DAYS))) is None


def test_6_a_field_that_looks_ahead_is_caught() -> None:
    facts = facts_table([("A", "total_assets", "2009-06-30", 0, "2009-08-06T21:00:00Z", 7.0)])
    source = sources(SUMMER, facts)
    panel = with_fundamentals(source, ["total_assets"], 1000)
    early = panel["total_assets"].copy()
    early[1] = 7.0  # on the evening of the 6th the bar of the 6th is over
    found = looks_ahead(source, panel.with_fields(total_assets=early), 1000, (1, 2))
    assert found is not None and found.startswith("total_assets 2009-08-06 A = ")


# --- market value ---------------------------------------------------------------------------------

WEEK = ("2009-08-03", "2009-08-04", "2009-08-05", "2009-08-06", "2009-08-07", "2009-08-10")


def with_a_split(*, shares_known: str = "2009-08-04T12:00:00Z") -> Sources:
    """100 a share; 2 for 1 on the 6th; a dividend of 1 on the 10th. Adjusted by everything up to 2020."""
    raw = np.array([100.0, 100.0, 102.0, 51.0, 51.0, 50.0])[:, None]
    later = 0.125  # an eight for one in 2014, which nobody knew
    adjusted = np.array([49.0, 49.0, 49.98, 49.98, 49.98, 50.0])[:, None] * later
    facts = facts_table([
        ("A", "shares_outstanding", "2009-06-30", 0, shares_known, 1000.0),
        ("A", "shares_outstanding", "2008-06-30", 0, shares_known, 900.0),
        ("A", "book_equity", "2009-06-30", 0, "2009-08-04T12:00:00Z", 50_000.0),
    ])  # fmt: skip
    return sources(WEEK, facts, close=adjusted, raw=raw)


def test_7_actions_of_the_data_say_prices_and_splits_outright() -> None:
    """A 20:19 split, too small to be told from prices, moves the shares where the data state it."""
    source = with_a_split()
    raw = np.array([100.0, 100.0, 102.0, 96.9, 96.9, 95.0])[:, None]
    split = np.array([1.0, 1.0, 1.0, 20.0 / 19.0, 1.0, 1.0])[:, None]
    bare = dataclasses.replace(source, records=source.records.with_columns(adj_close=pl.lit(None, pl.Float64)))
    stated = dataclasses.replace(bare, bars=source.bars.with_fields(raw_close=raw, split=split))
    assert column(stated, "close_as_traded") == raw[:, 0].tolist()
    assert column(stated, "shares_outstanding")[2:] == [1000.0, *[1000.0 * 20.0 / 19.0] * 3]
    with pytest.raises(FactsError, match="no adjusted close"):
        column(bare, "market_cap")


def test_7_market_value_through_a_split_and_a_dividend() -> None:
    source = with_a_split()
    assert column(source, "close_as_traded") == [100.0, 100.0, 102.0, 51.0, 51.0, 50.0]
    shares = with_fundamentals(source, ["shares_outstanding", "shares_outstanding_year_ago", "market_cap"], 1000)
    np.testing.assert_allclose(shares["shares_outstanding"][:, 0], [np.nan, 1000, 1000, 2000, 2000, 2000], rtol=1e-12)
    np.testing.assert_allclose(shares["shares_outstanding_year_ago"][1:, 0], [900, 900, 1800, 1800, 1800], rtol=1e-12)
    np.testing.assert_allclose(shares["market_cap"][1:, 0], [1e5, 1.02e5, 1.02e5, 1.02e5, 1e5], rtol=1e-12)


def test_7_shares_filed_after_a_split_are_not_split_again() -> None:
    for known, expected in (("2009-08-06T12:00:00Z", 2000.0), ("2009-08-06T20:30:00Z", 1000.0)):
        source = with_a_split(shares_known=known)
        assert with_fundamentals(source, ["shares_outstanding"], 1000)["shares_outstanding"][-1, 0] == expected


def test_7_mean_shares_stand_in_where_no_count_is_stated() -> None:
    source = with_a_split()
    facts = source.facts.with_columns(
        pl.col("concept").replace("shares_outstanding", "weighted_shares"),
        pl.when(pl.col("concept") == "shares_outstanding")
        .then(1)
        .otherwise("quarters")
        .cast(pl.Int64)
        .alias("quarters"),
    )
    values = with_fundamentals(dataclasses.replace(source, facts=facts), ["market_cap"], 1000)["market_cap"]
    np.testing.assert_allclose(values[1:, 0], [1e5, 1.02e5, 1.02e5, 1.02e5, 1e5], rtol=1e-12)


def test_7_counts_that_are_thousands_apart_are_not_used() -> None:
    """As Crown Castle's of 2009: 290,790 million shares, and a mean of 286 million."""
    for count, used in ((286_449_000.0, True), (290_790_000_000.0, False), (290_790.0, False)):
        facts = facts_table([
            ("A", "shares_outstanding", "2009-06-30", 0, "2009-08-04T12:00:00Z", count),
            ("A", "weighted_shares", "2009-06-30", 1, "2009-08-04T12:00:00Z", 286_181_000.0),
        ])  # fmt: skip
        source = dataclasses.replace(with_a_split(), facts=facts)
        values = with_fundamentals(source, ["shares_outstanding", "market_cap"], 1000)
        assert bool(np.isnan(values["market_cap"][1, 0])) is not used
        assert used or np.isnan(values["shares_outstanding"]).all()


@pytest.mark.parametrize(
    ("expr", "level"),
    [
        ("book_equity / market_cap", False),
        ("log(shares_outstanding / shares_outstanding_year_ago)", False),
        ("book_equity / (close * shares_outstanding)", True),
        ("close / close_as_traded", True),
    ],
)
def test_7_an_adjusted_close_times_shares_as_filed_is_a_level(expr: str, level: bool) -> None:
    rng = np.random.default_rng(0)
    fields = (
        "close",
        "book_equity",
        "market_cap",
        "shares_outstanding",
        "shares_outstanding_year_ago",
        "close_as_traded",
    )
    ts = np.arange(60) * 86_400 * 10**9
    panel = Panel(ts, ("A", "B", "C"), {n: 50.0 + rng.random((60, 3)) for n in fields})
    assert (level_difference(parse(expr), panel) is not None) is level


# --- what does not go together --------------------------------------------------------------------


def test_8_another_currency_is_not_used() -> None:
    rows: list[Fact] = [("A", "total_assets", "2009-06-30", 0, "2009-08-05T12:00:00Z", 7.0)]
    assert column(sources(SUMMER, facts_table(rows, unit="EUR")), "total_assets") == [None] * 4
    assert column(sources(SUMMER, facts_table(rows)), "total_assets")[3] == 7.0


@pytest.mark.parametrize(
    ("symbol", "names", "says"),
    [
        ("Z", ["total_assets"], "the facts know none of the bars' symbols: facts have Z, bars A; give both"),
        ("A", ["total_asets"], "total_asets is neither a field of the bars nor a concept: the facts have total_assets"),
        ("A", ["market_cap"], "market_cap needs the close as traded, and the records have no adjusted close"),
    ],
)
def test_8_what_cannot_be_made_is_refused(symbol: str, names: list[str], says: str) -> None:
    source = sources(SUMMER, facts_table([(symbol, "total_assets", "2009-06-30", 0, "2009-08-05T12:00:00Z", 7.0)]))
    with pytest.raises(FactsError, match=says):
        with_fundamentals(source, names, 300)


def test_a_concept_that_nobody_states_is_missing_and_said() -> None:
    source = sources(SUMMER, facts_table([("A", "total_assets", "2009-06-30", 0, "2009-08-05T12:00:00Z", 7.0)]))
    assert column(source, "goodwill") == [None] * 4
    assert not_stated(source.facts, {"goodwill", "total_assets", "revenue_ttm"}) == ["goodwill", "revenue"]


def test_a_concept_of_ones_own_can_be_read() -> None:
    source = sources(SUMMER, facts_table([("A", "patents", "2009-06-30", 0, "2009-08-05T12:00:00Z", 7.0)]))
    assert column(source, "patents") == [None, 7.0, 7.0, 7.0]
