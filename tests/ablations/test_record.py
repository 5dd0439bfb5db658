"""The record: complete, small, and impossible to change without being noticed.

1. A record recomputes to its own verdict, to the last bit.
2. Any change of what the verdict rests on is found.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ablations.floor import FloorError
from ablations.gate import Reason
from ablations.record import AblationRecord, RecordError, read_record, recompute, to_json, write_record
from ablations.report import draw_picture, headline, markdown, page, write_report
from ablations.series import MOST_CELLS, round_series
from modules.canonical import canonical_json
from tests.ablations.made import TASKS, TS, record, returns


@pytest.fixture(scope="module")
def shipped() -> AblationRecord:
    made = record()
    assert made.verdict.ship, made.verdict
    return made


@pytest.fixture(scope="module")
def refused() -> AblationRecord:
    made = record(0.0)
    assert not made.verdict.ship
    return made


def test_a_record_recomputes(shipped: AblationRecord, refused: AblationRecord) -> None:
    for made in (shipped, refused):
        assert recompute(made) == (made.verdict, [])


def test_it_survives_the_file(shipped: AblationRecord, tmp_path: Path) -> None:
    path = write_record(shipped, tmp_path / shipped.ablation_id)
    assert read_record(path) == read_record(path.parent) == shipped
    assert path.read_text() == to_json(shipped) == canonical_json(json.loads(path.read_text())) + "\n"
    assert path.stat().st_size < 300_000


def test_the_digest_leaves_out_the_clock(shipped: AblationRecord) -> None:
    later = shipped.model_copy(update={"runtime": shipped.runtime.model_copy(update={"seconds": 9.0})})
    assert later.digest == shipped.digest


TAMPERED: list[tuple[str, list[object], object]] = [
    ("patch", ["changes", "no_trade_band", "new"], 0.9),
    ("suite", ["digest"], "f" * 64),
    ("suite", ["data_digest"], "f" * 64),
    ("modules", ["size"], "rank_neutral@" + "e" * 64),
    ("tasks", [0, "task_digest"], "f" * 64),
    ("tasks", [0, "patched_metrics", "max_drawdown"], 0.01),
    ("tasks", [0, "not_contained"], "task_0: feature"),
    ("guards", [0, "loss"], -1.0),
    ("guards_asked", [0, "tolerance"], 0.9),
    ("floor", ["p_value"], 1e-9),
    ("floor", ["delta"], 3.0),
    ("floor", ["lower_bound"], 1.0),
    ("level", [], 0.5),
    ("certificate", ["state"], "NONE"),
    ("verdict", ["message"], "trust me"),
    ("series", ["digest"], "0" * 64),
    ("series", ["bars_per_year"], 365.0),
]


@pytest.mark.parametrize(("field", "path", "value"), TAMPERED)
def test_tampering_is_found(shipped: AblationRecord, field: str, path: list[object], value: object) -> None:
    raw = shipped.model_dump(mode="json")
    *way, last = [field, *path]
    at = raw
    for step in way:
        at = at[step]
    assert at[last] != value
    at[last] = value
    changed = AblationRecord.model_validate_json(json.dumps(raw))
    assert changed.digest != shipped.digest
    assert recompute(changed)[1]


def test_a_refusal_cannot_be_turned_into_a_shipment(refused: AblationRecord, shipped: AblationRecord) -> None:
    forged = refused.model_copy(update={"verdict": shipped.verdict, "floor": shipped.floor})
    verdict, problems = recompute(forged)
    assert not verdict.ship
    assert problems


def test_one_changed_return_is_found(shipped: AblationRecord) -> None:
    assert shipped.series is not None
    values = bytearray(zlib.decompress(base64.b64decode(shipped.series.values)))
    values[40] ^= 1
    packed = shipped.series.model_copy(update={"values": base64.b64encode(zlib.compress(bytes(values))).decode()})
    with pytest.raises(FloorError, match="changed"):
        packed.unpack()
    assert recompute(shipped.model_copy(update={"series": packed}))[1]


def test_a_bomb_is_not_unpacked(shipped: AblationRecord) -> None:
    assert shipped.series is not None
    bomb = base64.b64encode(zlib.compress(b"\0" * 50_000_000)).decode()
    with pytest.raises(FloorError):
        shipped.series.model_copy(update={"values": bomb}).unpack()
    with pytest.raises(FloorError, match="cannot be unpacked"):
        shipped.series.model_copy(update={"bars": MOST_CELLS}).unpack()


def test_rounding_is_to_a_billionth() -> None:
    x = returns(1)
    rounded = round_series(TS, [(x[k], x[k]) for k in range(TASKS)], 252.0)
    assert np.abs(rounded.series.baseline - x).max() <= 0.5e-9 * (1.0 + 1e-6)
    ts, again = rounded.packed.unpack()
    assert np.array_equal(ts, TS)
    assert np.array_equal(again.patched, rounded.series.patched)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3.0, -3.0])
def test_values_that_cannot_be_recorded(bad: float) -> None:
    x = returns(1)
    y = x.copy()
    y[0, 0] = bad
    with pytest.raises(FloorError):
        round_series(TS, [(x[k], y[k]) for k in range(TASKS)], 252.0)


def test_unreadable_records_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        read_record(tmp_path / "none.json")
    (tmp_path / "record.json").write_text('{"format": 2}')
    with pytest.raises(RecordError, match="fields are off"):
        read_record(tmp_path)


def test_no_certificate_no_shipment() -> None:
    assert record(certificate="NONE").verdict.reason is Reason.NO_CERTIFICATE
    assert record(certificate="STALE").verdict.reason is Reason.STALE_CERTIFICATE
    with pytest.raises(ValidationError):
        record(certificate="EXPIRED")


# --- the report -------------------------------------------------------------------------------------


def test_the_report_puts_regressions_first(shipped: AblationRecord, refused: AblationRecord) -> None:
    assert refused.floor is not None
    text = markdown(refused)
    rows = [line for line in text.splitlines() if line.startswith("| task_")]
    effects = [float(line.split("|")[4]) for line in rows]
    assert effects == sorted(effects)
    assert len(rows) == TASKS
    assert headline(shipped).startswith("SHIP: size/rank_neutral, no_trade_band 0.0 -> 0.02")
    for needle in (shipped.ablation_id, "lower bound", "noise floor", "A/A certificate", "max_drawdown", "roll back"):
        assert needle in markdown(shipped)


def test_the_page_needs_nothing_from_outside(shipped: AblationRecord) -> None:
    text = page(shipped, draw_picture(shipped))
    assert "data:image/png;base64," in text
    assert not any(word in text for word in ("http://", "https://", "<script", "<link", "url("))


def test_a_report_of_arms_that_do_not_differ(shipped: AblationRecord, tmp_path: Path) -> None:
    bare = shipped.model_copy(update={"floor": None, "series": None})
    assert [p.name for p in write_report(bare, tmp_path)] == ["record.json", "report.md", "report.html", "ablation.png"]


def test_names_in_a_page_are_escaped(shipped: AblationRecord) -> None:
    task = shipped.tasks[0].model_copy(update={"name": "<img src=x>"})
    text = page(shipped.model_copy(update={"tasks": (task, *shipped.tasks[1:])}), b"")
    assert "<img src=x>" not in text
