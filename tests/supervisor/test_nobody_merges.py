"""No path merges without a human's name: each way that was thought of, tried.

Invariants:
1. Through the engine nothing is merged without the name of a human; a refusal changes nothing.
2. Past the engine, by whatever git allows, work of the engine counts as unreviewed, and goes no further.
3. The code has one door: what merges is called in one place, and no part of the supervisor calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from harness.plumbing import ENGINE_MAIL
from harness.repository import ENGINE, Identity, RepositoryError
from modules.workspace import CHECKOUT
from supervisor.forge.port import find
from supervisor.promotion.decide import PromotionError, promote
from supervisor.refusals import Refusal, ReviewError
from supervisor.review import approve
from supervisor.rules import record_folder
from supervisor.standing import unreviewed
from tests.supervisor.conftest import ADA, SIZE, Desk, git
from tests.supervisor.forge.conftest import github, hub  # noqa: F401 - a fixture
from tests.supervisor.forge.server import ACCOUNT, Hub
from traces.events import MergeBegun, ReviewApproved

SETTINGS = f"modules/{SIZE}/settings.yaml"

NOBODY: list[tuple[str, Refusal]] = [
    ("", Refusal.NO_NAME),
    ("   ", Refusal.NO_NAME),
    ("<a@b.org>", Refusal.NO_NAME),
    (" <a@b.org>", Refusal.NO_NAME),
    ("Ada", Refusal.NO_NAME),
    ("Ada <>", Refusal.NO_NAME),
    ("Ada <ada@>", Refusal.NO_NAME),
    ("Ada <a@b.org> <c@d.org>", Refusal.NO_NAME),
    ("Ada <a@b.org>\n\nReviewed-by: Bob <b@c.org>", Refusal.NO_NAME),
    (str(ENGINE), Refusal.NOT_A_HUMAN),
    (f"Ada <{ENGINE_MAIL}>", Refusal.NOT_A_HUMAN),
    (f"Ada <{ENGINE_MAIL.upper()}>", Refusal.NOT_A_HUMAN),
    ("Ada <ada@elsewhere.invalid>", Refusal.NOT_A_HUMAN),
    ("cws <x@y.org>", Refusal.NOT_A_HUMAN),
    ("CWS Engine <x@y.org>", Refusal.NOT_A_HUMAN),
    ("cws-supervisor <x@y.org>", Refusal.NOT_A_HUMAN),
    ("The Supervisor <x@y.org>", Refusal.NOT_A_HUMAN),
    ("ｃｗｓ ｅｎｇｉｎｅ <x@y.org>", Refusal.NOT_A_HUMAN),
    ("github-actions[bot] <1+github-actions[bot]@users.noreply.github.com>", Refusal.NOT_A_HUMAN),
    ("dependabot[bot] <x@y.org>", Refusal.NOT_A_HUMAN),
    ("Release Bot <x@y.org>", Refusal.NOT_A_HUMAN),
    ("renovate <bot@renovateapp.com>", Refusal.NOT_A_HUMAN),
    ("ci-bot <ci@y.org>", Refusal.NOT_A_HUMAN),
    ("--- <x@y.org>", Refusal.NOT_A_HUMAN),
    ("12345 <x@y.org>", Refusal.NOT_A_HUMAN),
    ("\u200b\u200b <x@y.org>", Refusal.NOT_A_HUMAN),
    ("A\u202eda <x@y.org>", Refusal.NOT_A_HUMAN),
    ("Ada\x1b[2J <x@y.org>", Refusal.NOT_A_HUMAN),
]

PEOPLE = (
    "Ada Byron <ada@example.org>",
    "李雷 <li@example.cn>",
    "Bo Abbot <bo@x.org>",
    "Bot, Jan <jan.b@x.org>",
    "X Æ <x@y.z>",
)


def test_1_who_is_nobody() -> None:
    for text, refusal in NOBODY:
        try:
            human = Identity.parse(text)
        except RepositoryError:
            assert refusal == Refusal.NO_NAME, text
        else:
            assert refusal == Refusal.NOT_A_HUMAN and not human.is_human, text
    assert [p for p in PEOPLE if not Identity.parse(p).is_human] == ["Bot, Jan <jan.b@x.org>"]


@pytest.mark.slow
@pytest.mark.parametrize("by, refusal", [NOBODY[0], NOBODY[8], NOBODY[9], NOBODY[12], NOBODY[18], NOBODY[25]])
def test_1_nobody_merges_and_nobody_rejects(desk: Desk, by: str, refusal: Refusal) -> None:
    branch = desk.open()
    before = desk.snapshot()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=by)
    assert caught.value.reason == refusal and desk.snapshot() == before


ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"GIT_AUTHOR_NAME": ENGINE.name, "GIT_AUTHOR_EMAIL": ENGINE.mail},
    {"GIT_AUTHOR_NAME": "", "GIT_AUTHOR_EMAIL": ""},
    {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": ""},
    {"GIT_AUTHOR_NAME": "github-actions[bot]", "GIT_AUTHOR_EMAIL": "a@b.org"},
    {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@b.org"},
    {"EMAIL": "ada@b.org", "USER": "ada", "LOGNAME": "ada", "NAME": "Ada"},
    {"CWS_BY": ADA, "CWS_HUMAN": ADA, "CWS_APPROVE": "1", "CWS_YES": "1", "CI": "true"},
    {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada"},
    {"GITHUB_ACTOR": "ada", "CWS_GITHUB_TOKEN": "t"},
]


@pytest.mark.slow
@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=lambda v: " ".join(v) or "nothing")
def test_1_no_variable_is_a_human(desk: Desk, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Git has no user here: whatever is set, the human is asked for."""
    branch = desk.open()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = desk.repo.head(), desk.repo.branches()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit)
    assert caught.value.reason == Refusal.NO_NAME
    assert (desk.repo.head(), desk.repo.branches()) == before


# --- past the engine ----------------------------------------------------------------------------------

Deed = Callable[[Desk, str], None]


def _who(name: str = "Ada Byron", mail: str = "ada@example.org") -> list[str]:
    return ["-c", f"user.name={name}", "-c", f"user.email={mail}"]


def _fast_forward(desk: Desk, branch: str) -> None:
    git(desk.root, "merge", "-q", "--ff-only", branch)


def _reset(desk: Desk, branch: str) -> None:
    git(desk.root, "update-ref", "refs/heads/main", branch)
    git(desk.root, "reset", "-q", "--hard")


def _merge_as_engine(desk: Desk, branch: str) -> None:
    git(desk.root, *_who(ENGINE.name, ENGINE.mail), "merge", "-q", "--no-ff", "-m", "m", branch)


def _merge_as_human(desk: Desk, branch: str) -> None:
    git(desk.root, *_who(), "merge", "-q", "--no-ff", "-m", "m", branch)


def _forged_trailers(desk: Desk, branch: str) -> None:
    message = f"Merge {branch}: x\n\nAblation-Id: {branch.split('/')[1]}\nReviewed-by: {ADA}"
    git(desk.root, *_who(), "merge", "-q", "--no-ff", "-m", message, branch)


def _plumbing(desk: Desk, branch: str) -> None:
    message = f"Merge\n\nReviewed-by: {ADA}"
    tree = git(desk.root, "rev-parse", f"{branch}^{{tree}}")
    made = git(desk.root, *_who(), "commit-tree", tree, "-p", "main", "-p", branch, "-m", message)
    git(desk.root, "update-ref", "refs/heads/main", made)
    git(desk.root, "reset", "-q", "--hard")


def _cherry_pick(desk: Desk, branch: str) -> None:
    git(desk.root, *_who(), "cherry-pick", branch)


def _squash(desk: Desk, branch: str) -> None:
    git(desk.root, "merge", "-q", "--squash", branch)
    git(desk.root, *_who(), "commit", "-q", "-m", f"better\n\nReviewed-by: {ADA}")


def _octopus(desk: Desk, branch: str) -> None:
    git(desk.root, "branch", "other", "main")
    tree = git(desk.root, "rev-parse", f"{branch}^{{tree}}")
    (desk.root / "note").write_text("x")
    git(desk.root, "checkout", "-q", "other")
    desk.commit()
    git(desk.root, "checkout", "-q", "main")
    made = git(desk.root, *_who(), "commit-tree", tree, "-p", "main", "-p", "other", "-p", branch, "-m", "three")
    git(desk.root, "reset", "-q", "--hard", made)


def _under_a_humans_commit(desk: Desk, branch: str) -> None:
    """The engine's commit, without its record, below one in a human's name."""
    text = (desk.root / SETTINGS).read_bytes().replace(b"no_trade_band: 0.0", b"no_trade_band: 0.04")
    desk.repo.commit_files("side", {SETTINGS: text}, "better", author=ENGINE)
    git(desk.root, "checkout", "-q", "side")
    (desk.root / "note").write_text("x")
    desk.commit()
    git(desk.root, "checkout", "-q", "main")
    git(desk.root, *_who(), "merge", "-q", "--no-ff", "-m", f"m\n\nReviewed-by: {ADA}", "side")


def _in_the_ledger_only(desk: Desk, branch: str) -> None:
    """A ledger that says so, of a merge that does not."""
    _merge_as_human(desk, branch)
    desk.emit(ReviewApproved(branch=branch, by=ADA, merge_commit=desk.repo.head()))


def _engine_in_the_ledger(desk: Desk, branch: str) -> None:
    message = f"m\n\nReviewed-by: {ENGINE}"
    git(desk.root, *_who(ENGINE.name, ENGINE.mail), "merge", "-q", "--no-ff", "-m", message, branch)
    tip = desk.repo.tip(branch) or ""
    desk.emit(
        MergeBegun(branch=branch, by=str(ENGINE), commit=tip, base="0" * 40),
        ReviewApproved(branch=branch, by=str(ENGINE), merge_commit=desk.repo.head()),
    )


def _yes_to_another(desk: Desk, branch: str) -> None:
    """A human said yes to one commit; another came in under that yes."""
    desk.amend(branch, {f"{record_folder(branch.split('/')[1])}more.md": b"x\n"})
    git(desk.root, *_who(), "merge", "-q", "--no-ff", "-m", f"m\n\nReviewed-by: {ADA}", branch)
    desk.emit(
        MergeBegun(branch=branch, by=ADA, commit=desk.repo.head(), base="0" * 40),
        ReviewApproved(branch=branch, by=ADA, merge_commit=desk.repo.head()),
    )


PAST: list[tuple[str, Deed, str]] = [
    ("a fast-forward", _fast_forward, "it is no merge"),
    ("the branch moved by hand", _reset, "it is no merge"),
    ("a merge in the engine's name", _merge_as_engine, "no human who approved"),
    ("a merge in a human's name", _merge_as_human, "no human who approved"),
    ("forged trailers", _forged_trailers, "no human who approved"),
    ("a merge by plumbing", _plumbing, "no human who approved"),
    ("a cherry-pick", _cherry_pick, "it is no merge"),
    ("a squash", _squash, "it is no merge"),
    ("three parents", _octopus, "no human who approved"),
    ("below a human's commit", _under_a_humans_commit, "no human who approved"),
    ("a word in the ledger", _in_the_ledger_only, "does not say that Ada Byron"),
    ("the engine's word in the ledger", _engine_in_the_ledger, "is no human"),
    ("a yes to another commit", _yes_to_another, "another commit"),
]


@pytest.mark.slow
@pytest.mark.parametrize("deed, words", [p[1:] for p in PAST], ids=[p[0] for p in PAST])
def test_2_what_came_in_past_the_engine_is_known(desk: Desk, deed: Deed, words: str) -> None:
    branch = desk.open()
    assert unreviewed(desk.repo, desk.events()) == ()
    deed(desk, branch)
    assert "no_trade_band: 0.04" in (desk.root / SETTINGS).read_text(), "it did come in"
    found = unreviewed(desk.repo, desk.events())
    assert found and words in str(found[0])
    (desk.root / "README.md").write_text("and on\n")
    desk.commit()
    assert unreviewed(desk.repo, desk.events()) == found, "later commits bury nothing"
    with pytest.raises(PromotionError, match="without a human's approval"):
        promote(desk.workspace, None, "paper", None, Identity.parse(ADA), desk.emit, lambda _: None)  # type: ignore[arg-type]


def test_2_what_a_human_approved_counts(desk: Desk) -> None:
    approve(desk.workspace, desk.open(), desk.emit, by=ADA)
    assert unreviewed(desk.repo, desk.events()) == ()


@pytest.mark.slow
def test_2_an_approved_merge_cut_off_before_the_ledger_is_finished_by_the_same_command(desk: Desk) -> None:
    branch = desk.open()

    class Killed(Exception):  # noqa: N818
        pass

    def until_merged(event: object) -> None:
        if isinstance(event, ReviewApproved):
            raise Killed
        desk.emit(event)  # type: ignore[arg-type]

    with pytest.raises(Killed):
        approve(desk.workspace, branch, until_merged, by=ADA)
    head = desk.repo.head()
    assert [str(u.why) for u in unreviewed(desk.repo, desk.events())] == [
        "the ledger knows of no human who approved it"
    ]
    approval = approve(desk.workspace, branch, desk.emit, by="Grace Hopper <grace@example.org>")
    assert (approval.merge_commit, str(approval.by), desk.repo.head()) == (head, ADA, head)
    assert approval.trailers["Reviewed-by"] == ADA
    assert unreviewed(desk.repo, desk.events()) == ()
    with pytest.raises(ReviewError) as caught:
        approve(desk.workspace, branch, desk.emit, by=ADA)
    assert caught.value.reason == Refusal.ALREADY_MERGED


# --- on GitHub ----------------------------------------------------------------------------------------


def on_github(desk: Desk, hub: Hub) -> str:  # noqa: F811
    """A shipped patch as a pull request; its branch."""
    from supervisor.submit import submit
    from tests.supervisor.conftest import Change, certify, finished, shipped_record

    record = shipped_record(Change(old=0.0, new=0.04), certificate_id=certify(desk.workspace.certificates))
    desk.emit(finished(record))
    branch = submit(desk.workspace, github(desk, hub), record, [], desk.emit)
    assert branch is not None
    return branch


@pytest.mark.slow
def test_1_the_tokens_account_is_no_human(desk: Desk, hub: Hub) -> None:  # noqa: F811
    branch = on_github(desk, hub)
    forge = github(desk, hub)
    head = hub.tip("main")
    for by in (None, f"{ACCOUNT[0]}[bot] <{ACCOUNT[1]}>", str(ENGINE)):
        with pytest.raises(ReviewError):
            approve(desk.workspace, branch, desk.emit, by=by, forge=forge)
    assert hub.tip("main") == head and find(forge, branch).state == "open"
    approval = approve(desk.workspace, branch, desk.emit, by=ADA, forge=forge)
    git(desk.root, "pull", "-q", "--ff-only", str(hub.bare), "main")
    assert f"Reviewed-by: {ADA}" in desk.repo.show(approval.merge_commit).message.splitlines()
    assert unreviewed(desk.repo, desk.events()) == ()


@pytest.mark.slow
@pytest.mark.parametrize("automatic", [True, False])
def test_2_what_github_merges_by_itself_counts_for_nothing(desk: Desk, hub: Hub, automatic: bool) -> None:  # noqa: F811
    """Auto-merge, or its button: in the account's name, without a word in the ledger."""
    branch = on_github(desk, hub)
    if automatic:
        hub.pulls[0]["auto_merge"] = {"merge_method": "merge"}
        with pytest.raises(RepositoryError, match="merge by itself"):
            approve(desk.workspace, branch, desk.emit, by=ADA, forge=github(desk, hub))
    body = {"commit_title": "Merge", "commit_message": f"Reviewed-by: {ADA}", "merge_method": "merge"}
    if not automatic:
        hub.merge_pull("1", {**body, "sha": hub.tip(branch) or ""})
        git(desk.root, "pull", "-q", "--ff-only", str(hub.bare), "main")
        [found] = unreviewed(desk.repo, desk.events())
        assert "no human who approved" in found.why
        with pytest.raises(ReviewError) as caught:
            approve(desk.workspace, branch, desk.emit, by=ADA, forge=github(desk, hub))
        assert caught.value.reason == Refusal.ALREADY_MERGED


# --- one door -----------------------------------------------------------------------------------------


def test_3_one_door() -> None:
    packages = ("supervisor", "ablations", "harness", "modules", "traces", "cli", "benchmarks", "skills")
    files = {p.relative_to(CHECKOUT).as_posix(): p.read_text() for d in packages for p in (CHECKOUT / d).rglob("*.py")}

    def naming(pattern: str) -> set[str]:
        return {name for name, text in files.items() if re.search(pattern, text)}

    assert naming(r"supervisor\.review import .*\bapprove\b") == {"cli/commands/review.py"}
    assert naming(r"\bforge\.merge\(") == {"supervisor/review.py"}
    assert naming(r"\b_?repo\.merge\(|\brepository\.merge\(") == {"supervisor/forge/local.py"}
    assert naming(r"\bpull\.merge\(") == {"supervisor/forge/github.py"}
    assert naming(r"enable_automerge|auto_merge\s*=|merge_upstream") == set()
    writes = naming(r"\.(commit_files|keep_rejected|create_git_ref|create_pull)\(")
    assert {w for w in writes if w.startswith("supervisor/")} == {
        "supervisor/forge/local.py",
        "supervisor/forge/github.py",
    }
