"""What every forge must hold; each test runs over local git and over GitHub's calls.

Invariants:
1. Opening may be repeated, touches nothing that is checked out, and says where it stands.
2. A request is open until a human merges or rejects it; the engine is refused both.
3. A merge brings exactly the commit that the request names, as second parent, with the message given.
4. What is refused has changed nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.repository import ENGINE, Identity, RepositoryError
from supervisor.forge.port import Draft, Forge, ForgeError, NoRequestError, Request, find
from tests.supervisor.conftest import git
from tests.supervisor.forge.conftest import World

GRACE = Identity("Grace Hopper", "grace@example.org")
BRANCH = "supervisor/0123456789abcdef"
SETTINGS = "modules/size/rank_neutral/settings.yaml"
MESSAGE = "size: narrower\n\nFinding:\n    what was found\n"


def draft(branch: str = BRANCH, **files: bytes | None) -> Draft:
    content: dict[str, bytes | None] = {SETTINGS: b"no_trade_band: 0.04\n", "ablations/records/x/a.png": b"\x89PNG\xff"}
    return Draft(branch, {**content, **{k.replace("__", "/"): v for k, v in files.items()}}, MESSAGE, MESSAGE)


def opened(forge: Forge, branch: str = BRANCH) -> Request:
    forge.open(draft(branch))
    return find(forge, branch)


def test_1_opening_touches_nothing_and_may_be_repeated(world: World) -> None:
    before = world.desk.checked_out()
    first = world.forge.open(draft())
    assert world.forge.open(draft()) == first
    assert world.desk.checked_out() == before
    [request] = world.forge.list()
    assert (request.branch, request.kind, request.state) == (BRANCH, "patch", "open")
    assert (request.commit, request.title) == (first.commit, "size: narrower")
    assert (request.ablation_id, request.page) == ("0123456789abcdef", first.page)
    assert world.desk.repo.tip(BRANCH) == first.commit
    assert world.desk.repo.show(first.commit).author == ENGINE


def test_1_what_stands_is_the_draft(world: World) -> None:
    (world.desk.root / "skills/old").mkdir(parents=True)
    (world.desk.root / "skills/old/SKILL.md").write_text("old\n")
    world.desk.commit()
    world.push()
    world.forge.open(draft(skills__old__SKILL=b"x", **{"skills/old/SKILL.md": None}))
    detail = world.forge.show(BRANCH)
    assert {(c.path, c.status) for c in detail.changes} == {
        (SETTINGS, "M"), ("ablations/records/x/a.png", "A"), ("skills/old/SKILL", "A"), ("skills/old/SKILL.md", "D"),
    }  # fmt: skip
    assert detail.body.startswith("size: narrower\n") and "what was found" in detail.body
    assert world.desk.repo.file_at(detail.request.commit, "ablations/records/x/a.png") == b"\x89PNG\xff"


def test_2_3_a_human_merges(world: World) -> None:
    request = opened(world.forge)
    head = world.desk.repo.head()
    message = "Merge it\n\nReviewed-by: Grace Hopper <grace@example.org>"
    sha = world.forge.merge(request, message, GRACE)
    world.pull()
    merge = world.desk.repo.show("HEAD")
    assert (merge.sha, merge.parents, merge.message) == (sha, (head, request.commit), message)
    assert (world.desk.root / SETTINGS).read_bytes() == b"no_trade_band: 0.04\n"
    assert world.desk.repo.is_clean()
    [after] = world.forge.list()
    assert after.state == "merged" and world.forge.merged_as(after) == (sha, message)
    assert {c.path for c in world.forge.show(BRANCH).changes} == {SETTINGS, "ablations/records/x/a.png"}
    with pytest.raises(RepositoryError):
        world.forge.merge(after, message, GRACE)


def test_2_a_human_rejects_and_it_may_be_opened_again(world: World) -> None:
    request = opened(world.forge)
    assert world.forge.merged_as(request) is None
    world.forge.reject(request, "too\nnarrow", GRACE)
    [after] = world.forge.list()
    assert (after.state, after.commit) == ("rejected", request.commit)
    assert world.desk.repo.tip(BRANCH) is None and world.desk.repo.rejected() == {BRANCH: request.commit}
    world.forge.reject(after, "too narrow", GRACE)
    if world.hub is not None:
        git(world.hub.bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    again = opened(world.forge)
    assert again.state == "open" and [r.branch for r in world.forge.list()] == [BRANCH]


def test_2_the_engine_decides_nothing(world: World) -> None:
    request = opened(world.forge)
    before = world.desk.snapshot()
    for engine in (ENGINE, Identity("Ada", ENGINE.mail), Identity("CWS Engine", "x@y.org")):
        with pytest.raises(ForgeError, match="only a human"):
            world.forge.merge(request, "m", engine)
        with pytest.raises(ForgeError, match="only a human"):
            world.forge.reject(request, "r", engine)
    assert world.desk.snapshot() == before and world.forge.list() == (request,)


def test_3_4_not_another_commit_than_was_reviewed(world: World) -> None:
    request = opened(world.forge)
    other = replace(request, commit=world.desk.repo.head())
    before = world.desk.snapshot()
    with pytest.raises(RepositoryError):
        world.forge.merge(other, "m", GRACE)
    assert world.desk.snapshot() == before and world.forge.list() == (request,)


def test_4_a_conflict_changes_nothing(world: World) -> None:
    request = opened(world.forge)
    (world.desk.root / SETTINGS).write_text("no_trade_band: 0.07\n")
    world.desk.commit()
    world.push()
    before = world.desk.snapshot()
    with pytest.raises(RepositoryError, match="conflicts"):
        world.forge.merge(request, "m", GRACE)
    assert world.desk.snapshot() == before and world.forge.list() == (request,)


@pytest.mark.parametrize("branch", ["main", "feature/x", "supervisor", "xsupervisor/1"])
def test_4_a_branch_of_another_kind_is_no_request(world: World, branch: str) -> None:
    before = world.desk.snapshot()
    with pytest.raises(ForgeError, match="no branch of a request"):
        world.forge.open(draft(branch))
    assert world.desk.snapshot() == before and world.forge.list() == ()


def test_4_no_such_request(world: World) -> None:
    opened(world.forge)
    for branch in ("supervisor/none", "main", "", "--all"):
        with pytest.raises(NoRequestError, match=BRANCH):
            world.forge.show(branch)


def test_1_newest_first(world: World) -> None:
    names = [f"supervisor/{i:016x}" for i in range(3)]
    for name in names:
        opened(world.forge, name)
    if world.hub is not None:
        world.hub.page = 2
        assert [r.branch for r in world.forge.list()] == names[::-1]
        assert any("page" not in c for c in world.hub.calls)
    assert {r.branch for r in world.forge.list()} == set(names)


def test_1_a_detached_head_is_said(world: World) -> None:
    git(world.desk.root, "checkout", "-q", "--detach")
    if world.hub is not None:
        with pytest.raises(ForgeError, match="detached"):
            world.forge.open(draft())
        assert world.forge.list() == ()
    git(world.desk.root, "checkout", "-q", "main")
    request = opened(world.forge)
    git(world.desk.root, "checkout", "-q", "--detach")
    with pytest.raises(RepositoryError, match="detached"):
        world.forge.merge(request, "m", GRACE)
