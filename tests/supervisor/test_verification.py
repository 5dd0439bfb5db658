"""Proving a request again.

Invariants:
1. A sound request holds in every check that can be tried; what cannot be tried says why, and fails nothing.
2. Whatever is changed in it, the check that is about it fails and says what.
3. From a clean clone, without key and network, both arms give every digest again; invented numbers do not.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ablations.gate import decide
from ablations.patch import Change
from ablations.record import AblationRecord, recompute, seed_of, to_json, weigh
from ablations.series import round_series
from harness.llm.tape import Heard, Tape, line_digest
from harness.repository import Repository
from modules.canonical import digest_json
from modules.datastore import DataStore
from supervisor.case import draw_curve
from supervisor.evidence import patched_bytes
from supervisor.rules import record_folder
from supervisor.verification import Verification, VerifyError, verify_record
from tests.cli.checkout import Checkout, make_checkout
from tests.supervisor.conftest import SIZE, Desk, certify, git, shipped_record
from traces.events import Change as ChangeEvent
from traces.events import PatchProposed, TrialRecorded

SETTINGS = f"modules/{SIZE}/settings.yaml"


def answers(found: Verification) -> dict[str, bool | None]:
    return {c.name: c.holds for c in found.checks}


def failing(found: Verification) -> str:
    return " ".join(f"{c.name}: {c.words}" for c in found.checks if c.holds is False)


def opened(desk: Desk) -> str:
    """A request of the reflection proposer, with a tape and a trial before it; its ablation."""
    record = shipped_record(Change(old=0.0, new=0.04), certificate_id=certify(desk.workspace.certificates))
    tape = Tape(desk.workspace.home / "tapes" / "case-1.jsonl")
    asked = {"messages": ["why?"]}
    tape.exchange(who="model", label="reflect", request=asked, ask=lambda: Heard(reply="a band of 0.04"))
    lines = digest_json([line_digest(e) for e in tape])
    desk.emit(
        PatchProposed(
            proposal_id="p", proposer="reflection", module=SIZE, findings=(), patches=(record.patch.digest,),
            changes={"no_trade_band": ChangeEvent(old=0.0, new=0.04)}, rationale="it trades too much",
            tape=f"case-1:{lines}",
        )
    )  # fmt: skip
    return desk.open(record).split("/")[1]


def test_1_a_sound_request(desk: Desk) -> None:
    ablation_id = opened(desk)
    expected = {
        "record": True, "verdict": True, "level": False, "ledger": True, "certificate": True, "tape": True,
        "patch": True,
    }  # fmt: skip
    folder = record_folder(ablation_id)
    for name in (ablation_id, f"supervisor/{ablation_id}", f"origin/supervisor/{ablation_id}"):
        found = verify_record(desk.workspace, name, run=False)
        assert found.found == f"supervisor/{ablation_id}" and found.commit == desk.repo.tip(found.found)
        # The record is invented at a level that no stream grants: that alone does not hold.
        assert answers(found) == expected and "place" in failing(found)
    origin = json.loads(desk.repo.file_at(found.found, f"{folder}origin.json") or b"")
    assert (origin["proposer"], origin["rationale"]) == ("reflection", "it trades too much")
    body = desk.forge.show(found.found).body
    assert "the reflection proposer" in body and "it trades too much" in body and f"cws verify {ablation_id}" in body
    git(desk.root, "-c", "user.name=x", "-c", "user.email=x@y.z", "merge", "-q", "--no-ff", "-m", "m", found.found)
    by_path = verify_record(desk.workspace, str(desk.root / folder), run=False)
    assert answers(by_path) == expected


@pytest.mark.slow
def test_1_a_folder_somewhere_is_enough_for_the_verdict(desk: Desk, tmp_path: Path) -> None:
    ablation_id = opened(desk)
    there = tmp_path / ablation_id
    there.mkdir()
    raw = desk.repo.file_at(f"supervisor/{ablation_id}", f"{record_folder(ablation_id)}record.json")
    (there / "record.json").write_bytes(raw or b"")
    found = verify_record(desk.workspace, str(there), run=True)
    assert answers(found) == {
        "record": True, "verdict": True, "level": None, "ledger": True, "certificate": None, "tape": None,
        "both arms": None,
    }  # fmt: skip
    assert found.ok and found.commit is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", "none", "0" * 16, "../..", "/etc/passwd", "main"])
def test_1_no_such_record(desk: Desk, name: str) -> None:
    with pytest.raises(VerifyError):
        verify_record(desk.workspace, name, run=False)


CHANGED: list[tuple[str, str, bytes, bytes, str]] = [
    ("the difference", "record.json", b'"delta":', b'"delta":9', "verdict: floor recomputes"),
    ("the verdict", "record.json", b'"ship":true', b'"ship":false', "verdict: verdict recomputes"),
    ("a field more", "record.json", b"{", b'{"more":1,', "record: more"),
    ("the identity", "record.json", b'"settings_digest":"', b'"settings_digest":"0', "verdict: ablation_id is"),
    ("no JSON", "record.json", b"{", b"", "record: "),
    ("the certificate", "certificates/*", b'"patches":1000', b'"patches":9000', "certificate: "),
    ("the stream", "trials.jsonl", b"", b"x\n", "level: trials.jsonl"),
    ("what was heard", "tape.jsonl", b"0.04", b"0.05", "tape: "),
    ("who proposed", "origin.json", b'"tape":"case-1:', b'"tape":"case-1:0', "tape: 1 answers, not as"),
    ("the settings", SETTINGS, b"no_trade_band: 0.04", b"no_trade_band: 0.05", "patch: modules/size"),
    ("another setting", SETTINGS, b"smoothing_bars: 1", b"smoothing_bars: 2", "patch: modules/size"),
]


@pytest.mark.slow
@pytest.mark.parametrize("name, old, new, words", [c[1:] for c in CHANGED], ids=[c[0] for c in CHANGED])
def test_2_what_was_changed_is_found(desk: Desk, name: str, old: bytes, new: bytes, words: str) -> None:
    """One commit that holds the request with one thing changed, as if it had been opened so."""
    ablation_id = opened(desk)
    branch, prefix = f"supervisor/{ablation_id}", record_folder(ablation_id)
    tip = desk.repo.tip(branch) or ""
    paths = [*desk.repo.files_under(tip, prefix), SETTINGS]
    files: dict[str, bytes | None] = {p: desk.repo.file_at(tip, p) for p in paths}
    path = SETTINGS if name == SETTINGS else next(p for p in files if p.startswith(prefix + name.rstrip("*")))
    content = files[path] or b""
    assert old in content
    files[path] = content.replace(old, new, 1)
    git(desk.root, "update-ref", "-d", f"refs/heads/{branch}")
    desk.repo.commit_files(branch, files, "changed")
    found = verify_record(desk.workspace, ablation_id, run=False)
    wrong = {c.name for c in found.checks if c.holds is False}
    assert words in failing(found) and wrong and not found.ok, failing(found)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["tests/test_x.py", "modules/engine/risk.py", "skills/reversal/SKILL.md"])
def test_2_a_file_more_is_found(desk: Desk, path: str) -> None:
    ablation_id = opened(desk)
    branch, prefix = f"supervisor/{ablation_id}", record_folder(ablation_id)
    tip = desk.repo.tip(branch) or ""
    files: dict[str, bytes | None] = {
        p: desk.repo.file_at(tip, p) for p in [*desk.repo.files_under(tip, prefix), SETTINGS]
    }
    git(desk.root, "update-ref", "-d", f"refs/heads/{branch}")
    desk.repo.commit_files(branch, {**files, path: b"x\n"}, "more")
    assert "patch: " in failing(verify_record(desk.workspace, ablation_id, run=False))


@pytest.mark.slow
def test_2_the_stream_before_it_is_in_the_record(desk: Desk) -> None:
    for at in range(3):
        desk.emit(
            TrialRecorded(
                trial_id=f"t{at}", family="ablation", subject=SIZE, data_digest="d", p_value=0.5, level=0.001,
                rejected=False,
            ),
            TrialRecorded(trial_id=f"s{at}", family="screen", subject=SIZE, data_digest="d"),
        )  # fmt: skip
    ablation_id = opened(desk)
    raw = desk.repo.file_at(f"supervisor/{ablation_id}", f"{record_folder(ablation_id)}trials.jsonl") or b""
    assert [json.loads(line)["trial_id"] for line in raw.splitlines()] == ["t0", "t1", "t2"]
    level = next(c for c in verify_record(desk.workspace, ablation_id, run=False).checks if c.name == "level")
    assert "as the 3 trials before it grant" in level.words


@pytest.mark.slow
def test_1_a_picture_is_the_same_each_time() -> None:
    record = shipped_record(Change(old=0.0, new=0.04))
    first = draw_curve(record)
    assert first == draw_curve(record) and first.startswith(b"\x89PNG")


# --- 3: for real ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, str]:
    """A checkout where a person's patch shipped on real data, with the real gate; its ablation."""
    checkout = make_checkout(tmp_path_factory.mktemp("verify") / "work")
    data = DataStore(checkout.workspace.data).current("us20").digest
    certify(checkout.workspace.certificates, "fast", data)
    done = checkout.cws("ablate", SIZE, "no_trade_band=0.02", "--suite", "fast", "--json")
    assert done.code == 0, done.out + done.err
    return checkout, str(done.json["ablation_id"])


def clone_of(checkout: Checkout, folder: Path) -> Checkout:
    git(checkout.root, "clone", "-q", str(checkout.root), str(folder))
    return Checkout(folder)


@pytest.mark.slow
def test_3_a_stranger_proves_it_again(
    shipped: tuple[Checkout, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, ablation_id = shipped
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "CWS_GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    stranger = clone_of(checkout, tmp_path / "stranger")
    before = stranger.git("status", "--porcelain"), stranger.git("for-each-ref")
    done = stranger.cws_process("verify", ablation_id, "--json", timeout=3_000)
    assert done.code == 0, done.out + done.err
    assert {c["name"]: c["holds"] for c in done.json["checks"]} == {
        "record": True, "verdict": True, "level": True, "ledger": None, "certificate": True, "tape": None,
        "patch": True, "both arms": True,
    }, done.json  # fmt: skip
    assert (stranger.git("status", "--porcelain"), stranger.git("for-each-ref")) == before


@pytest.mark.slow
def test_3_invented_numbers_are_found_by_running_it(shipped: tuple[Checkout, str], tmp_path: Path) -> None:
    """A record whose every number follows from its own series, which nobody measured."""
    checkout, ablation_id = shipped
    forger = clone_of(checkout, tmp_path / "forger")
    repo = Repository(forger.root)
    rev, prefix = f"origin/supervisor/{ablation_id}", record_folder(ablation_id)
    record = AblationRecord.model_validate_json(repo.file_at(rev, f"{prefix}record.json") or b"")
    assert record.series is not None
    ts, series = record.series.unpack()
    better = round_series(ts, list(zip(series.baseline, series.patched + 1e-4, strict=True)), series.bars_per_year)
    guards = record.guards + record.runtime.guards
    evidence = weigh(record.tasks, better.series, guards, record.level, seed_of(ablation_id), "CURRENT")
    changes = {"series": better.packed, "floor": evidence.floor, "verdict": decide(evidence)}
    forged = record.model_copy(update=changes)
    assert recompute(forged)[1] == []
    files: dict[str, bytes | None] = {p: repo.file_at(rev, p) for p in repo.files_under(rev, prefix)}
    files[f"{prefix}record.json"] = to_json(forged).encode()
    files[SETTINGS] = patched_bytes(record.patch, SETTINGS, repo.file_at("HEAD", SETTINGS), ablation_id)
    repo.commit_files(f"supervisor/{ablation_id}", files, "better")
    quick = verify_record(forger.workspace, ablation_id, run=False)
    assert quick.ok
    whole = verify_record(forger.workspace, ablation_id)
    assert "both arms: " in failing(whole) and not whole.ok
