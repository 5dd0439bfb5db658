"""Patches of skills on mining data: drafted on its first half, traded on its second, counted like any look."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ablations.patch import Patch, TextChange
from ablations.suite import load_suite
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.manifest import ManifestStore
from modules.panel import iso
from modules.task import load_pipeline
from modules.workspace import CHECKOUT
from supervisor.bench import Bench
from supervisor.drafts import IDLE_SENTENCES
from supervisor.screen import screen
from tests.ablations.test_drafted import BROKEN, PATH, SMOOTH, SUITE, TEXT, patch
from traces.events import Event, PatchScreened, RunStarted, TrialRecorded

WORDS = patch(TEXT + "\nMore.\n")
UNREADABLE = Patch(module="skills", texts={PATH: TextChange(old=TEXT, new="no skill at all")})


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, events: list[Event]) -> Bench:
    home: Path = tmp_path_factory.mktemp("state")
    data, full = DataStore(home / "data"), load_suite(SUITE)
    return Bench(
        suite=full.model_copy(update={"tasks": full.tasks[2:8]}),
        version=data.current("us20"),
        spec=load_pipeline(CHECKOUT / "pipeline.yaml"),
        data=data,
        store=ArtifactStore(home / "artifacts"),
        manifests=ManifestStore(home / "runs"),
        emit=events.append,
    )


@pytest.mark.slow
def test_skills_are_compared_on_mining_data_alone(bench: Bench, events: list[Event]) -> None:
    compared = screen(bench, [WORDS, patch(BROKEN), UNREADABLE, patch(SMOOTH)], time.monotonic() + 300)
    assert [s.patch for s in compared] == [patch(SMOOTH), patch(BROKEN)]
    best, broken = compared
    assert best.delta > 0.1 and best.broken == ()
    assert not broken.promising and "drafts_accepted.ratio" in broken.broken
    outcomes = {e.patch_digest: e.outcome for e in events if isinstance(e, PatchScreened)}
    assert (outcomes[WORDS.digest], outcomes[UNREADABLE.digest]) == ("idle", "refused")
    ends = {e.end for e in events if isinstance(e, RunStarted)}
    assert len(ends) == 2 and max(ends) == iso(bench.version.mining_end_ns)
    assert all(e.purpose == "ablation" for e in events if isinstance(e, RunStarted))  # nothing of it is mined
    looks = [e for e in events if isinstance(e, TrialRecorded) and e.trial_id.startswith("screen-")]
    assert len(looks) == 4 and looks[0].subject == "skills/short-term-reversal"


@pytest.mark.slow
def test_what_changes_no_draft_is_given_up_early(bench: Bench, events: list[Event]) -> None:
    bench.known.clear()
    before = len(events)
    assert screen(bench, [WORDS], time.monotonic() + 300) == []
    runs = [e for e in events[before:] if isinstance(e, RunStarted)]
    assert len(runs) <= IDLE_SENTENCES * 4
