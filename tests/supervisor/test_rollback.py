"""Taking a merged patch back.

Invariants:
1. A rollback gives back the patch's old values, and only these; the record stays, with the reason beside it.
2. It is a request like any other: a human merges it, and only what takes the patch back may be in it.
3. What cannot be taken back cleanly is refused, and nothing has changed.
4. A patch that was taken back counts as turned down.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ablations.patch import Change, TextChange
from harness.repository import ENGINE, Identity
from supervisor.forge.port import find
from supervisor.history import History
from supervisor.refusals import Refusal, ReviewError
from supervisor.review import approve, reject
from supervisor.rollback import Rollback, propose_rollback, rollback_file
from supervisor.rules import record_folder
from tests.supervisor.conftest import ADA, SIZE, Desk, certify, git, shipped_record
from traces.events import AblationStarted, PatchRolledBack, ReviewApproved, RollbackProposed
from traces.events import Change as ChangeEvent

SETTINGS = f"modules/{SIZE}/settings.yaml"
GRACE = Identity.parse("Grace Hopper <grace@example.org>")


def merged(desk: Desk) -> str:
    """A patch that a human merged; its ablation."""
    branch = desk.open()
    approve(desk.workspace, branch, desk.emit, by=ADA)
    return branch.split("/")[1]


def ask(desk: Desk, ablation_id: str, reason: str = "too slow", by: Identity = GRACE) -> str:
    return propose_rollback(desk.workspace, desk.forge, ablation_id, reason, desk.emit, by=by).branch


def test_1_2_4_there_and_back(desk: Desk) -> None:
    before = (desk.root / SETTINGS).read_bytes()
    ablation_id = merged(desk)
    (desk.root / "README.md").write_text("merged since\n")
    text = (desk.root / SETTINGS).read_text().replace("smoothing_bars: 1", "smoothing_bars: 2")
    (desk.root / SETTINGS).write_text(text)  # another setting of the module moved on: it stays
    desk.commit()
    desk.emit(
        AblationStarted(
            ablation_id=ablation_id, module=SIZE, suite="broad", suite_digest="s",
            patch={"no_trade_band": ChangeEvent(old=0.0, new=0.04)},
        )
    )  # fmt: skip
    checked_out = desk.checked_out()
    branch = ask(desk, ablation_id)
    assert desk.checked_out() == checked_out and branch == f"rollback/{ablation_id}"
    request = find(desk.forge, branch)
    assert (request.kind, request.state, request.ablation_id) == ("rollback", "open", ablation_id)
    assert desk.repo.show(request.commit).author == GRACE
    assert ask(desk, ablation_id, "another reason") == branch and find(desk.forge, branch) == request
    [one, two] = [e for e in desk.events() if isinstance(e, RollbackProposed)]
    assert one == two and one.reason == "too slow"
    body = desk.forge.show(branch).body
    assert "too slow" in body and "no_trade_band: 0.04 -> 0.0" in body

    approval = approve(desk.workspace, branch, desk.emit, by=ADA)
    assert approval.trailers == {"Rolls-Back": ablation_id, "Asked-By": str(GRACE), "Reviewed-by": ADA}
    assert (desk.root / SETTINGS).read_bytes() == before.replace(b"smoothing_bars: 1", b"smoothing_bars: 2")
    assert (desk.root / "README.md").read_text() == "merged since\n"
    assert (desk.root / record_folder(ablation_id) / "record.json").is_file()
    stated = Rollback.model_validate_json((desk.root / rollback_file(ablation_id)).read_bytes())
    assert (stated.reason, stated.by) == ("too slow", str(GRACE))
    back, approved = desk.events()[-2:]
    assert isinstance(back, PatchRolledBack) and isinstance(approved, ReviewApproved)
    assert (back.branch, back.by, back.merge_commit) == (f"supervisor/{ablation_id}", ADA, approved.merge_commit)
    [judged] = History.read(desk.workspace.ledger).judged
    assert judged.branch == f"supervisor/{ablation_id}" and judged.rejected_by_human


@pytest.mark.slow
def test_1_texts_go_back_to_their_bytes(desk: Desk) -> None:
    path, new = "skills/demo/SKILL.md", "skills/demo/new.md"
    old = '---\nname: demo\ndescription: A demo.\nmetadata:\n  version: "2"\n---\n\n# Demo\n'
    (desk.root / path).parent.mkdir(parents=True)
    (desk.root / path).write_text(old)
    desk.commit()
    texts = ((path, TextChange(old=old, new=old + "\nMore.\n")), (new, TextChange(old=None, new="x\n")))
    record = shipped_record(Change(old=0.0, new=0.04), certificate_id=certify(desk.workspace.certificates), texts=texts)
    approve(desk.workspace, desk.open(record), desk.emit, by=ADA)
    assert (desk.root / new).exists()
    approve(desk.workspace, ask(desk, record.ablation_id), desk.emit, by=ADA)
    assert (desk.root / path).read_text() == old and not (desk.root / new).exists()


@pytest.mark.slow
def test_2_a_rollback_may_be_turned_down_and_asked_again(desk: Desk) -> None:
    ablation_id = merged(desk)
    branch = ask(desk, ablation_id)
    reject(desk.workspace, branch, "keep it", desk.emit, by=ADA)
    assert find(desk.forge, branch).state == "rejected"
    [judged] = [*History.read(desk.workspace.ledger).judged] or [None]
    assert judged is None or not judged.rejected_by_human
    assert ask(desk, ablation_id, "a better reason") == branch
    approve(desk.workspace, branch, desk.emit, by=ADA)
    assert "no_trade_band: 0.0\n" in (desk.root / SETTINGS).read_text()


Deed = Callable[[Desk, str], None]


def _moved(desk: Desk, ablation_id: str) -> None:
    (desk.root / SETTINGS).write_text((desk.root / SETTINGS).read_text().replace("band: 0.04", "band: 0.05"))
    desk.commit()


def _gone(desk: Desk, ablation_id: str) -> None:
    (desk.root / SETTINGS).unlink()
    desk.commit()


def _back_already(desk: Desk, ablation_id: str) -> None:
    approve(desk.workspace, ask(desk, ablation_id), desk.emit, by=ADA)


R = Refusal
NOT_ASKED: list[tuple[str, Deed, Refusal]] = [
    ("the value moved on", _moved, R.BASE_IS_STALE),
    ("the file is gone", _gone, R.BASE_IS_STALE),
    ("it went back already", _back_already, R.ALREADY_ROLLED_BACK),
]


@pytest.mark.slow
@pytest.mark.parametrize("deed, refusal", [r[1:] for r in NOT_ASKED], ids=[r[0] for r in NOT_ASKED])
def test_3_what_cannot_be_asked(desk: Desk, deed: Deed, refusal: Refusal) -> None:
    ablation_id = merged(desk)
    deed(desk, ablation_id)
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        ask(desk, ablation_id)
    assert (caught.value.reason, desk.snapshot()) == (refusal, before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["0" * 16, "", "../../x", "supervisor/none", "main"])
def test_3_no_such_patch(desk: Desk, name: str) -> None:
    with pytest.raises(ReviewError) as caught:
        ask(desk, name)
    assert caught.value.reason == R.NOT_MERGED


@pytest.mark.slow
def test_3_a_reason_is_asked(desk: Desk) -> None:
    ablation_id = merged(desk)
    with pytest.raises(ReviewError) as caught:
        ask(desk, ablation_id, " \n ")
    assert caught.value.reason == R.NO_REASON


def _and(path: str, content: bytes, traced: bool) -> Deed:
    def deed(desk: Desk, branch: str) -> None:
        where = path.format(folder=record_folder(branch.split("/")[1]))
        commit = desk.repo.commit_files(branch, {where: content}, "and this")
        if traced:
            last = [e for e in desk.events() if isinstance(e, RollbackProposed)][-1]
            desk.emit(last.model_copy(update={"commit": commit}))

    return deed


def _lost(desk: Desk, branch: str) -> None:
    desk.workspace.ledger.rename(desk.workspace.home / "ledger-gone")
    desk.workspace.checkpoints.rename(desk.workspace.home / "checkpoints-gone")


NOT_MERGED: list[tuple[str, Deed, Refusal]] = [
    ("code as well", _and("modules/engine/risk.py", b"x\n", True), R.PATH_NOT_ALLOWED),
    ("a test as well", _and("tests/test_x.py", b"x\n", True), R.PATH_NOT_ALLOWED),
    ("the record edited", _and("{folder}record.json", b"{}", True), R.PATH_NOT_ALLOWED),
    ("another value", _and(SETTINGS, b"no_trade_band: 0.01\n", True), R.NOT_THE_PATCH),
    ("another module", _and("modules/clean/quality/settings.yaml", b"x: 1\n", True), R.NOT_THE_PATCH),
    ("one more commit", _and(SETTINGS, b"no_trade_band: 0.01\n", False), R.CHANGED_AFTER_OPENING),
    ("a reason that is none", _and("{folder}rollback.json", b"{}", True), R.NO_RECORD),
    ("an unknown trace", _lost, R.NOT_TRACED),
]


@pytest.mark.slow
@pytest.mark.parametrize("deed, refusal", [r[1:] for r in NOT_MERGED], ids=[r[0] for r in NOT_MERGED])
def test_2_what_is_no_rollback_is_not_merged(desk: Desk, deed: Deed, refusal: Refusal) -> None:
    branch = ask(desk, merged(desk))
    deed(desk, branch)
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == refusal, str(caught.value)
    assert desk.snapshot() == before
    assert git(desk.root, "status", "--porcelain") == ""


@pytest.mark.slow
def test_2_the_engine_asks_and_a_human_decides(desk: Desk) -> None:
    branch = ask(desk, merged(desk), by=ENGINE)
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=str(ENGINE))
    assert caught.value.reason == R.NOT_A_HUMAN
    assert approve(desk.workspace, branch, desk.emit, by=ADA).trailers["Asked-By"] == str(ENGINE)
