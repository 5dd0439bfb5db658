"""GitHub's REST interface through PyGithub, with limits on waiting, and its refusals turned into remedies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from supervisor.forge.port import ForgeError

if TYPE_CHECKING:
    from github.Repository import Repository as Remote

API_URL = "https://api.github.com"
TOKEN = "CWS_GITHUB_TOKEN"

TIMEOUT_S = 20
"""For one answer."""

RETRIES = 3
"""After a dropped connection or a 5xx, each a little later."""

LONGEST_WAIT_S = 10.0
"""For a rate limit; a longer one is an error that says until when."""

_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LONGEST_SAID = 300


class Missing(ForgeError):  # noqa: N818 - an answer, as much as an error
    """GitHub says 404: it is not there, or this token may not see it."""


class Unprocessable(ForgeError):  # noqa: N818
    """GitHub says 405, 409 or 422: not like this, or not now. `said` is its own words."""

    def __init__(self, what: str, remedy: str, said: str) -> None:
        self.said = said
        super().__init__(what, remedy)


@dataclass(frozen=True)
class Address:
    """Which repository, where, and with which token. `pace_s`: between two writes, as GitHub asks."""

    slug: str
    api_url: str = API_URL
    token: str = field(default="", repr=False)
    pace_s: float = 1.0

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.slug):
            raise ForgeError(f"{self.slug!r} is no repository of GitHub", "write it as OWNER/NAME")
        url = urlsplit(self.api_url)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise ForgeError(f"{self.api_url!r} would carry the token in the open", "give an address with https://")
        if not self.token:
            raise ForgeError(f"no token for GitHub repository {self.slug}", f"set {TOKEN}")

    @property
    def owner(self) -> str:
        """Before the slash."""
        return self.slug.split("/")[0]


def connect(address: Address) -> Remote:
    """The repository; nothing is asked of the network yet."""
    import logging

    from github import Auth, Github, GithubRetry

    # It tells each try to whoever listens; what came of it is said by `asking`.
    logging.getLogger("github").setLevel(logging.CRITICAL)
    # What `Retry-After` says is not waited for blindly: an hour of silence is no answer either.
    retry = GithubRetry(
        total=RETRIES,
        backoff_factor=0.2 if address.pace_s else 0.0,
        max_rate_limit_wait=LONGEST_WAIT_S,
        respect_retry_after_header=False,
    )
    api = Github(
        auth=Auth.Token(address.token),
        base_url=address.api_url,
        timeout=TIMEOUT_S,
        retry=retry,
        per_page=100,
        seconds_between_requests=address.pace_s / 4.0,
        seconds_between_writes=address.pace_s,
        user_agent="cws",
        lazy=True,
    )
    return api.get_repo(address.slug)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Around every call: what GitHub or the network refuses becomes a ForgeError that says what was asked."""
    import requests
    from github import BadAttributeException, GithubException, IncompletableObject, RateLimitExceededException

    try:
        yield
    except RateLimitExceededException as error:
        said = f"{what}: GitHub's limit of calls is used up{_until(error)}"
        raise ForgeError(said, "try again later; nothing was merged") from error
    except GithubException as error:
        raise _explain(what, error) from error
    except requests.exceptions.RetryError as error:
        if "too many 403" in str(error):
            raise ForgeError(f"{what}: GitHub's limit of calls is used up", "try again in an hour") from error
        said = f"{what}: GitHub fails again and again"
        raise ForgeError(said, "try again later; what was begun is continued") from error
    except requests.RequestException as error:
        said = f"{what}: GitHub cannot be reached ({type(error).__name__})"
        raise ForgeError(said, "check the network and try again; what was begun is continued") from error
    except (BadAttributeException, IncompletableObject, ValueError, KeyError, TypeError, AssertionError) as error:
        said = f"{what}: the answer is not one of GitHub's ({type(error).__name__})"
        raise ForgeError(said, "check the address of the interface") from error


def _explain(what: str, error: Exception) -> ForgeError:
    status = int(getattr(error, "status", 0) or 0)
    said = said_by(getattr(error, "data", None))
    if status == 401:
        return ForgeError(f"{what}: GitHub does not accept the token", f"renew it and set {TOKEN}")
    if status == 403:
        remedy = "the token needs `contents` and `pull requests` to be writable, and the branch may be protected"
        return ForgeError(f"{what}: GitHub forbids it ({said})", remedy)
    if status == 404:
        return Missing(f"{what}: GitHub knows no such thing, or this token may not see it", "check name and token")
    if status in (405, 409, 422):
        return Unprocessable(f"{what}: GitHub refuses ({said})", "see the request on GitHub", said)
    if status >= 500:
        return ForgeError(f"{what}: GitHub fails with {status}", "try again later; what was begun is continued")
    return ForgeError(f"{what}: GitHub answers {status or 'nonsense'} ({said})", "see the request on GitHub")


def said_by(data: object) -> str:
    """The words of an error's body, on one line, printable, not too long."""
    parts: list[str] = []
    if isinstance(data, dict):
        parts.append(str(data.get("message", "")))
        errors = data.get("errors")
        parts += [
            str(item.get("message") or item.get("code") or "") if isinstance(item, dict) else str(item)
            for item in (errors if isinstance(errors, list) else [])
        ]
    elif data:
        parts.append(str(data))
    text = "; ".join(p for p in parts if p)
    return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_SAID] or "no reason given"


def _until(error: Exception) -> str:
    from datetime import UTC, datetime

    headers = getattr(error, "headers", None) or {}
    reset = str(headers.get("x-ratelimit-reset") or headers.get("X-RateLimit-Reset") or "")
    # Ten digits: a time in this century; anything else is not believed.
    if re.fullmatch(r"[0-9]{10}", reset):
        return f" until {datetime.fromtimestamp(int(reset), tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
    return ""
