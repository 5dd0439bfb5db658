"""A desk with a forge behind it: local git, or GitHub's calls on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from supervisor.forge.github import GitHub
from supervisor.forge.port import Forge
from supervisor.forge.rest import Address
from tests.supervisor.conftest import Desk, git
from tests.supervisor.forge.server import SLUG, TOKEN, Hub, serve


@dataclass
class World:
    """A desk, its forge, and what happens elsewhere."""

    desk: Desk
    forge: Forge
    hub: Hub | None = None
    before: dict[str, str] = field(default_factory=dict)

    def push(self) -> None:
        """What a human does before: the checked-out branch stands on the forge."""
        if self.hub is not None:
            git(self.desk.root, "push", "-q", str(self.hub.bare), "HEAD:main")

    def pull(self) -> None:
        """What a human does after: what was merged there comes here."""
        if self.hub is not None:
            git(self.desk.root, "pull", "-q", "--ff-only", str(self.hub.bare), "main")


def hub_of(desk: Desk, folder: Path) -> Hub:
    """A bare copy of the desk's repository with an interface before it."""
    subprocess.run(["git", "clone", "-q", "--bare", str(desk.root), str(folder)], check=True, capture_output=True)
    return Hub(folder)


@pytest.fixture
def hub(desk: Desk, tmp_path: Path) -> Iterator[Hub]:
    made = hub_of(desk, tmp_path / "hub.git")
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


def github(desk: Desk, hub: Hub, token: str = TOKEN) -> GitHub:
    """The forge on that hub, without pauses between calls."""
    return GitHub(desk.repo, Address(SLUG, hub.url, token, pace_s=0.0))


@pytest.fixture(params=["local", pytest.param("github", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest, desk: Desk) -> World:
    """One world a forge; every test of the conformance suite runs in each."""
    if request.param == "local":
        return World(desk, desk.forge)
    hub = request.getfixturevalue("hub")
    return World(desk, github(desk, hub), hub)
