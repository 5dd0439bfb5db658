"""Git as the engine uses it, on temporary repositories.

Invariants:
1. `commit_files` changes one ref and nothing else: working tree, index, HEAD, status stay as they were.
2. The same files on the same branch give the same commit; other bytes give a new one on top.
3. What is in git is the bytes that were given, whatever the user's configuration says.
4. A refusal (bad name, bad path, lock, race, conflict) leaves every ref and file as it was.
5. Only a merge by a named human moves the checked-out branch.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.repository import ENGINE, Identity, MergeConflictError, Repository, RepositoryError

ADA = Identity("Ada Byron", "ada@example.org")


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No git configuration of this machine, and none of a surrounding git command."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [n for n in os.environ if n.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.txt").write_text("one\ntwo\nthree\nfour\nfive\n")
    (folder / ".gitignore").write_text("/.cws/\n")
    git(folder, "add", "-A")
    git(folder, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-q", "-m", "start")
    return folder


def snapshot(root: Path) -> tuple[str, ...]:
    """Everything that a failed or foreign operation must not change."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and ".git/" not in str(p))
    return (
        git(root, "for-each-ref"),
        git(root, "status", "--porcelain"),
        git(root, "rev-parse", "HEAD"),
        git(root, "ls-files", "--stage"),
        *(f"{p}:{p.read_bytes()!r}" for p in files),
    )


def test_a_commit_touches_only_its_branch(root: Path) -> None:
    (root / "a.txt").write_text("half-done work\n")
    (root / "b.txt").write_text("staged\n")
    git(root, "add", "b.txt")
    before = snapshot(root)
    index = (root / ".git" / "index").read_bytes()
    sha = Repository(root).commit_files("research/x", {"modules/x/run.py": b"pass\n", "a.txt": b"other\n"}, "Add x")
    after = snapshot(root)
    assert [line for line in after[0].splitlines() if "research/x" not in line] == before[0].splitlines()
    assert after[1:] == before[1:]
    assert (root / ".git" / "index").read_bytes() == index
    assert git(root, "show", f"{sha}:modules/x/run.py") == "pass"
    assert git(root, "rev-parse", "research/x^") == git(root, "rev-parse", "HEAD")


def test_the_same_files_give_the_same_commit_and_others_a_new_one(root: Path) -> None:
    repo = Repository(root)
    first = repo.commit_files("x", {"n": b"1"}, "one")
    assert repo.commit_files("x", {"n": b"1"}, "said differently") == first
    second = repo.commit_files("x", {"n": b"2"}, "two")
    assert repo.show(second).parents == (first,)
    assert repo.commit_files("same", {"a.txt": repo.file_at("HEAD", "a.txt") or b""}, "nothing") == repo.head()
    assert repo.tip("same") == repo.head()


def test_a_new_branch_starts_at_its_base(root: Path) -> None:
    repo = Repository(root)
    first = repo.commit_files("one", {"n": b"1"}, "one")
    second = repo.commit_files("two", {"m": b"2"}, "two", base="one")
    assert repo.show(second).parents == (first,)
    assert repo.changed_paths("HEAD", "two") == ("m", "n")
    assert repo.changed_paths("one", "two") == ("m",)
    assert repo.merge_base("HEAD", "two") == repo.head()


@pytest.mark.parametrize("data", [b"", b"\x00\xff\n", b"crlf\r\nlf\n", b"$Id$\n", b"no end"])
def test_bytes_come_back_as_given(root: Path, data: bytes) -> None:
    git(root, "config", "core.autocrlf", "true")
    git(root, "config", "core.safecrlf", "true")
    (root / ".gitattributes").write_text("* text=auto eol=lf ident\n")
    repo = Repository(root)
    repo.commit_files("x", {"f.bin": data}, "bytes")
    assert repo.file_at("x", "f.bin") == data
    assert repo.file_at("x", "absent") is None


def test_who_signs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    assert repo.user() is None
    assert repo.show(repo.commit_files("engine", {"n": b"1"}, "m")).author == ENGINE
    git(root, "config", "user.name", ADA.name)
    git(root, "config", "user.email", ADA.mail)
    assert repo.user() == ADA
    assert repo.show(repo.commit_files("human", {"n": b"1"}, "m")).author == ADA
    assert repo.show(repo.commit_files("given", {"n": b"1"}, "m", author=ENGINE)).author == ENGINE
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "grace@example.org")
    assert repo.user() == Identity("Grace", "grace@example.org")


@pytest.mark.parametrize(
    "name, mail", [("cws engine", "a@b.c"), ("x", "engine@cws.invalid"), ("x", "ENGINE@cws.invalid")]
)
def test_the_engine_is_no_human(root: Path, name: str, mail: str) -> None:
    git(root, "config", "user.name", name)
    git(root, "config", "user.email", mail)
    assert Repository(root).user() is None


@pytest.mark.parametrize("text", ["", "Ada", "ada@x.org", "<ada@x.org>", "Ada <ada>", "Ada\n<a@b>", "A <a@b> <c@d>"])
def test_not_a_person(text: str) -> None:
    with pytest.raises(RepositoryError, match="Name <name@host>"):
        Identity.parse(text)


def _interfere(root: Path) -> None:
    hooks = root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "pre-commit",
        "commit-msg",
        "reference-transaction",
        "pre-merge-commit",
        "post-merge",
        "prepare-commit-msg",
    ):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    for key, value in {
        "commit.gpgsign": "true",
        "gpg.program": "/bin/false",
        "merge.ff": "false",
        "merge.verifySignatures": "true",
        "core.editor": "/bin/false",
        "status.showUntrackedFiles": "no",
        "diff.noprefix": "true",
        "log.showSignature": "true",
        "i18n.commitEncoding": "latin1",
        "core.quotePath": "true",
    }.items():
        git(root, "config", key, value)


def test_a_users_hooks_and_settings_do_not_interfere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    _interfere(root)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    sha = repo.commit_files("x", {"größe.txt": b"1"}, "Größe")
    assert repo.show(sha).message == "Größe"
    assert repo.changed_paths("HEAD", "x") == ("größe.txt",)
    (root / "untracked").write_text("")
    assert repo.dirt() == ("untracked",)
    (root / "untracked").unlink()
    merged = repo.merge("x", "Merge", ADA)
    assert repo.show(merged).author == ADA
    assert (root / "größe.txt").read_bytes() == b"1"


def _detached(root: Path) -> Path:
    git(root, "checkout", "-q", "--detach")
    return root


def _worktree(root: Path) -> Path:
    git(root, "worktree", "add", "-q", "-b", "side", str(root.parent / "side"))
    return root.parent / "side"


@pytest.mark.parametrize("place", [_detached, _worktree], ids=["detached", "worktree"])
def test_other_checkouts(root: Path, place: Callable[[Path], Path]) -> None:
    there = place(root)
    repo = Repository(there)
    before = snapshot(there)[1:]
    sha = repo.commit_files("x", {"n": b"1"}, "m")
    assert (repo.tip("x"), snapshot(there)[1:]) == (sha, before)
    assert git(root, "rev-parse", "x") == sha


def test_a_detached_head_takes_no_merge(root: Path) -> None:
    repo = Repository(_detached(root))
    repo.commit_files("x", {"n": b"1"}, "m")
    with pytest.raises(RepositoryError, match="detached"):
        repo.merge("x", "m", ADA)


def test_file_modes_are_kept(root: Path) -> None:
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x")
    repo = Repository(root)
    repo.commit_files("x", {"run.sh": b"#!/bin/sh\nexit\n"}, "m")
    assert [(c.old_mode, c.new_mode, c.status) for c in repo.changes("HEAD", "x")] == [("100755", "100755", "M")]


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["", "/etc/x", "../x", "a/../../x", ".git/config", "sub/.GIT/x", "a//b", "a/./b", "a\\b", "a/", "a\0b", "a.txt/b"],
)
def test_bad_paths(root: Path, path: str) -> None:
    before = snapshot(root)
    with pytest.raises(RepositoryError, match=r"choose another path|relative path"):
        Repository(root).commit_files("x", {path: b"1"}, "m")
    assert snapshot(root) == before


@pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "a.lock", "x~1", "@{-1}", "refs/heads/../x", "HEAD"])
def test_bad_branches(root: Path, branch: str) -> None:
    before = snapshot(root)
    with pytest.raises(RepositoryError, match="no name for a branch"):
        Repository(root).commit_files(branch, {"n": b"1"}, "m")
    assert snapshot(root) == before


def test_a_link_is_not_written_through(root: Path) -> None:
    (root / "link").symlink_to("/etc")
    git(root, "add", "-A")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x")
    for path in ("link", "link/passwd"):
        with pytest.raises(RepositoryError, match="something else in git"):
            Repository(root).commit_files("x", {path: b"1"}, "m")
    assert Repository(root).file_at("HEAD", "link") is None


def test_a_folder_is_not_replaced_by_a_file(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"d/e": b"1"}, "m")
    for files in ({"d": b"1"}, {"d/e/f": b"1"}, {"q": b"1", "q/r": b"2"}):
        with pytest.raises(RepositoryError, match="something else in git"):
            repo.commit_files("x", files, "m")


def test_a_checked_out_branch_is_left_alone(root: Path) -> None:
    repo = Repository(root)
    for branch in ("main", "side"):
        if branch == "side":
            _worktree(root)
        with pytest.raises(RepositoryError, match="checked out"):
            repo.commit_files(branch, {"n": b"1"}, "m")


def test_locked_ref(root: Path) -> None:
    repo = Repository(root)
    first = repo.commit_files("x", {"n": b"1"}, "m")
    lock = root / ".git" / "refs" / "heads" / "x.lock"
    lock.touch()
    with pytest.raises(RepositoryError, match=r"(?s)locked.*remedy: .*delete the [.]lock"):
        repo.commit_files("x", {"n": b"2"}, "m")
    assert repo.tip("x") == first
    lock.unlink()
    second = repo.commit_files("x", {"n": b"2"}, "m")
    assert repo.show(second).parents == (first,)


def test_the_lock_of_a_dead_process_is_removed_and_a_living_one_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only on branches that nobody but the engine writes: whoever was killed while it moved one left its lock."""
    repo = Repository(root)
    lock = root / ".git" / "refs" / "heads" / "supervisor" / "x.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    os.utime(lock, (time.time() - 11.0,) * 2)
    assert repo.tip("supervisor/x") is None
    first = repo.commit_files("supervisor/x", {"a": b"1"}, "one")
    assert repo.tip("supervisor/x") == first and not lock.exists()

    lock.touch()
    letting_go = threading.Timer(0.3, lock.unlink)
    letting_go.start()
    began = time.monotonic()
    second = repo.commit_files("supervisor/x", {"a": b"2"}, "two")
    assert repo.tip("supervisor/x") == second and time.monotonic() - began < 5.0

    monkeypatch.setattr("harness.plumbing.DEAD_SECONDS", 0.2)
    lock.touch()
    os.utime(lock, (time.time() + 1e6,) * 2)  # by a clock that is ahead: not known to be dead
    with pytest.raises(RepositoryError, match="locked"):
        repo.commit_files("supervisor/x", {"a": b"3"}, "three")
    assert lock.exists() and repo.tip("supervisor/x") == second


def test_a_branch_that_moves_meanwhile_is_not_overwritten(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"n": b"1"}, "m")
    other = Repository(root)
    real = Repository._write_commit

    def slow(self: Repository, *args: object) -> str:
        sha = real(self, *args)  # type: ignore[arg-type]
        monkeypatch.setattr(Repository, "_write_commit", real)
        other.commit_files("x", {"n": b"theirs"}, "m")
        return sha

    monkeypatch.setattr(Repository, "_write_commit", slow)
    with pytest.raises(RepositoryError, match=r"moved in the meantime.*try again"):
        repo.commit_files("x", {"n": b"2"}, "m")
    assert repo.file_at("x", "n") == b"theirs"


def test_a_name_in_the_way(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("supervisor", {"n": b"1"}, "m")
    with pytest.raises(RepositoryError, match="in the way"):
        repo.commit_files("supervisor/1", {"n": b"1"}, "m")


def test_not_a_repository(tmp_path: Path, root: Path) -> None:
    (root / "sub").mkdir()
    for folder in (tmp_path / "home", tmp_path / "absent", root / "sub"):
        with pytest.raises(RepositoryError, match=r"not a git repository.*git init"):
            Repository(folder)
    git(tmp_path, "init", "-q", "--bare", "bare")
    with pytest.raises(RepositoryError, match="bare"):
        Repository(tmp_path / "bare")


def test_no_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "new")
    repo = Repository(tmp_path / "new")
    for act in (repo.head, lambda: repo.commit_files("x", {"n": b"1"}, "m")):
        with pytest.raises(RepositoryError, match=r"no commits.*git commit"):
            act()


def test_a_damaged_repository_is_not_called_empty(root: Path) -> None:
    (root / ".git" / "HEAD").write_text("garbage\n")
    with pytest.raises(RepositoryError) as caught:
        Repository(root).head()
    assert "no commits" not in str(caught.value)


def test_a_crash_before_the_ref_moves_leaves_git_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repository(root)
    before = snapshot(root)
    run = type(repo._git).run
    for dies_at in ("hash-object", "read-tree", "update-index", "write-tree", "commit-tree", "update-ref"):

        def dying(self: object, *args: str, dies_at: str = dies_at, **kwargs: object) -> bytes:
            if args[0] == dies_at:
                raise KeyboardInterrupt
            return run(self, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(type(repo._git), "run", dying)
        with pytest.raises(KeyboardInterrupt):
            repo.commit_files("x", {"n": b"1"}, "m")
        monkeypatch.setattr(type(repo._git), "run", run)
        assert snapshot(root) == before
    git(root, "fsck", "--strict")


# --- merging ----------------------------------------------------------------------------------------


def _advance(root: Path, path: str, text: str) -> None:
    (root / path).write_text(text)
    git(root, "add", path)
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "advance")


def test_a_merge_has_two_parents_and_the_humans_name(root: Path) -> None:
    repo = Repository(root)
    tip = repo.commit_files("x", {"n": b"1"}, "m")
    start = repo.head()
    sha = repo.merge("x", "Merge x\n\nReviewed-by: Ada", ADA)
    commit = repo.show(sha)
    assert (commit.parents, commit.author, repo.head(), repo.current_branch) == ((start, tip), ADA, sha, "main")
    assert git(root, "show", "-s", "--format=%cn <%ce>") == str(ADA)
    assert git(root, "show", "-s", "--format=%(trailers:key=Reviewed-by,valueonly)").strip() == "Ada"
    assert repo.is_clean()
    repo.commit_files("y", {"m": b"1"}, "m")
    assert repo.merged_branches() == {"main", "x"}
    assert repo.merged_branches("x", into="y") == {"x"}
    with pytest.raises(RepositoryError, match="already in"):
        repo.merge("x", "again", ADA)


def test_both_sides_may_change_one_file_in_different_lines(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"a.txt": b"ONE\ntwo\nthree\nfour\nfive\n"}, "m")
    _advance(root, "a.txt", "one\ntwo\nthree\nfour\nFIVE\n")
    repo.merge("x", "m", ADA)
    assert (root / "a.txt").read_text() == "ONE\ntwo\nthree\nfour\nFIVE\n"
    assert repo.is_clean()


def test_a_conflict_changes_nothing(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"a.txt": b"ONE\n", "fine": b"1"}, "m")
    _advance(root, "a.txt", "uno\n")
    before = snapshot(root)
    with pytest.raises(MergeConflictError, match=r"a\.txt") as caught:
        repo.merge("x", "m", ADA)
    assert caught.value.paths == ("a.txt",)
    assert snapshot(root) == before
    assert not (root / ".git" / "MERGE_HEAD").exists()


@pytest.mark.parametrize("how", ["changed", "staged", "untracked"])
def test_a_dirty_tree_takes_no_merge(root: Path, how: str) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"n": b"1"}, "m")
    (root / ("b.txt" if how == "untracked" else "a.txt")).write_text("mine\n")
    if how == "staged":
        git(root, "add", "-A")
    before = snapshot(root)
    with pytest.raises(RepositoryError, match="not clean"):
        repo.merge("x", "m", ADA)
    assert snapshot(root) == before


def test_an_ignored_file_is_never_overwritten(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {".cws/state": b"theirs"}, "m")
    (root / ".cws").mkdir()
    (root / ".cws" / "state").write_text("mine")
    before = snapshot(root)
    assert repo.is_clean()
    with pytest.raises(RepositoryError, match="in the way"):
        repo.merge("x", "m", ADA)
    assert snapshot(root) == before


def test_the_engine_merges_nothing(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("x", {"n": b"1"}, "m")
    before = snapshot(root)
    with pytest.raises(RepositoryError, match="only a human merges"):
        repo.merge("x", "m", ENGINE)
    assert snapshot(root) == before


def test_unrelated_history(root: Path) -> None:
    repo = Repository(root)
    tree = git(root, "rev-parse", "HEAD^{tree}")
    orphan = git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree, "-m", "orphan")
    git(root, "branch", "orphan", orphan)
    with pytest.raises(RepositoryError, match="no history"):
        repo.merge("orphan", "m", ADA)


def test_a_rejected_branch_is_kept_elsewhere(root: Path) -> None:
    repo = Repository(root)
    sha = repo.commit_files("supervisor/1", {"n": b"1"}, "m")
    assert repo.keep_rejected("supervisor/1") == sha
    assert (repo.branches("supervisor/"), repo.rejected()) == ({}, {"supervisor/1": sha})
    with pytest.raises(RepositoryError, match="no branch"):
        repo.keep_rejected("supervisor/1")
    again = repo.commit_files("supervisor/1", {"n": b"2"}, "m")
    assert repo.keep_rejected("supervisor/1") == again == repo.rejected()["supervisor/1"]


def test_a_renewed_branch_stands_on_todays_base(root: Path) -> None:
    repo = Repository(root)
    old = repo.commit_files("research/x", {"x.py": b"uses = 1\n"}, "x", renew=True)
    assert repo.commit_files("research/x", {"x.py": b"uses = 1\n"}, "x", renew=True) == old  # nothing moved
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-q", "--allow-empty", "-m", "b")
    (root / "a.txt").write_text("today\n")
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-qam", "today")
    new = repo.commit_files("research/x", {"x.py": b"uses = 2\n"}, "x again", renew=True)
    assert repo.show(new).parents == (old, repo.head())
    assert repo.file_at("research/x", "a.txt") == b"today\n"
    assert repo.changed_paths("HEAD", "research/x") == ("x.py",)


def test_a_renewed_branch_keeps_what_a_human_added(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("research/x", {"x.py": b"1\n"}, "x", renew=True)
    repo.commit_files("research/x", {"note.md": b"mine\n"}, "a note", author=ADA)
    (root / "a.txt").write_text("today\n")
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-qam", "today")
    repo.commit_files("research/x", {"x.py": b"2\n"}, "x again", renew=True)
    assert repo.file_at("research/x", "note.md") == b"mine\n"
    assert repo.file_at("research/x", "a.txt") == b"today\n"


def test_a_renewed_branch_that_conflicts_is_made_of_today(root: Path) -> None:
    repo = Repository(root)
    repo.commit_files("research/x", {"a.txt": b"theirs\n"}, "x", renew=True)
    (root / "a.txt").write_text("ours\n")
    git(root, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.mail}", "commit", "-qam", "today")
    repo.commit_files("research/x", {"x.py": b"2\n"}, "x again", renew=True)
    assert repo.file_at("research/x", "a.txt") == b"ours\n"
    assert repo.file_at("research/x", "x.py") == b"2\n"
