"""`cws verify`: prove a pull request again, from a clone, with no key and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode
from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from supervisor.verification import Verification

app = command_file()


@app.command()
def verify(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="An ablation, its branch, or its record's folder.")],
    run: Annotated[bool, typer.Option("--run/--no-run", help="Run both arms again, with the code of then.")] = True,
    json: Json = False,
) -> int:
    """Recompute a record's verdict, level and diff, and run both arms again. Exit 1 where something does not hold."""
    from cli.session import stores
    from supervisor.verification import verify_record

    with working("recomputing") as update:
        found = verify_record(stores().workspace, record, run=run, progress=update)
    result = {
        "ablation_id": found.ablation_id,
        "found": found.found,
        "commit": found.commit,
        "ok": found.ok,
        "checks": [{"name": c.name, "holds": c.holds, "words": c.words} for c in found.checks],
    }
    emit(result, json, lambda out: _show(out, found))
    return ExitCode.OK if found.ok else ExitCode.FAILED


def _show(out: Console, found: Verification) -> None:
    from cli.present import rows, table

    word = {True: "holds", False: "FAILS", None: "not tried"}
    out.print(f"{found.ablation_id}, found in {found.found}", markup=False)
    made = table("check", "", "what")
    out.print(rows(made, ((c.name, word[c.holds], c.words) for c in found.checks)))
