"""The definitions of the library, as they were when runs were recorded, and what every row must be.

A definition that changes in place makes recorded runs give other bits: put the old row back and add a row with the
next version. After adding rows: `python -m tests.modules.feature.test_definitions` and
`python -m modules.feature.reference > docs/features.md`. The command refuses to renew a row that changed, unless it is
told `all`: for the day when the canonical form of the language itself changes, and with it every digest and no value.

1. Every row reads as it did: the digest of its canonical form and its sign are pinned, and no pinned row is gone.
2. Names are unique over the whole library, whatever their case (column names of databases know none); versions count
   from 1; no two names mean the same.
3. Each row can be read, its units fit, and it names a source.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from modules.feature.library import FeatureError, families, find, latest, library
from modules.feature.reference import features_markdown
from modules.feature.row import Feature
from modules.registry import list_modules, load_module
from modules.signal import parse, signal_digest
from modules.workspace import CHECKOUT

GOLDEN = Path(__file__).with_name("definitions.json")
ROWS = tuple(row for rows in families().values() for row in rows)


def pinned(row: Feature) -> str:
    """What a recorded run relies on."""
    return f"{signal_digest(row.node)} {row.sign:+d}"


def test_no_definition_changed_in_place() -> None:
    """Invariant 1."""
    golden = json.loads(GOLDEN.read_text())
    now = {row.reference: pinned(row) for row in ROWS}
    assert sorted(golden.keys() - now.keys()) == [], "these rows are gone; runs that name them could not replay"
    assert [r for r in golden if golden[r] != now[r]] == [], "put the old rows back and add rows with the next version"
    assert sorted(now.keys() - golden.keys()) == [], "run `python -m tests.modules.feature.test_definitions`"


def test_a_definition_that_changes_would_be_seen() -> None:
    row = find("KMID@1")
    golden = json.loads(GOLDEN.read_text())
    for other in (Feature(row.name, "(close - open) / close", 0, "x"), Feature(row.name, row.expr, -1, "x")):
        assert pinned(other) != golden["KMID@1"]
    assert pinned(Feature("KMID", "((close - open)) / open", 0, "another source")) == golden["KMID@1"]


def test_names_are_unique_and_versions_count() -> None:
    """Invariant 2."""
    by_name: dict[str, list[int]] = {}
    for row in ROWS:
        by_name.setdefault(row.name, []).append(row.version)
    assert {name: v for name, v in by_name.items() if sorted(v) != list(range(1, len(v) + 1))} == {}
    folded = Counter(name.casefold() for name in by_name)
    assert [name for name, count in folded.items() if count > 1] == []
    home = Counter(name for rows in families().values() for name in {row.name for row in rows})
    assert [name for name, count in home.items() if count > 1] == []
    assert [n for n in by_name if not n.isidentifier() or len(n) > 64] == []


def test_no_two_features_are_the_same() -> None:
    """Invariant 2."""
    names: dict[str, set[str]] = {}
    for row in library():
        names.setdefault(signal_digest(row.node), set()).add(row.name)
    assert [same for same in names.values() if len(same) > 1] == []


@pytest.mark.parametrize("family", families())
def test_every_row_reads_and_names_its_source(family: str) -> None:
    """Invariant 3: `parse` refuses what cannot be read and units that do not fit."""
    for row in families()[family]:
        parse(row.expr)
        assert row.source.strip() and row.sign in (-1, 0, 1), row.reference
        assert "\n" not in row.expr + row.about + row.source, row.reference


def test_every_family_is_a_module_with_its_rows() -> None:
    modules = {name for stage, name in list_modules() if stage == "feature"}
    assert set(families()) <= modules
    for name, rows in families().items():
        settings = load_module("feature", name).settings
        assert type(settings).features == rows, name  # type: ignore[attr-defined]
        newest = {row.reference for row in latest(rows)}
        assert set(settings.members) <= newest, f"{name}: the settings in force lag behind"  # type: ignore[attr-defined]


def test_features_are_found_by_reference() -> None:
    assert find("KMID@1") == find("KMID") and find("KMID@1").reference == "KMID@1"
    for wrong, says in (("KMID@9", "KMID@1"), ("KMJD", "KMID"), ("zzz", "docs/features.md")):
        with pytest.raises(FeatureError, match=says):
            find(wrong)


def test_the_reference_is_current() -> None:
    committed = (CHECKOUT / "docs" / "features.md").read_text()
    assert committed == features_markdown(), "run `python -m modules.feature.reference > docs/features.md`"


def _renew() -> None:
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    now = {row.reference: pinned(row) for row in ROWS}
    changed = [r for r in golden if golden[r] != now.get(r)]
    if changed and sys.argv[1:] != ["all"]:
        raise SystemExit(f"{', '.join(changed)}: changed or gone; put the old rows back, add rows with a new version")
    GOLDEN.write_text(json.dumps(dict(sorted(now.items())), indent=1) + "\n")


if __name__ == "__main__":
    _renew()
