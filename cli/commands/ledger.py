"""`cws ledger`: is the record of everything still whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import ExitCode
from cli.lazy import command_file
from cli.output import Json, emit

if TYPE_CHECKING:
    from rich.console import Console

    from traces.verify import Verification

app = command_file("The ledger of everything that ever ran.")


@app.callback()
def _group() -> None:
    """The ledger of everything that ever ran."""


@app.command()
def verify(json: Json = False) -> int:
    """Verify the hash chain and the signed checkpoint. Exit 1 where a record is bad or missing."""
    from cli.session import stores
    from traces.verify import verify as check

    workspace = stores().workspace
    found = check(workspace.ledger, workspace.checkpoints)
    emit(found, json, lambda out: _show(out, found))
    return ExitCode.OK if found.ok else ExitCode.FAILED


def _show(out: Console, found: Verification) -> None:
    from cli.present import verdict_text

    out.print(verdict_text("ok" if found.ok else "BAD"), f"{found.events:,} events; {found.reason}")
