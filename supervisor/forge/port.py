"""The port: a request is a branch with one commit that asks to be merged, and a human who says yes or no.

What a forge must hold, whichever it is (tests/supervisor/forge/conformance.py):
1. `open` may be repeated: the same draft gives the same branch and request, and never a second one.
2. Opening touches neither the working tree, nor the index, nor the branch that is checked out.
3. `merge` and `reject` take a human's identity, and refuse the engine's own.
4. A merge has the request's commit as its second parent, and its message says who reviewed it.
5. A crash anywhere leaves a state from which the same call goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.repository import ENGINE, Change, Identity, RepositoryError

PATCHES = "supervisor/"
RESEARCH = "research/"
PROMOTIONS = "promotion/"
ROLLBACKS = "rollback/"

State = Literal["open", "merged", "rejected"]
Kind = Literal["patch", "research", "promotion", "rollback"]

KINDS: Mapping[str, Kind] = {PATCHES: "patch", RESEARCH: "research", PROMOTIONS: "promotion", ROLLBACKS: "rollback"}
"""How a request's branch begins, and what it asks for. Other branches are none of the engine's business."""


class ForgeError(RepositoryError):
    """A forge could not do it; the message says what, why and the remedy."""


class NoRequestError(ForgeError):
    """No request has this name."""


@dataclass(frozen=True)
class Draft:
    """What is to be asked. `files` maps a path to its bytes, or to None for one that goes; `message` is the commit's,
    title first; `page` the same text as markdown for a forge that shows it."""

    branch: str
    files: Mapping[str, bytes | None]
    message: str
    page: str
    author: Identity = ENGINE

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True)
class Opened:
    """A request that stands. `page`: where a browser finds it, if anywhere."""

    branch: str
    commit: str
    page: str | None


@dataclass(frozen=True)
class Request:
    """One branch that asks to be merged. `ablation_id` is None for what no ablation judged."""

    branch: str
    kind: Kind
    state: State
    ablation_id: str | None
    commit: str
    title: str
    author: str
    time_s: int
    page: str | None = None


@dataclass(frozen=True)
class RequestDetail:
    """A request with its body and the paths it changes."""

    request: Request
    body: str
    changes: tuple[Change, ...]


class Forge(Protocol):
    """Where requests wait. Every method raises ForgeError or RepositoryError, with the remedy."""

    @property
    def name(self) -> str:
        """`local`, `github:owner/name`."""

    def open(self, draft: Draft, /) -> Opened:
        """Put the draft's commit on its branch, from the checked-out commit, and ask."""

    def list(self) -> tuple[Request, ...]:
        """Every request of the engine, newest first: open, merged, rejected."""

    def show(self, branch: str, /) -> RequestDetail:
        """A request with its body and what it changes. NoRequestError where there is none."""

    def merge(self, request: Request, message: str, human: Identity, /) -> str:
        """Merge the request at exactly the commit it names into the checked-out branch, in `human`'s name; the sha of
        the merge commit. Nothing has changed where it raises."""

    def merged_as(self, request: Request, /) -> tuple[str, str] | None:
        """The merge commit of a merged request and its message; None where it came in otherwise."""

    def reject(self, request: Request, reason: str, human: Identity, /) -> None:
        """Close the request unmerged. Repeating it is harmless."""


def kind_of(branch: str) -> Kind | None:
    """What a branch asks for, by its name; None for one that is no request."""
    return next((kind for prefix, kind in KINDS.items() if branch.startswith(prefix)), None)


def ablation_of(branch: str) -> str | None:
    """The ablation behind the branch of a patch or of its rollback."""
    prefix = next((p for p in (PATCHES, ROLLBACKS) if branch.startswith(p)), None)
    return None if prefix is None else branch.removeprefix(prefix)


def newest_first(requests: list[Request]) -> tuple[Request, ...]:
    """As every forge lists them."""
    return tuple(sorted(requests, key=lambda r: (-r.time_s, r.branch)))


def no_such(branch: str, known: tuple[Request, ...]) -> NoRequestError:
    """For a branch that is no request."""
    names = ", ".join(r.branch for r in known[:5]) or "none"
    return NoRequestError(f"there is no request {branch!r}; there are: {names}", "see `cws review list`")


def find(forge: Forge, branch: str) -> Request:
    """The request of this branch. NoRequestError where there is none."""
    known = forge.list()
    for request in known:
        if request.branch == branch:
            return request
    raise no_such(branch, known)


def refuse_engine(human: Identity) -> None:
    """Whoever decides is a human. ForgeError."""
    if not human.is_human:
        raise ForgeError(f"{human} is no human, and only a human decides", "give --by 'Name <name@host>'")
