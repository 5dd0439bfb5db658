"""GitHub's faults and surprises: what is said, what is left behind, and that the same call goes on where it was cut.

Invariants:
1. A fault is a ForgeError that names what was asked and a remedy; the token stands in no message.
2. After it nothing is half-done: the same call finishes, and makes no second branch, commit or pull request.
3. What GitHub answers is checked: another object, another parent, another tree than was sent is refused.
4. Only the repository's own branches are requests, and only one that waits for a human is merged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from modules.workspace import Workspace
from supervisor.forge.choice import VARIABLE, forge_of
from supervisor.forge.github import GitHub
from supervisor.forge.local import LocalGit
from supervisor.forge.port import ForgeError, find
from supervisor.forge.rest import TOKEN as TOKEN_VARIABLE
from supervisor.forge.rest import Address, said_by
from tests.supervisor.conftest import Desk, git
from tests.supervisor.forge.conftest import github
from tests.supervisor.forge.server import SLUG, TOKEN, Fault, Hub
from tests.supervisor.forge.test_conformance import BRANCH, GRACE, draft, opened

SOON = {"x-ratelimit-reset": str(int(time.time()) + 3_000)}
LIMIT = {"message": "API rate limit exceeded for user ID 1."}
SECOND = {"message": "You have exceeded a secondary rate limit. Please wait."}
ANY, ALWAYS = r".", 99

FAULTS: list[tuple[str, Fault, str]] = [
    ("401", Fault("GET", ANY, 401, {"message": "Bad credentials"}, times=ALWAYS), "does not accept the token"),
    ("403 forbidden", Fault("POST", r"/git/refs", 403, {"message": "Resource not accessible"}), "forbids it.*not acc"),
    ("403 used up", Fault("GET", ANY, 403, LIMIT, SOON, times=ALWAYS), "limit of calls is used up until 20"),
    ("403 second limit", Fault("POST", r"/git/trees", 403, SECOND, times=ALWAYS), "limit of calls is used up"),
    (
        "403 wait an hour",
        Fault("POST", r"/pulls", 403, SECOND, {"Retry-After": "3600"}, times=ALWAYS),
        "limit of calls is used up",
    ),
    ("404", Fault("POST", r"/pulls", 404, {"message": "Not Found"}), "knows no such thing"),
    ("404 of the base", Fault("GET", r"/git/commits/", 404, {"message": "Not Found"}), "does not have"),
    ("409", Fault("POST", r"/git/refs", 409, {"message": "Git Repository is empty."}), "refuses.*is empty"),
    ("422", Fault("POST", r"/pulls", 422, {"message": "Validation Failed", "errors": [{"message": "no"}]}), "d; no"),
    ("500", Fault("POST", r"/git/commits", 500, {}, times=ALWAYS), "fails with 500|again and again"),
    (
        "502, no JSON",
        Fault("GET", r"/pulls", 502, b"<html>bad gateway", times=ALWAYS),
        "fails with 502|again and again",
    ),
    ("a page of HTML", Fault("GET", r"/pulls", 200, b"<html>log in</html>"), "not one of GitHub's|answers"),
    ("another shape", Fault("GET", r"/pulls", 200, [{"number": "x"}]), "not one of GitHub's|answers 400"),
    ("no list", Fault("GET", r"/pulls", 200, {"a": 1}), "not one of GitHub's"),
    ("dropped for good", Fault("POST", r"/git/trees", drop=True, times=ALWAYS), "cannot be reached"),
    ("a redirect elsewhere", Fault("GET", r"/pulls", 302, {}, {"Location": "https://elsewhere.invalid/"}), "GitHub"),
]


@pytest.mark.slow
@pytest.mark.parametrize("fault, words", [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_1_2_a_fault_while_opening(desk: Desk, hub: Hub, fault: Fault, words: str) -> None:
    forge = github(desk, hub)
    before = desk.checked_out()
    hub.faults = [Fault(**vars(fault))]
    clock = time.monotonic()
    with pytest.raises(ForgeError, match=words) as caught:
        forge.open(draft())
    assert time.monotonic() - clock < 60.0, "a fault is no reason to hang"
    assert TOKEN not in str(caught.value) and caught.value.remedy
    assert desk.checked_out() == before
    hub.faults = []
    first = forge.open(draft())
    assert [(r.branch, r.commit, r.state) for r in forge.list()] == [(BRANCH, first.commit, "open")]
    assert hub.tip(BRANCH) == first.commit == desk.repo.tip(BRANCH) and len(hub.pulls) == 1


PASSING: list[tuple[str, Fault]] = [
    ("a 502 at first", Fault("GET", r"/pulls", 502, {})),
    ("two 500 while writing", Fault("POST", r"/git/trees", 500, {}, times=2)),
    ("a drop", Fault("GET", r"/git/ref/", drop=True)),
    ("a drop after the branch was made", Fault("POST", r"/git/refs", drop=True, after=True)),
    ("a drop after the request was made", Fault("POST", r"/pulls", drop=True, after=True)),
    ("a 503 after the request was made", Fault("POST", r"/pulls", 503, {}, after=True)),
]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [f[1] for f in PASSING], ids=[f[0] for f in PASSING])
def test_2_what_passes_is_waited_for(desk: Desk, hub: Hub, fault: Fault) -> None:
    hub.faults = [Fault(**vars(fault))]
    done = github(desk, hub).open(draft())
    assert hub.faults[0].times == 0, "the fault was played"
    assert len(hub.pulls) == 1 and hub.tip(BRANCH) == done.commit


def _merge(forge: GitHub, **change: Any) -> str:
    return forge.merge(find(forge, BRANCH), "Merge it\n\nReviewed-by: Grace <g@h.org>", GRACE)


MERGES: list[tuple[str, Fault, str]] = [
    ("not mergeable", Fault("PUT", r"/merge", 405, {"message": "Pull Request is not mergeable"}), "not mergeable"),
    ("the head moved", Fault("PUT", r"/merge", 409, {"message": "Head branch was modified."}), "was modified"),
    ("protected", Fault("PUT", r"/merge", 403, {"message": "At least 1 approving review"}), "approving review"),
    ("used up", Fault("PUT", r"/merge", 403, LIMIT, SOON, times=ALWAYS), "used up"),
    ("dropped before", Fault("PUT", r"/merge", drop=True, times=ALWAYS), "cannot be reached"),
    ("fails", Fault("PUT", r"/merge", 500, {}, times=ALWAYS), "fails with 500|again and again"),
]


@pytest.mark.slow
@pytest.mark.parametrize("fault, words", [f[1:] for f in MERGES], ids=[f[0] for f in MERGES])
def test_1_2_a_fault_while_merging(desk: Desk, hub: Hub, fault: Fault, words: str) -> None:
    forge = github(desk, hub)
    request = opened(forge)
    head = hub.tip("main")
    hub.faults = [Fault(**vars(fault))]
    with pytest.raises(ForgeError, match=words):
        _merge(forge)
    assert hub.tip("main") == head and find(forge, BRANCH) == request
    hub.faults = []
    assert _merge(forge) == hub.tip("main")


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", r"/merge", drop=True, after=True),
        Fault("PUT", r"/merge", 502, {}, after=True),
        Fault("PUT", r"/merge", 405, {"message": "odd"}, after=True),
    ],
)
def test_2_the_answer_is_lost_but_the_merge_is_there(desk: Desk, hub: Hub, fault: Fault) -> None:
    forge = github(desk, hub)
    opened(forge)
    hub.faults = [Fault(**vars(fault))]
    assert _merge(forge) == hub.tip("main")
    assert find(forge, BRANCH).state == "merged"


Deed = Callable[[Desk, Hub], None]


def _moved(desk: Desk, hub: Hub) -> None:
    (desk.root / "README.md").write_text("more\n")
    desk.commit()
    git(desk.root, "push", "-q", str(hub.bare), "HEAD:main")
    git(desk.root, "reset", "-q", "--hard", "HEAD~1")


def _not_pushed(desk: Desk, hub: Hub) -> None:
    (desk.root / "README.md").write_text("more\n")
    desk.commit()


def _automatic(desk: Desk, hub: Hub) -> None:
    hub.pulls[0]["auto_merge"] = {"enabled_by": {"login": "somebody"}, "merge_method": "merge"}


def _other_base(desk: Desk, hub: Hub) -> None:
    git(hub.bare, "branch", "release", "main")
    hub.pulls[0]["base"]["ref"] = "release"


def _pushed_over(desk: Desk, hub: Hub) -> None:
    """Somebody pushes onto the request's branch between the look and the merge: the server pins the commit."""
    other = git(
        hub.bare, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", "main^{tree}", "-p", BRANCH, "-m", "x"
    )
    original = hub.merge_pull

    def late(number: str, body: dict[str, Any]) -> dict[str, Any]:
        git(hub.bare, "update-ref", f"refs/heads/{BRANCH}", other)
        return original(number, body)

    hub.merge_pull = late  # type: ignore[method-assign]


REFUSED: list[tuple[str, Deed, str]] = [
    ("the base moved there", _moved, "is not at"),
    ("the base moved here", _not_pushed, "is not at"),
    ("it merges by itself", _automatic, "merge by itself"),
    ("it asks for another branch", _other_base, "asks for 'release'"),
    ("its head moves in the last moment", _pushed_over, "was modified"),
]


@pytest.mark.slow
@pytest.mark.parametrize("deed, words", [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_4_what_is_not_merged(desk: Desk, hub: Hub, deed: Deed, words: str) -> None:
    forge = github(desk, hub)
    opened(forge)
    deed(desk, hub)
    head = hub.tip("main")
    with pytest.raises(ForgeError, match=words):
        _merge(forge)
    assert hub.tip("main") == head and hub.pulls[0]["state"] == "open"


@pytest.mark.slow
def test_3_a_merge_of_something_else_is_said(desk: Desk, hub: Hub) -> None:
    """A server that merges another tree than was reviewed: it is too late to undo, and it is said at once."""
    forge = github(desk, hub)
    opened(forge)
    original = hub.git

    def other(*args: str, **options: Any) -> str:
        return original("rev-parse", "main^{tree}") if args[0] == "merge-tree" else original(*args, **options)

    hub.git = other  # type: ignore[method-assign]
    with pytest.raises(ForgeError, match=r"is not what was reviewed.*git revert"):
        _merge(forge)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["tree", "commit"])
def test_3_an_object_of_another_name_is_refused(desk: Desk, hub: Hub, what: str) -> None:
    forge = github(desk, hub)
    if what == "tree":
        hub.post_tree = lambda body: {"sha": hub.git("rev-parse", "main^{tree}")}  # type: ignore[method-assign]
    else:
        original = hub.post_commit
        hub.post_commit = lambda body: original({**body, "message": "other"})  # type: ignore[method-assign]
    with pytest.raises(ForgeError, match="what was sent is not what is there"):
        forge.open(draft())
    assert hub.tip(BRANCH) is None and hub.pulls == []


@pytest.mark.slow
def test_3_a_branch_of_that_name_with_another_commit(desk: Desk, hub: Hub) -> None:
    git(hub.bare, "update-ref", f"refs/heads/{BRANCH}", desk.repo.head())
    with pytest.raises(ForgeError, match="on GitHub is at"):
        github(desk, hub).open(draft())
    assert hub.pulls == []


@pytest.mark.slow
def test_4_a_fork_may_call_its_branch_as_it_likes(desk: Desk, hub: Hub) -> None:
    hub.post_pull({"head": BRANCH, "base": "main", "title": "me too", "body": ""}, fork="stranger/engine")
    hub.post_pull({"head": "feature/x", "base": "main", "title": "a human's", "body": ""}, fork=SLUG)
    assert github(desk, hub).list() == ()


@pytest.mark.slow
def test_4_a_squash_is_no_merge_of_the_commit(desk: Desk, hub: Hub) -> None:
    forge = github(desk, hub)
    opened(forge)
    who = ["-c", "user.name=x", "-c", "user.email=x@y"]
    made = git(hub.bare, *who, "commit-tree", f"{BRANCH}^{{tree}}", "-p", "main", "-m", "squashed")
    git(hub.bare, "update-ref", "refs/heads/main", made)
    hub.pulls[0].update(state="closed", merged=True, merged_at="2026-01-02T03:04:05Z", merge_commit_sha=made)
    request = find(forge, BRANCH)
    assert request.state == "merged" and forge.merged_as(request) is None


@pytest.mark.slow
def test_a_rejection_calls_nobody(desk: Desk, hub: Hub) -> None:
    forge = github(desk, hub)
    forge.reject(opened(forge), "@everybody look\n# here", GRACE)
    assert hub.comments == [(1, "Rejected by Grace Hopper:\n\n    @everybody look\n    # here")]


@pytest.mark.slow
def test_a_long_page_is_cut(desk: Desk, hub: Hub) -> None:
    from dataclasses import replace

    github(desk, hub).open(replace(draft(), page="x" * 70_000))
    assert len(hub.pulls[0]["body"]) < 65_536 and hub.pulls[0]["body"].endswith("(cut; see the record)")


BAD: list[tuple[str, str, str]] = [
    ("github:", "t", "names 'github:'"),
    ("gitlab:a/b", "t", "names 'gitlab:a/b'"),
    ("github:a", "t", "no repository"),
    ("github:a/b/c", "t", "no repository"),
    ("github:a/../b", "t", "no repository"),
    ("github:a/b@http://elsewhere.org", "t", "in the open"),
    ("github:a/b@ftp://localhost", "t", "in the open"),
    ("github:a/b", "", "no token"),
]


@pytest.mark.parametrize("choice, token, words", BAD)
def test_a_choice_that_is_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, choice: str, token: str, words: str
) -> None:
    monkeypatch.setenv(VARIABLE, choice)
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(ForgeError, match=words):
        forge_of(desk.workspace)


@pytest.mark.slow
def test_the_choice(desk: Desk, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    workspace = Workspace(desk.root, desk.workspace.home)
    assert isinstance(forge_of(workspace), LocalGit)
    monkeypatch.setenv(VARIABLE, f"github:{SLUG}@{hub.url}")
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    forge = forge_of(workspace)
    assert (forge.name, forge.list()) == (f"github:{SLUG}", ())
    assert TOKEN not in repr(Address(SLUG, hub.url, TOKEN))


def test_the_words_of_an_error_are_kept_short_and_plain() -> None:
    assert said_by({"message": "a\x1b[31m\nb", "errors": [{"code": "invalid"}, "c"]}) == "a [31m b; invalid; c"
    assert said_by({"message": "x" * 900}) == "x" * 300
    assert said_by(None) == said_by({"errors": 3}) == "no reason given"
