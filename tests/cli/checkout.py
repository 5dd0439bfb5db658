"""A copy of the checkout in a git repository of its own, for what commits branches."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from modules.workspace import Workspace

SOURCE = Path(__file__).resolve().parents[2]
PARTS = (
    "modules",
    "harness",
    "supervisor",
    "ablations",
    "traces",
    "skills",
    "cli",
    "pipeline.yaml",
    "requirements.lock",
)


@dataclass(frozen=True)
class Done:
    """What a shell saw."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Checkout:
    """A clone with one commit on `main`, and its own runtime state."""

    root: Path

    @property
    def workspace(self) -> Workspace:
        """The clone, with its own runtime state."""
        return Workspace(root=self.root, home=self.root / ".cws")

    def cws(self, *argv: str) -> Done:
        """Run the command in this process, on the clone: a process of its own would spend seconds on imports."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setenv("CWS_HOME", str(self.workspace.home))
            patch.setattr(Workspace, "here", classmethod(lambda _: self.workspace))
            code = main(argv)
        return Done(code, out.getvalue(), err.getvalue())

    def cws_process(self, *argv: str, timeout: float = 1_200.0) -> Done:
        """Run the command from the clone's own code, in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *argv],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), "CWS_HOME": str(self.root / ".cws"), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def git(self, *argv: str) -> str:
        """What git says."""
        done = subprocess.run(["git", *argv], cwd=self.root, capture_output=True, text=True, timeout=600, check=True)
        return done.stdout.strip()

    def stand(self) -> tuple[str, str, str]:
        """Branch, head and dirt."""
        return self.git("branch", "--show-current"), self.git("rev-parse", "HEAD"), self.git("status", "--porcelain")


def make_checkout(root: Path, *, user: bool = True) -> Checkout:
    """Copy the code below `root` and commit it; with `user` git knows a human there."""
    root.mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        source = SOURCE / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=ignore)
        elif source.exists():
            shutil.copy2(source, root / part)
    (root / ".gitignore").write_text(".cws/\n__pycache__/\n")
    made = Checkout(root)
    made.git("init", "-q", "-b", "main")
    made.git("add", "-A")
    made.git("-c", "user.name=Base", "-c", "user.email=base@example.org", "commit", "-q", "-m", "base")
    if user:
        made.git("config", "user.name", "Ada Example")
        made.git("config", "user.email", "ada@example.org")
    return made
