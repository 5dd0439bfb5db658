"""What clears a run to trade, check by check: each refusal by name, and none where there is nothing to refuse.

1. Work of the engine without a human's yes, and a tree that is not its commit.
2. Code that gives the run other bits, or that is not there any more; other code with the same bits is no reason.
3. No current certificate for a suite that judges the run's modules, or one that cannot be read.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.plumbing import ENGINE_MAIL
from harness.repository import Repository
from modules.manifest import Manifest
from modules.workspace import Workspace
from supervisor.clearance import Problem, Refusal, _of_certificates, _of_code, _of_tree
from tests.pipelines import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def manifest(desk: Desk) -> Manifest:
    return desk.run()


def git(at: Path, *argv: str, mail: str = "ada@example.org") -> None:
    names = ("-c", "user.name=Ada", "-c", f"user.email={mail}")
    subprocess.run(["git", *names, *argv], cwd=at, check=True, capture_output=True, timeout=300)


def names(problems: list[Problem]) -> list[Refusal]:
    return [p.refusal for p in problems]


def test_1_the_tree(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    space = Workspace(root=tmp_path, home=tmp_path.with_name("home"))
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "by a human")
    assert names(list(_of_tree(space, Repository(tmp_path)))) == []
    (tmp_path / "b").write_text("b")
    assert names(list(_of_tree(space, Repository(tmp_path)))) == [Refusal.DIRTY_TREE]
    git(tmp_path, "add", "b")
    git(tmp_path, "commit", "-qm", "by the engine", mail=ENGINE_MAIL)
    [problem] = _of_tree(space, Repository(tmp_path))
    assert problem.refusal is Refusal.UNREVIEWED and "it is no merge" in problem.what
    assert str(problem).startswith("UNREVIEWED: ") and "cws review list" in problem.remedy


def changed(manifest: Manifest, stage: str, **parts: object) -> Manifest:
    stages = tuple(s.model_copy(update=parts) if s.stage == stage else s for s in manifest.stages)
    return manifest.model_copy(update={"stages": stages})


def test_2_the_code(desk: Desk, manifest: Manifest) -> None:
    space = Workspace(root=desk.home, home=desk.home)

    def found(asked: Manifest) -> list[Problem]:
        return list(_of_code(space, asked, desk.events.append))

    assert found(manifest) == []
    size, other = manifest.stage("size"), "f" * 64
    assert found(changed(manifest, "size", code_digest=other)) == []  # other code, the same bits
    outputs = dict.fromkeys(size.outputs, other)
    [problem] = found(changed(manifest, "size", code_digest=other, outputs=outputs))
    assert problem.refusal is Refusal.OTHER_CODE and "other bits" in problem.what
    [problem] = found(changed(manifest, "size", module="gone"))
    assert problem.refusal is Refusal.OTHER_CODE and "gone" in problem.what


def test_3_the_certificate(tmp_path: Path, manifest: Manifest) -> None:
    space = Workspace(root=tmp_path, home=tmp_path)
    problems = list(_of_certificates(space, manifest))
    assert problems and set(names(problems)) == {Refusal.CERTIFICATE}
    assert all("no current certificate" in p.what and "cws certify --suite" in p.remedy for p in problems)
    space.certificates.mkdir(parents=True)
    (space.certificates / "x.json").write_text("{}")
    [problem] = _of_certificates(space, manifest)
    assert problem.refusal is Refusal.CERTIFICATE and "x.json cannot be read" in problem.what
