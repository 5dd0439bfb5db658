"""Every error of the API in one form: which field, its value, the rule that it breaks, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from cli.errors import ExitCode, meaning

SHOWN_CHARACTERS = 80
"""Of a value that was sent: more would give back whatever was sent."""

MOST_FAULTS = 20


class Fault(BaseModel):
    """One thing that is wrong. `field` is a path like `body.lots`; `value` what was given, cut; None = none was."""

    model_config = ConfigDict(frozen=True)

    field: str
    value: str | None
    rule: str
    remedy: str


class Check(BaseModel):
    """The risk check that an order failed: `answer` and `rule` as in docs/risk.md; None where no limit spoke."""

    model_config = ConfigDict(frozen=True)

    answer: str
    rule: str
    limit: float | None
    value: float | None
    allowed_lots: int


class Faults(BaseModel):
    """The body of every answer that is no success."""

    model_config = ConfigDict(frozen=True)

    error: str
    faults: tuple[Fault, ...]
    check: Check | None = None


class ApiError(Exception):
    """Answers the request with `status` and its faults."""

    def __init__(
        self,
        status: int,
        error: str,
        *faults: Fault,
        check: Check | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status, self.body, self.headers = status, Faults(error=error, faults=faults, check=check), headers or {}


def fault(field: str, value: object, rule: str, remedy: str) -> Fault:
    """A fault with its value cut to what may be shown."""
    return Fault(field=field, value=None if value is None else shown(value), rule=rule, remedy=remedy)


def shown(value: object) -> str:
    """A value that was sent, as it is said back."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def absent(what: str, field: str, value: object, remedy: str) -> ApiError:
    """404: nothing bears this name."""
    return ApiError(404, f"there is no {what} {shown(value)!r}", fault(field, value, f"names a {what}", remedy))


def answer(error: ApiError) -> JSONResponse:
    """The error as a response."""
    return JSONResponse(error.body.model_dump(), error.status, error.headers)


async def on_api_error(_: Request, error: Exception) -> JSONResponse:
    """For FastAPI's table of handlers."""
    assert isinstance(error, ApiError)
    return answer(error)


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """422 for what the models refuse, a fault for each field."""
    assert isinstance(error, RequestValidationError)
    faults = tuple(_invalid(e) for e in list(error.errors())[:MOST_FAULTS])
    words = "; ".join(f"{f.field}: {f.rule}" for f in faults)
    return answer(ApiError(422, words or "the request is not valid", *faults))


def _invalid(error: dict[str, object]) -> Fault:
    where = error["loc"]
    assert isinstance(where, Sequence)
    given = error.get("input")
    value = None if error.get("type") == "missing" else jsonable_encoder(given, custom_encoder={bytes: repr})
    return fault(
        ".".join(str(part) for part in where) or "body",
        value,
        str(error["msg"]).removeprefix("Value error, "),
        "send a value that keeps the rule; /openapi.json has every field",
    )


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """404 and 405 of paths that nobody serves, 400 of a body that no parser takes."""
    assert isinstance(error, HTTPException)
    path = shown(request.url.path)
    rule = {404: "names a path of the API", 405: "is a method of the path"}.get(error.status_code, str(error.detail))
    field, value = {405: ("method", request.method), 400: ("body", None)}.get(error.status_code, ("path", path))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    made = ApiError(
        error.status_code,
        f"{request.method} {path}: {error.detail}",
        fault(field, value, rule, "/openapi.json lists every path with its methods"),
        headers=headers,
    )
    return answer(made)


def _methods(request: Request) -> list[str]:
    """Every method of the path, of all the routes that serve it."""
    schema: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    for path, methods in schema.items():
        if compile_path(path)[0].match(request.url.path):
            return sorted(method.upper() for method in methods)
    return []


async def on_known(_: Request, error: Exception) -> JSONResponse:
    """Errors of the parts that carry words for a reader; anything else is a defect and says no more than that."""
    known = meaning(error)
    if known is None:
        made = ApiError(
            500, "a defect of the server", fault("request", None, "is answered", "the server's log says where")
        )
        return answer(made)
    status = {ExitCode.USAGE: 422, ExitCode.REFUSED: 403}.get(known.exit_code, 409)
    remedy = str(getattr(error, "remedy", "") or known.remedy or "see the sentence")
    words = str(error)[:500]
    return answer(ApiError(status, words, fault("request", None, words, remedy)))
