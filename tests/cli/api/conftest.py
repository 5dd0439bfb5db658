"""The application in this process, over a workspace that holds recorded runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cli.api.app import create_app
from cli.api.gate import Rates
from cli.api.tokens import SCOPES, TokenStore
from modules.workspace import CHECKOUT, Workspace

Client = Callable[..., TestClient]


@pytest.fixture
def workspace(home: Path) -> Workspace:
    return Workspace(root=CHECKOUT, home=home)


@pytest.fixture
def client(workspace: Workspace) -> Iterator[Client]:
    """`client("research")`: one whose token has these scopes; without any, one that has no token."""
    opened: list[TestClient] = []

    def make(*scopes: str, rates: Rates | None = None) -> TestClient:
        headers = {}
        if scopes:
            name = f"t{len(opened)}"
            token = TokenStore(workspace.home).add(name, SCOPES if scopes == ("all",) else scopes, days=1)
            headers = {"Authorization": f"Bearer {token}"}
        made = TestClient(create_app(workspace, rates), headers=headers, raise_server_exceptions=False)
        opened.append(made)
        return made.__enter__()

    yield make
    for made in opened:
        made.__exit__(None, None, None)
