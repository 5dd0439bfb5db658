"""The shipped index: complete entries, constructions that compute, searches that keep what speaks against.

1. At least 300 sources; every skill and event they name exists; every source but findings on all predictors has skills.
2. Every construction is read by the language, its units fit, and it reads only bars, the calendar, sectors and facts.
3. Constructions have values on simulated bars and facts, tell symbols apart, and change nothing when later bars are
   taken away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.literature.index import ANY_EVENT, Source, load_index, search, source_of
from modules.facts.fields import FACT_FIELDS
from modules.panel import Panel
from modules.signal import evaluate, fields_of, parse, unit_of, warmup
from modules.signal.calendar import CALENDAR_FIELDS
from skills.registry import drafting_skills, skills

BARS = frozenset({"open", "high", "low", "close", "volume"})
ENTRY = """- key: {key}
  authors: A
  year: 2000
  title: T
  journal: J
  claim: what is large gets larger
  sign: 1
  horizon_bars: 1
  sample: S
"""


def made() -> list[Source]:
    return [s for s in load_index() if s.construction is not None]


def test_sources_name_known_skills_and_events() -> None:
    """Invariant 1."""
    sources = load_index()
    names = {s.name for s in skills()}
    events = {d.event for _, d in drafting_skills(skills())} | {ANY_EVENT}
    assert len(sources) >= 300
    for source in sources:
        assert set(source.skills) <= names, source.key
        assert set(source.events) <= events, source.key
        assert source.skills or source.family == "meta", source.key
    assert len(made()) >= 200
    covered = {e for s in sources for e in s.events if s.senses[e]}
    assert len(events - covered) <= 20, f"no finding says anything of {sorted(events - covered)}"


def test_every_construction_is_read_and_its_units_fit() -> None:
    """Invariant 2."""
    known = BARS | set(CALENDAR_FIELDS) | {"sector"} | set(FACT_FIELDS)
    for source in made():
        assert source.construction is not None
        node = parse(source.construction)
        unit_of(node)
        assert set(fields_of(node)) <= known, source.key


@pytest.mark.slow
def test_constructions_have_values_and_see_no_future() -> None:
    """Invariant 3. The longest looks back 16 years; those beyond `rows` are left to the proof of each draft."""
    rng = np.random.default_rng(5)
    rows, symbols, cut = 1_700, 6, 1_650
    moves = rng.normal(0.0002, 0.02, (rows, symbols)) * (rng.random((rows, symbols)) > 0.03)
    close = 40.0 * np.exp(np.cumsum(moves, axis=0))
    opened = close * np.exp(rng.normal(0, 0.004, close.shape))
    span = np.exp(np.abs(rng.normal(0, 0.006, close.shape)))
    volume = np.round(np.exp(rng.normal(12, 0.6, close.shape)))
    volume[rng.random(close.shape) < 0.01] = 0.0
    ts = (np.datetime64("2010-01-04") + np.arange(rows)).astype("datetime64[ns]").astype(np.int64)
    fields = {
        "open": opened, "high": np.maximum(opened, close) * span, "low": np.minimum(opened, close) / span,
        "close": close, "volume": volume, "sector": np.tile(np.arange(symbols) % 2.0, (rows, 1)),
    }  # fmt: skip
    stems = {name: name.removesuffix("_year_ago") for name in FACT_FIELDS}
    level = {stem: rng.uniform(1.0, 3.0) + rng.normal(0.0, 0.3, symbols) for stem in stems.values()}
    facts = {
        name: 1e6 * np.exp(level[stem] + np.cumsum(rng.normal(0.0, 0.02, (rows, symbols)), axis=0))
        for name, stem in stems.items()
    }
    facts["buybacks_ttm"][:, ::2] = 0.0
    panel = Panel(ts, tuple(f"S{i}.X" for i in range(symbols)), {**facts, **fields})
    checked = 0
    for source in made():
        node = parse(source.construction or "")
        if warmup(node) >= cut:
            continue
        values = evaluate(node, panel)
        assert np.isfinite(values[cut:]).mean() > 0.15, source.key
        assert np.nanmax(values) > np.nanmin(values), source.key
        short = evaluate(node, panel.rows(0, cut))
        assert np.array_equal(short.view(np.uint64), values[:cut].view(np.uint64)), source.key
        checked += 1
    assert checked >= 240


def test_nearest_window_and_sign_first_with_one_against() -> None:
    on = frozenset({"return"})
    found = search(on, sign=-1, horizon_bars=5)
    assert [s.says(on) for s in found] == [-1, -1, -1, 1]


@pytest.mark.parametrize(
    ("key", "event", "says"),
    [
        ("brennan-chordia-subrahmanyam-1998", "illiquidity", 1), ("atilgan-et-al-2020", "volatility", -1),
        ("barroso-santa-clara-2015", "return", 1), ("barroso-santa-clara-2015", "volatility", 0),
        ("jegadeesh-1990", "return", -1), ("jegadeesh-1990", "volume", 0), ("lou-polk-skouras-2019", "tug", 1),
    ],
)  # fmt: skip
def test_a_finding_speaks_in_the_sense_of_the_event(key: str, event: str, says: int) -> None:
    source = source_of(key)
    assert source is not None and source.says(frozenset({event})) == says


def test_unknown_event_finds_nothing() -> None:
    assert search(frozenset({"moon"}), sign=1, horizon_bars=None) == ()


def test_source_by_key() -> None:
    found = source_of("sloan-1996")
    assert found is not None and found.sign == -1 and found.t_stat == 4.71 and found.family == "accruals"
    assert source_of("nobody-1900") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY.format(key="a") * 2, "needs"),
        ((ENTRY + "  needs: more data\n").format(key="a") * 2, "key a stands twice"),
        ((ENTRY + "  needs: more\n  construction: close\n").format(key="a"), "not both"),
        ((ENTRY + "  construction: close\n").format(key="a"), "fidelity"),
        ((ENTRY + "  needs: more\n  colour: red\n").format(key="a"), r"x.yaml, entry 1 \(a\): colour"),
        (ENTRY.format(key="a").replace("sign: 1", "sign: 0"), "sign"),
        ("", "tuple"),
    ],
    ids=["neither", "twice", "both", "no fidelity", "unknown field", "no sign", "empty"],
)
def test_a_broken_entry_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ValueError, match=says):
        load_index(tmp_path)


def test_an_index_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no source"):
        load_index(tmp_path)
