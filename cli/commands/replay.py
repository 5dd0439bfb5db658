"""`cws replay`: the same run again from its raw data, compared bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode
from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from modules.compare import Difference
    from modules.replay import Replay

app = command_file()


@app.command()
def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")],
    json: Json = False,
) -> int:
    """Run a recorded run again, without the cache, and compare the bits. Exit 1 where they differ."""
    from cli.session import session
    from modules.replay import replay as again

    with session() as s, working("replaying"):
        result = again(s.manifests.load(run), s.data, s.artifacts, s.emit)
        # Kept, so that `cws diff` can show the two runs side by side.
        s.manifests.save(result.found)
    emit(_json(result), json, lambda out: _show(out, result))
    return ExitCode.OK if result.equal else ExitCode.FAILED


def _json(result: Replay) -> dict[str, object]:
    return {
        "run_id": result.recorded.run_id,
        "replay_id": result.found.run_id,
        "equal": result.equal,
        "first_difference": result.difference,
        "digest": result.recorded.digest,
        "replay_digest": result.found.digest,
        "environment": {
            k: {"recorded": result.recorded.environment.get(k), "found": v}
            for k, v in result.found.environment.items()
            if result.recorded.environment.get(k) != v
        },
    }


def _show(out: Console, result: Replay) -> None:
    difference = result.difference
    if difference is None or difference.same_bits:
        out.print(f"[bold green]equal[/] to the last bit: {result.recorded.digest}")
        if difference is not None:
            out.print(difference.message, markup=False)
        return
    out.print("[bold red]not equal[/]")
    show_difference(out, difference)


def show_difference(out: Console, difference: Difference) -> None:
    """The first difference, every field that says something."""
    from cli.present import rows, table

    found = {k: v for k, v in difference.model_dump().items() if v not in (None, "", ())}
    out.print(rows(table("first difference", ""), found.items()))
