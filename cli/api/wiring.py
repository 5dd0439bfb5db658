"""What the routes share: the workspace, the scope that a route needs, the size of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request

from cli.api.gate import require
from cli.api.tokens import Scope
from modules.workspace import Workspace

MAX_PAGE = 200
DEFAULT_PAGE = 50
Page = Annotated[int, Query(alias="limit", ge=1, le=MAX_PAGE, description="rows of a page")]


def needs(scope: Scope) -> Callable[[Request], None]:
    """A dependency that answers 403 where the token lacks the scope."""

    def check(request: Request) -> None:
        require(request.state.token, scope)

    return check


def workspace_of(request: Request) -> Workspace:
    """The workspace that the server was started in."""
    workspace = request.app.state.workspace
    assert isinstance(workspace, Workspace)
    return workspace
