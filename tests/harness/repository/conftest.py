"""A repository with one commit, and no configuration of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.harness.repository.checkouts import ADA, git


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
