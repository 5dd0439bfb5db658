"""Requests before a human: what is merged, and everything that is not.

Invariants:
1. A refusal names its rule and leaves git, the working tree and the ledger as they were.
2. Only a named human merges, and the merge commit carries ablation, difference, bound, p-value, certificate, name.
3. What is merged is exactly the patch that was judged, on the base it was judged on, and its record.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.patch import Change, TextChange
from ablations.record import AblationRecord, to_json
from harness.repository import ENGINE
from supervisor.refusals import Refusal, ReviewError
from supervisor.review import approve, reject
from supervisor.rules import record_folder
from tests.supervisor.conftest import ADA, SIZE, Desk, certify, finished, git, shipped_record
from traces.events import ModuleWritten, ReviewApproved, ReviewRejected

SETTINGS = f"modules/{SIZE}/settings.yaml"


def test_approval_is_a_humans_merge_commit(desk: Desk) -> None:
    branch = desk.open()
    [request] = desk.forge.list()
    assert (request.branch, request.state, request.kind) == (branch, "open", "patch")
    start = desk.repo.head()
    approval = approve(desk.workspace, branch, desk.emit, by=ADA)
    merge = desk.repo.show("HEAD")
    assert (merge.sha, merge.parents) == (approval.merge_commit, (start, request.commit))
    assert str(merge.author) == ADA == git(desk.root, "show", "-s", "--format=%cn <%ce>")
    trailers = git(desk.root, "show", "-s", "--format=%(trailers:only,unfold)").splitlines()
    keys = [line.split(":")[0] for line in trailers]
    assert keys == ["Ablation-Id", "Delta", "Lower-Bound", "P-Value", "Certificate", "Reviewed-by"]
    assert dict(line.split(": ", 1) for line in trailers) == approval.trailers
    assert "no_trade_band: 0.04" in (desk.root / SETTINGS).read_text()
    assert (desk.root / record_folder(request.ablation_id or "") / "record.json").is_file()
    assert desk.repo.is_clean()
    last = desk.events()[-1]
    assert isinstance(last, ReviewApproved) and (last.by, last.merge_commit) == (ADA, merge.sha)
    [after] = desk.forge.list()
    assert after.state == "merged"
    assert SETTINGS in {c.path for c in desk.forge.show(branch).changes}


def test_a_merged_skill_says_which_ablation_shipped_it(desk: Desk) -> None:
    path = "skills/demo/SKILL.md"
    old = '---\nname: demo\ndescription: A demo.\nmetadata:\n  version: "2"\n---\n\n# Demo\n'
    (desk.root / path).parent.mkdir(parents=True)
    (desk.root / path).write_text(old)
    desk.commit()
    texts = ((path, TextChange(old=old, new=old + "\nMore.\n")),)
    certificate_id = certify(desk.workspace.certificates)
    record = shipped_record(Change(old=0.0, new=0.04), certificate_id=certificate_id, texts=texts)
    approve(desk.workspace, desk.open(record), desk.emit, by=ADA)
    merged = (desk.root / path).read_text()
    assert f'  version: "3"\n  provenance: ablation {record.ablation_id}\n' in merged and merged.endswith("More.\n")


def test_gits_user_is_the_human_where_no_name_is_given(desk: Desk) -> None:
    branch = desk.open()
    git(desk.root, "config", "user.name", "Grace")
    git(desk.root, "config", "user.email", "grace@example.org")
    assert str(approve(desk.workspace, branch, desk.emit).by) == "Grace <grace@example.org>"


def test_the_body_is_read_in_five_minutes(desk: Desk) -> None:
    detail = desk.forge.show(desk.open())
    heads = ("Finding:", "Change:", "Difference:", "Tasks, regressions first", "Guards:", "Certificate", "roll back")
    for head in heads:
        assert head in detail.body
    assert "+no_trade_band: 0.04" in detail.body
    assert len(detail.body.splitlines()) < 80
    assert detail.request.title == "size/rank_neutral: no_trade_band 0.0 -> 0.04"


def test_other_work_on_head_does_not_stand_in_the_way(desk: Desk) -> None:
    branch = desk.open()
    (desk.root / "README.md").write_text("new words\n")
    desk.commit()
    approve(desk.workspace, branch, desk.emit, by=ADA)
    assert (desk.root / "README.md").read_text() == "new words\n"


# --- refusals: what was done, what is refused ---------------------------------------------------------

Deed = Callable[[Desk, str], None]


def _touch(*paths: str, traced: bool = True) -> Deed:
    return lambda desk, branch: desk.amend(branch, dict.fromkeys(paths, b"changed\n"), traced=traced)


def _raw(desk: Desk, branch: str, mode: str, path: str, content: str) -> None:
    """A commit with any file mode, as git's own plumbing makes it."""
    target = desk.root / "scratch"
    target.write_text(content)
    blob = git(desk.root, "hash-object", "-w", str(target))
    target.unlink()
    git(desk.root, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")
    tree = git(desk.root, "write-tree")
    git(desk.root, "read-tree", "HEAD")
    who = ["-c", "user.name=x", "-c", "user.email=x@y"]
    commit = git(desk.root, *who, "commit-tree", tree, "-p", branch, "-m", "and this")
    git(desk.root, "update-ref", f"refs/heads/{branch}", commit)


def _mode(mode: str, path: str, content: str = "no_trade_band: 0.04\n") -> Deed:
    return lambda desk, branch: _raw(desk, branch, mode, path, content)


def _edit_record(edit: Callable[[AblationRecord], AblationRecord], *, traced: bool = True) -> Deed:
    def deed(desk: Desk, branch: str) -> None:
        path = f"{record_folder(branch.split('/')[1])}record.json"
        record = AblationRecord.model_validate_json(desk.repo.file_at(branch, path) or b"")
        desk.amend(branch, {path: to_json(edit(record)).encode()}, traced=traced)

    return deed


def _better(record: AblationRecord) -> AblationRecord:
    assert record.floor is not None
    return record.model_copy(update={"floor": record.floor.model_copy(update={"delta": 9.0})})


def _record_that_is_none(desk: Desk, branch: str) -> None:
    desk.amend(branch, {f"{record_folder(branch.split('/')[1])}record.json": b"{}"}, traced=True)


def _stale(desk: Desk, branch: str) -> None:
    text = (desk.root / SETTINGS).read_text().replace("smoothing_bars: 1", "smoothing_bars: 2")
    (desk.root / SETTINGS).write_text(text)
    desk.commit()


def _another_value(desk: Desk, branch: str) -> None:
    text = (desk.root / SETTINGS).read_text().replace("no_trade_band: 0.0", "no_trade_band: 0.05")
    desk.amend(branch, {SETTINGS: text.encode()}, traced=True)


def _and_a_skill(desk: Desk, branch: str) -> None:
    desk.amend(branch, {"skills/reversal/SKILL.md": b"new\n"}, traced=True)


def _no_certificate(desk: Desk, branch: str) -> None:
    for path in desk.workspace.certificates.iterdir():
        path.unlink()


def _dirty(desk: Desk, branch: str) -> None:
    (desk.root / "README.md").write_text("half-done\n")


def _untracked(desk: Desk, branch: str) -> None:
    (desk.root / "notes.txt").write_text("mine\n")


def _conflict(desk: Desk, branch: str) -> None:
    path = desk.root / record_folder(branch.split("/")[1]) / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    desk.commit()


def _merged_by_hand(desk: Desk, branch: str) -> None:
    git(desk.root, "-c", "user.name=x", "-c", "user.email=x@y", "merge", "-q", "--no-ff", "-m", "m", branch)


def _lost_trace(desk: Desk, branch: str) -> None:
    desk.workspace.ledger.rename(desk.workspace.home / "ledger-gone")
    desk.workspace.checkpoints.rename(desk.workspace.home / "checkpoints-gone")


R = Refusal
REFUSED: list[tuple[str, Deed, Refusal]] = [
    ("risk code", _touch("modules/engine/risk.py"), R.PATH_NOT_ALLOWED),
    ("a test", _touch("tests/test_x.py"), R.PATH_NOT_ALLOWED),
    ("a new test", _touch("tests/test_new.py"), R.PATH_NOT_ALLOWED),
    ("CI", _touch(".ci/run"), R.PATH_NOT_ALLOWED),
    ("a skill's loader", _touch("skills/registry.py"), R.PATH_NOT_ALLOWED),
    ("another ablation's record", _touch("ablations/records/0123/record.json"), R.PATH_NOT_ALLOWED),
    ("a link as settings", _mode("120000", SETTINGS, "/etc/passwd"), R.PATH_NOT_ALLOWED),
    ("an executable bit", _mode("100755", SETTINGS), R.PATH_NOT_ALLOWED),
    ("a link beside them", _mode("120000", "modules/size/rank_neutral/more.yaml", "/etc"), R.PATH_NOT_ALLOWED),
    ("one more commit", _touch(SETTINGS, traced=False), R.CHANGED_AFTER_OPENING),
    ("an edited record", _edit_record(_better, traced=False), R.CHANGED_AFTER_OPENING),
    ("an edited record, opened anew", _edit_record(_better), R.RECORD_CONTRADICTS_ITSELF),
    (
        "another level",
        _edit_record(lambda r: r.model_copy(update={"level": 0.05})),
        R.RECORD_CONTRADICTS_ITSELF,
    ),
    ("a record that is none", _record_that_is_none, R.NO_RECORD),
    ("another value", _another_value, R.NOT_THE_PATCH),
    ("a skill as well", _and_a_skill, R.NOT_THE_PATCH),
    ("the base moved", _stale, R.BASE_IS_STALE),
    ("no certificate", _no_certificate, R.CERTIFICATE_IS_STALE),
    ("a dirty tree", _dirty, R.WORKING_TREE_NOT_CLEAN),
    ("an untracked file", _untracked, R.WORKING_TREE_NOT_CLEAN),
    ("a detached head", lambda d, b: git(d.root, "checkout", "-q", "--detach") and None, R.NO_BRANCH_CHECKED_OUT),
    ("a conflict", _conflict, R.CONFLICT),
    ("merged by hand", _merged_by_hand, R.ALREADY_MERGED),
    ("an unknown trace", _lost_trace, R.NOT_TRACED),
]


@pytest.mark.parametrize("deed, refusal", [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_cannot_be_approved(desk: Desk, deed: Deed, refusal: Refusal) -> None:
    branch = desk.open()
    deed(desk, branch)
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == refusal, str(caught.value)
    assert caught.value.remedy
    assert desk.snapshot() == before


NAMES: list[tuple[str | None, tuple[str, str] | None, Refusal]] = [
    (None, None, R.NO_NAME),
    (None, (ENGINE.name, ENGINE.mail), R.NO_NAME),
    (None, ("Somebody", ENGINE.mail), R.NO_NAME),
    (str(ENGINE), None, R.NOT_A_HUMAN),
    ("Somebody <engine@cws.invalid>", ("Ada", "ada@x.org"), R.NOT_A_HUMAN),
    ("CWS Engine <x@y.org>", None, R.NOT_A_HUMAN),
    ("", ("Ada", "ada@x.org"), R.NO_NAME),
    ("Ada", None, R.NO_NAME),
    ("Ada <nowhere>", None, R.NO_NAME),
    ("Ada <a@b.c>\nReviewed-by: Bob <b@c.d>", None, R.NO_NAME),
]


@pytest.mark.parametrize("by, configured, refusal", NAMES)
def test_no_merge_without_a_humans_name(
    desk: Desk, by: str | None, configured: tuple[str, str] | None, refusal: Refusal
) -> None:
    branch = desk.open()
    if configured:
        git(desk.root, "config", "user.name", configured[0])
        git(desk.root, "config", "user.email", configured[1])
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=by)
    assert caught.value.reason == refusal
    assert desk.snapshot() == before


def test_a_refused_verdict_cannot_be_dressed_as_shipped(desk: Desk) -> None:
    """A REJECT record on a branch of its own, with a ledger that says the same, stays refused."""
    certificate_id = certify(desk.workspace.certificates)
    record = shipped_record(Change(old=0.0, new=0.04), effect=0.0, certificate_id=certificate_id)
    assert not record.verdict.ship
    branch = f"supervisor/{record.ablation_id}"
    text = (desk.root / SETTINGS).read_text().replace("no_trade_band: 0.0", "no_trade_band: 0.04")
    files = {SETTINGS: text.encode(), f"{record_folder(record.ablation_id)}record.json": to_json(record).encode()}
    desk.emit(finished(record))
    desk.amend(branch, files, traced=True)
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == Refusal.NOT_SHIPPED


def test_a_sound_record_that_the_ledger_never_saw(desk: Desk) -> None:
    """Invented returns that recompute to SHIP are not what this workspace measured."""
    branch = desk.open()
    forged = shipped_record(Change(old=0.0, new=0.04), effect=8e-4, certificate_id=certify(desk.workspace.certificates))
    assert forged.ablation_id == branch.split("/")[1]
    desk.amend(branch, {f"{record_folder(forged.ablation_id)}record.json": to_json(forged).encode()}, traced=True)
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == Refusal.RECORD_DIFFERS_FROM_TRACE


def test_rejecting_keeps_branch_and_reason(desk: Desk) -> None:
    branch = desk.open()
    commit = desk.repo.tip(branch)
    reject(desk.workspace, branch, " too wide \n", desk.emit, by=ADA)
    assert desk.repo.rejected() == {branch: commit}
    last = desk.events()[-1]
    assert isinstance(last, ReviewRejected) and (last.reason, last.by) == ("too wide", ADA)
    [request] = desk.forge.list()
    assert request.state == "rejected"
    with pytest.raises(ReviewError, match=Refusal.ALREADY_REJECTED):
        approve(desk.workspace, branch, desk.emit, by=ADA)
    with pytest.raises(ReviewError, match=Refusal.ALREADY_REJECTED):
        reject(desk.workspace, branch, "again", desk.emit, by=ADA)


def test_a_rejection_wants_a_reason_and_a_name(desk: Desk) -> None:
    branch = desk.open()
    before = desk.snapshot()
    for reason, by, refusal in (("  ", ADA, R.NO_REASON), ("no", None, R.NO_NAME), ("no", str(ENGINE), R.NOT_A_HUMAN)):
        with pytest.raises(ReviewError) as caught:
            reject(desk.workspace, branch, reason, desk.emit, by=by)
        assert caught.value.reason == refusal
    assert desk.snapshot() == before


@pytest.mark.parametrize("branch", ["supervisor/none", "main", "", "--all", "refs/heads/main"])
def test_no_such_request(desk: Desk, branch: str) -> None:
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == Refusal.NO_REQUEST


# --- research -----------------------------------------------------------------------------------------


def _research(desk: Desk, files: dict[str, bytes], *, traced: bool = True) -> str:
    commit = desk.repo.commit_files("research/idea", files, "Idea")
    if traced:
        desk.emit(
            ModuleWritten(research_id="r1", expr="rank(close)", run_id="run-1", branch="research/idea", commit=commit)
        )
    return "research/idea"


def test_research_adds_a_module(desk: Desk) -> None:
    branch = _research(desk, {"modules/feature/idea/run.py": b"pass\n", "skills/idea/SKILL.md": b"---\n"})
    approval = approve(desk.workspace, branch, desk.emit, by=ADA)
    assert approval.trailers == {"Research-Id": "r1", "Run-Id": "run-1", "Reviewed-by": ADA}
    assert (desk.root / "modules/feature/idea/run.py").is_file()


RESEARCH: list[tuple[dict[str, bytes], bool, Refusal]] = [
    ({"modules/feature/idea/run.py": b"", "modules/engine/risk.py": b"loose\n"}, True, R.PATH_NOT_ALLOWED),
    ({"modules/feature/idea/run.py": b"", "tests/test_x.py": b"pass\n"}, True, R.PATH_NOT_ALLOWED),
    ({"modules/feature/expression/settings.yaml": b"expr: x\n"}, True, R.PATH_NOT_ALLOWED),
    ({"modules/feature/expression/more.py": b"pass\n"}, True, R.PATH_NOT_ALLOWED),
    ({"modules/feature/idea/run.py": b""}, False, R.NOT_TRACED),
]


@pytest.mark.parametrize("files, traced, refusal", RESEARCH)
def test_what_research_may_not_do(desk: Desk, files: dict[str, bytes], traced: bool, refusal: Refusal) -> None:
    branch = _research(desk, files, traced=traced)
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == refusal
    assert desk.snapshot() == before


# --- submitting ---------------------------------------------------------------------------------------


def test_submitting_leaves_the_checkout_alone_and_can_be_repeated(desk: Desk) -> None:
    before = desk.checked_out()
    branch = desk.open()
    tip = desk.repo.tip(branch)
    assert desk.checked_out() == before
    assert desk.open() == branch
    assert desk.repo.tip(branch) == tip


def test_a_refused_patch_leaves_a_record_and_no_branch(desk: Desk, tmp_path: Path) -> None:
    from supervisor.submit import kept_record, submit

    record = shipped_record(Change(old=0.0, new=0.04), effect=0.0)
    assert submit(desk.workspace, desk.forge, record, [], desk.emit) is None
    assert (kept_record(desk.workspace, record.ablation_id) / "record.json").is_file()
    assert desk.forge.list() == ()


def test_settings_that_are_not_committed_are_not_branched_from(desk: Desk) -> None:
    from harness.repository import RepositoryError

    (desk.root / SETTINGS).write_text("no_trade_band: 0.0\n")
    with pytest.raises(RepositoryError, match="differs from HEAD"):
        desk.open()
    assert desk.forge.list() == ()
