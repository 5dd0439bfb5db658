"""The application, put together. Nothing here is global: a test makes one for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from cli.api import account, orders, pipelineruns, research, stream
from cli.api.faults import ApiError, Faults, on_api_error, on_http, on_invalid, on_known
from cli.api.gate import Gate, Rates
from cli.api.jobs import Jobs
from cli.api.tokens import TokenStore
from cli.api.wiring import Live
from modules.live.place import Place
from modules.workspace import Workspace

FAULTS: dict[int | str, dict[str, Any]] = {
    code: {"model": Faults, "description": words}
    for code, words in (
        (400, "the body is no JSON"),
        (401, "no token, or none in force"),
        (403, "the token lacks the scope; or the risk core refused, and which check"),
        (404, "nothing bears this name"),
        (409, "it cannot be done as things stand"),
        (413, "the body is too long"),
        (414, "the path is too long"),
        (422, "a field breaks its rule"),
        (429, "too many requests; Retry-After says when"),
        (431, "the headers are too long"),
        (504, "the outcome is not known; the same again does nothing twice"),
        (503, "the desk or the risk core does not answer"),
    )
}


class Health(BaseModel):
    """That the server answers. `mode`: PAPER, LIVE, or NONE where no risk core answers."""

    model_config = ConfigDict(frozen=True)

    name: str = "cws"
    mode: str


def create_app(workspace: Workspace, rates: Rates | None = None, place: Place | None = None) -> FastAPI:
    """The API of a workspace, and of the account at `place`."""

    def mode() -> str:
        return "NONE" if app.state.live is None else str(app.state.live.seen.mode)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.jobs = Jobs(workspace)
        app.state.live = None if place is None else Live(place)
        try:
            yield
        finally:
            app.state.jobs.close()
            if app.state.live is not None:
                app.state.live.close()

    app = FastAPI(
        title="cws",
        version="1",
        description="Backtests, signals, orders and risk. Every order is ruled on by the risk core.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=FAULTS,
        # A body without a Content-Type is JSON too; what it may be says the model.
        strict_content_type=False,
    )
    app.state.workspace, app.state.live = workspace, None

    @app.get("/health")
    def health() -> Health:
        """Whether the server answers; needs no token."""
        return Health(mode=mode())

    # The gate admits; this only says so in the description.
    bearer = [Security(HTTPBearer(auto_error=False))]
    for part in (research, pipelineruns, orders, account):
        app.include_router(part.router, dependencies=bearer)
    app.include_router(stream.router)
    app.add_exception_handler(ApiError, on_api_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_known)
    app.add_middleware(Gate, tokens=TokenStore(workspace.home), rates=rates or Rates(), mode=mode)
    return app
