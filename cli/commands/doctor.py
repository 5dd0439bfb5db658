"""`cws doctor`: is this workspace fit to work?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import ExitCode
from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from cli.doctor import Check

app = command_file()


@app.command()
def doctor(json: Json = False) -> int:
    """Is this workspace fit to work? Each problem with its remedy. Exit 1 where something essential is broken."""
    from cli.doctor import examine
    from cli.session import stores

    with working("examining"):
        found = examine(stores())
    ok = not any(c.level == "error" and not c.ok for c in found)
    emit({"ok": ok, "checks": found}, json, lambda out: _show(out, found, ok))
    return ExitCode.OK if ok else ExitCode.FAILED


def _show(out: Console, found: list[Check], ok: bool) -> None:
    from rich.text import Text

    from cli.present import rows, table

    def mark(check: Check) -> Text:
        if check.ok:
            return Text("ok", style="green")
        return Text(check.level, style="bold red" if check.level == "error" else "yellow")

    def words(check: Check) -> str:
        return f"{check.detail}\nremedy: {check.remedy}" if check.remedy and not check.ok else check.detail

    out.print(rows(table("check", "", "finding"), ((c.name, mark(c), words(c)) for c in found)))
    out.print("[bold green]fit to work[/]" if ok else "[bold red]not fit to work[/]: see the errors above")
