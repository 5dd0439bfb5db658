"""A gap on disk is believed only if it is whole and of this run's bits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.vector.gap import Check, Gap, Level, Part
from harness.vector.parting import FillSeen, OrderSeen, Parting
from harness.vector.store import GapStore
from modules.manifest import RunError
from tests.harness.report.build import random_run

FILL = FillSeen("2020-01-02", 10.0, 50.0, 0.01, 2.0)
PARTING = Parting(
    "2020-01-02", -1.5, "A.XNAS", OrderSeen(3, "2020-01-02", 10.0, 5.0, "REDUCE", "max_order"), None, FILL
)
GAP = Gap(
    run_id="r-toy", bars=900, vector=Level(120.5, 0.5, 1.1), recorded=Level(20.25, None, 1.02), annual_bps=-100.25,
    sharpe=None, parts=(Part("spread", "half of it", Level(20.25, None, 1.02), -100.25, None, PARTING),),
    checks=(Check("free", 1e-13, True),), notes=("a note",),
)  # fmt: skip


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    manifest, _ = random_run(tmp_path, bars=40)
    store = GapStore(tmp_path / "runs")
    assert store.load(manifest) is None
    store.save(manifest, GAP)
    assert store.load(manifest) == GAP


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (lambda text: text.replace("-100.25", "-10.25", 1), "was changed"),
        (lambda text: text.replace('"bars": 900', '"bars": "many"'), "cannot be read"),
        (lambda text: json.dumps({**json.loads(text), "run_digest": "f" * 64}), "of other bits"),
        (lambda text: json.dumps({**json.loads(text), "more": 1}), "cannot be read"),
    ],
)
def test_what_cannot_be_believed_says_what_to_do(tmp_path: Path, change: object, said: str) -> None:
    manifest, _ = random_run(tmp_path, bars=40)
    store = GapStore(tmp_path / "runs")
    path = store.save(manifest, GAP)
    text = path.read_text()
    changed = change(text)  # type: ignore[operator]
    assert changed != text
    path.write_text(changed)
    with pytest.raises(RunError, match=said) as caught:
        store.load(manifest)
    assert "cws gap r-toy" in str(caught.value)
