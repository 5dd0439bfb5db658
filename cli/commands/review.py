"""`cws review`: the engine's pull requests. Only a named human merges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from rich.console import Console

    from supervisor.forge.port import Request, RequestDetail

app = command_file("The engine's pull requests.")

Branch = Annotated[str, typer.Argument(metavar="BRANCH", help="As `cws review list` shows it.")]
By = Annotated[
    str | None, typer.Option(metavar="'NAME <MAIL>'", help="The human who decides.", show_default="git's user")
]


@app.command("list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Merged and rejected ones too.")] = False,
    json: Json = False,
) -> None:
    """Open requests, newest first."""
    from cli.present import rows, table
    from cli.session import stores
    from supervisor.forge.choice import forge_of

    found = [r for r in forge_of(stores().workspace).list() if all_ or r.state == "open"]
    if not found and not json:
        say("nothing waits for review; make something with [bold]cws research[/] or [bold]cws supervise[/]")
        return
    made = table("branch", "state", "what", "ablation")
    cells = ((r.branch, r.state, r.title, r.ablation_id) for r in found)
    emit({"reviews": [_row(r) for r in found]}, json, lambda out: out.print(rows(made, cells)))


@app.command()
def show(branch: Branch, json: Json = False) -> None:
    """One request: why, what it changes, the verdict with its noise floor, the diff."""
    from cli.session import stores
    from supervisor.forge.choice import forge_of
    from supervisor.forge.port import NoRequestError

    try:
        detail = forge_of(stores().workspace).show(branch)
    except NoRequestError as error:
        raise RequestError(str(error).split("; remedy")[0], error.remedy) from error
    result = {
        **_row(detail.request),
        "body": detail.body,
        "changes": [{"path": c.path, "status": c.status} for c in detail.changes],
    }
    emit(result, json, lambda out: _show(out, detail))


@app.command()
def approve(branch: Branch, by: By = None, json: Json = False) -> None:
    """Merge a request into the checked-out branch, in your name. Exit 3 where a rule refuses."""
    from cli.session import session
    from supervisor.review import approve as merge

    with session() as s:
        done = merge(s.workspace, branch, s.emit, by=by)
    result = {
        "branch": done.branch,
        "into": done.into,
        "merge_commit": done.merge_commit,
        "by": str(done.by),
        "trailers": done.trailers,
    }
    emit(result, json, lambda out: out.print(f"merged {branch} into {done.into}: {done.merge_commit}", markup=False))
    if not json:
        from supervisor.forge.choice import forge_of
        from supervisor.forge.port import PATCHES

        patch = branch.removeprefix(PATCHES) if branch.startswith(PATCHES) else None
        undo = f"cws rollback {patch} --reason WHY" if patch else f"git revert -m 1 {done.merge_commit[:12]}"
        if forge_of(s.workspace).name != "local":
            say("[bold]git pull[/] brings it here")
        say(f"to undo: [bold]{undo}[/]")


@app.command()
def reject(
    branch: Branch,
    reason: Annotated[str, typer.Option(help="Why; later mining reads it.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Turn a request down. The reason is kept, and the branch under refs/cws/rejected/."""
    from cli.session import session
    from supervisor.review import reject as turn_down

    with session() as s:
        request = turn_down(s.workspace, branch, reason, s.emit, by=by)
    result = {"branch": request.branch, "state": "rejected", "reason": reason.strip(), "commit": request.commit}
    emit(result, json, lambda out: out.print(f"rejected {branch}", markup=False))


def _row(request: Request) -> dict[str, object]:
    from datetime import UTC, datetime

    return {
        "branch": request.branch,
        "kind": request.kind,
        "state": request.state,
        "ablation_id": request.ablation_id,
        "commit": request.commit,
        "title": request.title,
        "author": request.author,
        "opened": datetime.fromtimestamp(request.time_s, tz=UTC).isoformat(),
        "page": request.page,
    }


def _show(out: Console, detail: RequestDetail) -> None:
    from cli.present import rows, table

    request = detail.request
    out.print(f"{request.branch} ({request.state}), {request.commit}, by {request.author}\n", markup=False)
    out.print(detail.body, markup=False, soft_wrap=True)
    out.print(rows(table("", "path"), ((c.status, c.path) for c in detail.changes)))
