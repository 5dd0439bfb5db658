"""A drafter whose process is killed (SIGKILL) before or after each write of its tape and its ledger, and goes on.

1. The draft is that of a process which nobody killed.
2. The ledger holds every exchange once, in the same order.
3. Nothing that is on the tape is asked again: at most the one call whose answer the kill kept from the tape.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.planted import CHECKOUT


@pytest.mark.parametrize(
    "step", [pytest.param(7, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.soak)], ids=["some", "all"]
)
def test_goes_on_where_it_was_killed(tmp_path: Path, step: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.llm.killing", str(tmp_path), str(step)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "CWS_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    whole, *cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert whole["labels"] == ["prices", "specify/1", "draft/0/1", "draft/0/2", "draft/0/3"]
    assert len(whole["draft"]["candidates"]) == 2 and len(cases) == len(range(0, whole["moments"], step)) > 3
    for case in cases:
        assert case["killed"] and case["found"] is not None, case
        found = case["found"]
        assert found["draft"] == whole["draft"], case["kill_at"]
        assert found["labels"] == whole["labels"], case["kill_at"]
        again = [label for label in set(found["asked"]) if found["asked"].count(label) > 1]
        assert len(again) <= 1 and len(found["asked"]) <= len(whole["asked"]) + 1, case["kill_at"]
