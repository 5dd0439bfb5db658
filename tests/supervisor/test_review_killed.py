"""kill -9 in the middle of opening, merging and rolling back: git stays whole, and the same commands go on.

Invariants:
1. Killed before or after any write of git or the ledger, the repository is sound and the same story ends the same way:
   one merge a request, in the ledger once, nothing unreviewed, no lock left.
2. Killed inside git's own merge, with files half written, the next approval takes that back first; what a human
   changed beside it is left alone and named.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.patch import Change
from ablations.record import AblationRecord
from harness.plumbing import DEAD_SECONDS, GitCommand
from supervisor.refusals import Refusal, ReviewError
from supervisor.review import approve
from supervisor.rollback import propose_rollback
from supervisor.standing import unreviewed
from supervisor.submit import submit
from tests.supervisor.conftest import ADA, SIZE, Desk, certify, finished, git, shipped_record
from traces.events import MergeBegun, PatchRolledBack, ReviewApproved
from traces.ledger import Ledger
from traces.verify import verify

SETTINGS = f"modules/{SIZE}/settings.yaml"
WRITES = ("update-ref", "merge", "commit-tree", "write-tree")


def story(desk: Desk, record: AblationRecord) -> None:
    """Open, merge, ask back, merge that: each step may have been done before."""

    def once(step: Callable[[], object], done: Refusal) -> None:
        try:
            step()
        except ReviewError as error:
            assert error.reason == done, error

    ablation_id = record.ablation_id
    if not any(isinstance(e, PatchRolledBack) for e in desk.events()):
        submit(desk.workspace, desk.forge, record, [], desk.emit)
    once(lambda: approve(desk.workspace, f"supervisor/{ablation_id}", desk.emit, by=ADA), Refusal.ALREADY_MERGED)
    once(
        lambda: propose_rollback(desk.workspace, desk.forge, ablation_id, "why not", desk.emit),
        Refusal.ALREADY_ROLLED_BACK,
    )
    once(lambda: approve(desk.workspace, f"rollback/{ablation_id}", desk.emit, by=ADA), Refusal.ALREADY_MERGED)


def killed(desk: Desk, record: AblationRecord, at: int | None) -> int:
    """The story in a process of its own that dies at moment `at`; how many moments it had, -1 where it died."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        seen = 0

        def moment() -> None:
            nonlocal seen
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

        def around(owner: type, name: str, counts: Callable[..., bool]) -> None:
            original = getattr(owner, name)

            def watched(*args: Any, **options: Any) -> Any:
                if not counts(*args):
                    return original(*args, **options)
                moment()
                done = original(*args, **options)
                moment()
                return done

            setattr(owner, name, watched)

        code = 1
        try:
            around(GitCommand, "run", lambda self, *args: args[0] in WRITES)
            around(Ledger, "append", lambda *args: True)
            story(desk, record)
            os.write(write_end, str(seen).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return -1
    assert os.waitstatus_to_exitcode(status) == 0
    return int(said)


def sound(desk: Desk) -> None:
    """Git finds nothing broken, and no lock is left."""
    done = git(desk.root, "fsck", "--no-dangling", "--no-progress")
    assert "error" not in done and "missing" not in done
    assert list((desk.root / ".git").rglob("*.lock")) == []
    assert git(desk.root, "status", "--porcelain") == ""


def ended(desk: Desk) -> tuple[object, ...]:
    """Where the story ends, however often it was begun."""
    approved = [e for e in desk.events() if isinstance(e, ReviewApproved)]
    assert [e.branch.split("/")[0] for e in approved] == ["supervisor", "rollback"]
    assert unreviewed(desk.repo, desk.events()) == ()
    assert verify(desk.workspace.ledger, desk.workspace.checkpoints).ok
    merges = git(desk.root, "rev-list", "--merges", "--count", "HEAD")
    return git(desk.root, "rev-parse", "HEAD^{tree}"), merges, sorted(desk.repo.branches())


def fresh(desk: Desk, folder: Path) -> Desk:
    from modules.workspace import Workspace

    git(desk.root, "clone", "-q", str(desk.root), str(folder / "checkout"))
    made = Desk(Workspace(folder / "checkout", folder / "state"))
    git(made.root, "remote", "remove", "origin")
    return made


def _cases(desk: Desk, tmp_path: Path, step: int) -> None:
    certificate_id = certify(desk.workspace.certificates)
    record = shipped_record(Change(old=0.0, new=0.04), certificate_id=certificate_id)

    def begun(name: str) -> Desk:
        made = fresh(desk, tmp_path / name)
        certify(made.workspace.certificates)
        made.emit(finished(record))
        return made

    whole = begun("whole")
    moments = killed(whole, record, None)
    assert moments > 30
    expected = ended(whole)
    for at in range(step // 2, moments, step):
        one = begun(f"m{at}")
        assert killed(one, record, at) == -1, f"nothing was killed at moment {at}"
        sound(one)
        assert killed(one, record, None) >= 0
        sound(one)
        assert ended(one) == expected, at


@pytest.mark.slow
def test_1_killed_between_writes(desk: Desk, tmp_path: Path) -> None:
    _cases(desk, tmp_path, step=6)


@pytest.mark.soak
def test_1_killed_between_any_two_writes(desk: Desk, tmp_path: Path) -> None:
    _cases(desk, tmp_path, step=1)


# --- inside git's merge -------------------------------------------------------------------------------


def cut(desk: Desk, written: int, *, half: bool, index: bool, lock: bool) -> str:
    """A merge that was begun, killed after `written` of its files (the next `half` written); its branch."""
    branch = desk.open()
    commit = desk.repo.tip(branch) or ""
    desk.emit(MergeBegun(branch=branch, by=ADA, commit=commit, base=desk.repo.head()))
    paths = sorted(c.path for c in desk.repo.changes("HEAD", commit))
    for at, path in enumerate(paths[: written + half]):
        content = desk.repo.file_at(commit, path) or b""
        (desk.root / path).parent.mkdir(parents=True, exist_ok=True)
        (desk.root / path).write_bytes(content if at < written else content[: len(content) // 2])
    if index:
        git(desk.root, "read-tree", commit)
    if lock:
        held = desk.root / ".git" / "index.lock"
        held.write_bytes(b"DIRC")
        os.utime(held, (1, 1))
    return branch


CUTS = [
    (0, False, False, True),
    (1, True, False, True),
    (4, True, False, False),
    (99, False, False, True),
    (99, False, True, False),
]


@pytest.mark.slow
@pytest.mark.parametrize("written, half, index, lock", CUTS)
def test_2_a_half_written_merge_is_taken_back_and_made(
    desk: Desk, written: int, half: bool, index: bool, lock: bool
) -> None:
    branch = cut(desk, written, half=half, index=index, lock=lock)
    head = desk.repo.head()
    approval = approve(desk.workspace, branch, desk.emit, by=ADA)
    assert desk.repo.show(approval.merge_commit).parents[0] == head
    assert "no_trade_band: 0.04" in (desk.root / SETTINGS).read_text()
    sound(desk)
    assert unreviewed(desk.repo, desk.events()) == ()


@pytest.mark.slow
def test_2_what_a_human_changed_is_left_alone(desk: Desk) -> None:
    branch = cut(desk, 2, half=True, index=False, lock=False)
    (desk.root / SETTINGS).write_text("no_trade_band: 0.5  # mine\n")
    before = desk.checked_out()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == Refusal.WORKING_TREE_NOT_CLEAN and desk.checked_out() == before
    git(desk.root, "checkout", "-q", "--", SETTINGS)
    (desk.root / "mine.txt").write_text("x")
    before = desk.checked_out()
    with pytest.raises(ReviewError):
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert desk.checked_out() == before


@pytest.mark.slow
def test_2_a_lock_that_somebody_holds_is_left_alone(desk: Desk) -> None:
    branch = cut(desk, 0, half=False, index=False, lock=True)
    lock = desk.root / ".git" / "index.lock"
    os.utime(lock)
    assert DEAD_SECONDS > 5.0
    with pytest.raises(RuntimeError, match="locked"):
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert lock.exists()
