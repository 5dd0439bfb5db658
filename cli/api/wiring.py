"""What the routes share: the workspace, the account that is watched, the scope that each needs, the size of a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated

from fastapi import Query, Request
from starlette.requests import HTTPConnection

from cli.api.audit import Audit
from cli.api.faults import ApiError, fault
from cli.api.gate import require
from cli.api.shapes import Mode
from cli.api.tokens import Scope
from modules.live.place import Place
from modules.live.watch.alerts import Alerts
from modules.live.watch.seen import Seen
from modules.live.watch.watcher import Watcher, WatchThread
from modules.workspace import Workspace

MAX_PAGE = 200
DEFAULT_PAGE = 50
MOST_DESKS = 8
"""Connections to the desk at one time; whoever comes then waits."""

MOST_STREAMS = 16
Page = Annotated[int, Query(alias="limit", ge=1, le=MAX_PAGE, description="rows of a page")]


class Live:
    """The account that this server answers for."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.alerts = Alerts()
        self.audit = Audit(place.folder / "api.jsonl")
        self.desks = threading.BoundedSemaphore(MOST_DESKS)
        self.streams = threading.BoundedSemaphore(MOST_STREAMS)
        self.watch = WatchThread(Watcher(place), self._each)

    @property
    def seen(self) -> Seen:
        """What was seen last."""
        return self.watch.seen

    def close(self) -> None:
        """End the watch."""
        self.watch.close()

    def _each(self, seen: Seen) -> None:
        self.alerts.look(seen)


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


def live_of(connection: HTTPConnection) -> Live:
    """The account that is watched. Raises ApiError(503) where the server was started for none."""
    live = connection.app.state.live
    if not isinstance(live, Live):
        remedy = "start the server with --account NAME; an account is a folder with a riskd.yaml"
        raise ApiError(503, "no account is traded here", fault("account", None, "the server watches one", remedy))
    return live


def unavailable(who: str, why: str, remedy: str) -> ApiError:
    """503: somebody that is needed does not answer."""
    return ApiError(503, f"{who} does not answer", fault(who, None, why, remedy), headers={"Retry-After": "2"})


def mode_of(seen: Seen) -> Mode:
    return "LIVE" if seen.mode == "LIVE" else "PAPER"


def journal_of(request: Request) -> Seen:
    seen = live_of(request).seen
    if seen.status is None and seen.stand is None:
        raise unavailable("the desk", seen.desk or "it does not answer", "start it: cws live")
    if seen.journal is not None:
        raise unavailable("the journal", seen.journal, "restore it from a backup")
    return seen
