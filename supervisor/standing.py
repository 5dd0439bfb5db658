"""What of the engine's work stands in the checked-out commit without a human's name: it may be looked at, and goes no
further towards a market.

Git lets whoever can write to a checkout write anything, in any name. So a merge counts where two accounts of it agree:
git's (a merge commit in a human's name, with the request's commit as second parent) and the ledger's (that this human
said yes to this commit, signed into the chain before the merge).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.plumbing import ENGINE_MAIL
from harness.repository import Identity, Repository, RepositoryError
from supervisor.rules import RECORDS
from traces.events import Event, MergeBegun, ReviewApproved

CERTIFICATES = f"{RECORDS}certificates/"


@dataclass(frozen=True)
class Unreviewed:
    """One commit on the checked-out branch's own line, what it brought, and why it does not count."""

    commit: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.commit[:12]} brings {self.what}: {self.why}"


def unreviewed(repo: Repository, events: Iterable[Event], rev: str = "HEAD") -> tuple[Unreviewed, ...]:
    """Every commit on the first-parent line of `rev` that brought work of the engine without a human's yes."""
    approved: dict[str, ReviewApproved] = {}
    begun: dict[tuple[str, str], set[str]] = {}
    for event in events:
        if isinstance(event, ReviewApproved):
            approved[event.merge_commit] = event
        elif isinstance(event, MergeBegun):
            begun.setdefault((event.branch, event.by), set()).add(event.commit)
    found = []
    for brought in repo.brought(ENGINE_MAIL, RECORDS.rstrip("/"), rev):
        # Certificates are committed by hand: each says what it holds for, and is checked by its digest.
        records = [path for path in brought.paths if not path.startswith(CERTIFICATES)]
        if not brought.commits and not records:
            continue
        why = _why(repo, brought.commit, approved.get(brought.commit), begun)
        if why:
            found.append(Unreviewed(brought.commit, (records or [f"{brought.commits[0][:12]} of the engine"])[0], why))
    return tuple(found)


def _why(repo: Repository, commit: str, said: ReviewApproved | None, begun: dict[tuple[str, str], set[str]]) -> str:
    """Why this commit does not count as reviewed; "" = it does."""
    at = repo.show(commit)
    if len(at.parents) < 2:
        return "it is no merge"
    if said is None:
        return "the ledger knows of no human who approved it"
    try:
        human = Identity.parse(said.by)
    except RepositoryError:
        return f"the ledger says that {said.by!r} approved it, which is nobody"
    if not human.is_human:
        return f"{human} is no human"
    if f"Reviewed-by: {human}" not in at.message.splitlines():
        return f"it does not say that {human} reviewed it"
    if at.parents[1] not in begun.get((said.branch, said.by), set()):
        return f"{human} said yes to another commit"
    return ""
