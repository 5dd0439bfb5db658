"""The shipped index: complete entries, keys that exist, and a search that keeps what speaks against."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.literature.index import ANY_EVENT, load_index, search
from skills.registry import drafting_skills, skills


def test_enough_entries_that_name_known_skills_and_events() -> None:
    sources = load_index()
    names = {s.name for s in skills()}
    events = {d.event for _, d in drafting_skills(skills())} | {ANY_EVENT}
    assert len(sources) >= 30
    for source in sources:
        assert set(source.skills) <= names, source.key
        assert set(source.events) <= events, source.key


def test_nearest_window_and_sign_first_with_one_against() -> None:
    found = search(frozenset({"return"}), sign=-1, horizon_bars=5)
    assert len(found) == 4
    assert [s.sign for s in found[:3]] == [-1, -1, -1]
    assert found[3].sign == 1


def test_unknown_event_finds_nothing() -> None:
    assert search(frozenset({"moon"}), sign=1, horizon_bars=None) == ()


def test_key_given_twice_is_refused(tmp_path: Path) -> None:
    entry = (
        "- {key: a, authors: A, year: 2000, title: T, journal: J, claim: C, horizon_bars: 1, sign: 1, events: [x], "
        "skills: [], sample: S}\n"
    )
    path = tmp_path / "index.yaml"
    path.write_text(entry * 2)
    with pytest.raises(ValueError, match="stands twice"):
        load_index(path)
