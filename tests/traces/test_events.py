"""Events: what they refuse, and that their line brings them back.

1. Every kind round-trips through its canonical line to an equal event.
2. Equal events have equal lines, whatever the order in which their mappings were filled.
3. No line holds a newline, NaN or infinity.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.traces.samples import ONE_OF_EACH
from traces.events import EVENT, KINDS, Envelope, Event, RunFailed, RunFinished, TrialRecorded, canonical_json

PLANNED_KINDS = [
    "run.started",
    "run.finished",
    "run.failed",
    "stage.finished",
    "stage.refused",
    "run.profiled",
    "data.registered",
    "features.stored",
    "faults.planted",
    "features.compared",
    "research.started",
    "research.needs_input",
    "research.refused",
    "candidate.drafted",
    "candidate.checked",
    "candidate.screened",
    "module.written",
    "exchange.recorded",
    "module.tested",
    "trial.recorded",
    "finding.recorded",
    "patch.proposed",
    "patch.screened",
    "ablation.started",
    "ablation.finished",
    "certificate.issued",
    "review.opened",
    "merge.begun",
    "review.approved",
    "review.rejected",
    "patch.watched",
    "rollback.proposed",
    "patch.rolled_back",
    "night.started",
    "arm.pulled",
    "arm.paid",
    "night.finished",
    "lockbox.opened",
    "promotion.decided",
    "ledger.repaired",
]


def test_the_kinds_are_these_and_the_samples_cover_them() -> None:
    assert list(KINDS) == PLANNED_KINDS
    assert {event.kind for event in ONE_OF_EACH} == set(PLANNED_KINDS)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda e: e.kind)
def test_an_event_comes_back_equal_from_its_line(event: Event) -> None:
    line = canonical_json(event)
    assert "\n" not in line
    back = EVENT.validate_json(line)
    assert back == event and type(back) is type(event)
    assert canonical_json(back) == line


def test_the_order_of_a_mapping_does_not_show() -> None:
    lines = {
        canonical_json(RunFinished(run_id="r", digest="d", metrics=metrics, seconds=1.0))
        for metrics in ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0})
    }
    assert len(lines) == 1


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, None, np.float64("nan"), np.float32("nan"), np.float64("inf")]
)
def test_a_metric_that_is_no_number_is_null(value: float | None) -> None:
    event = RunFinished(run_id="r", digest="d", metrics={"m": value}, seconds=1.0)
    assert json.loads(canonical_json(event))["metrics"] == {"m": None}
    assert TrialRecorded(trial_id="t", family="screen", subject="s", data_digest="d", p_value=value).p_value is None


@given(st.dictionaries(st.text(max_size=8), st.floats(), max_size=5), st.text(max_size=30))
def test_finite_metrics_keep_their_bits_and_text_its_characters(metrics: dict[str, float], text: str) -> None:
    failed = RunFailed(run_id="r", stage=None, error="E", message=text)
    assert EVENT.validate_json(canonical_json(failed)) == failed
    back = EVENT.validate_json(canonical_json(RunFinished(run_id="r", digest="d", metrics=metrics, seconds=0.0)))
    assert isinstance(back, RunFinished)
    for name, value in metrics.items():
        kept = back.metrics[name]
        if not math.isfinite(value):
            assert kept is None
        else:
            assert kept is not None and kept.hex() == value.hex()


def test_text_that_utf8_cannot_carry_is_still_recorded() -> None:
    assert "file ?.csv" in canonical_json(RunFailed(run_id="r", stage=None, error="E", message="file \udc80.csv"))


REFUSED = [
    ("a field that is unknown", {"extra": 1}, "extra"),
    ("NaN where a number must be", {"seconds": math.nan}, "seconds"),
    ("a negative duration", {"seconds": -1.0}, "seconds"),
    ("an infinite duration", {"seconds": math.inf}, "seconds"),
    ("a metric in words", {"metrics": {"m": "high"}}, "metrics.m"),
    ("another kind", {"kind": "run.started"}, "kind"),
    ("no run", {"run_id": None}, "run_id"),
]


@pytest.mark.parametrize(("change", "field"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_when_made(change: dict[str, object], field: str) -> None:
    good = {"run_id": "r", "digest": "d", "metrics": {}, "seconds": 1.0}
    RunFinished.model_validate(good)
    with pytest.raises(ValidationError) as caught:
        RunFinished.model_validate({**good, **change})
    assert ".".join(str(part) for part in caught.value.errors()[0]["loc"]) == field


def test_an_event_does_not_change() -> None:
    event = RunFinished(run_id="r", digest="d", metrics={}, seconds=1.0)
    with pytest.raises(ValidationError, match="frozen"):
        event.seconds = 2.0  # type: ignore[misc]


def test_an_unknown_kind_is_refused_by_name() -> None:
    line = '{"event":{"kind":"run.paused"},"prev":"' + "0" * 64 + '","seq":0,"ts_ns":1}'
    with pytest.raises(ValidationError, match=r"run\.paused"):
        Envelope.model_validate_json(line)


def test_importing_events_is_light() -> None:
    code = "import json, sys, traces.events; print(json.dumps([m.split('.')[0] for m in sys.modules]))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert not {"numpy", "polars", "duckdb", "pandas", "pyarrow", "mlflow", "cryptography"} & set(loaded)
