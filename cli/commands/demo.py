"""`cws demo`: the whole loop once. The same functions as the commands, one after the other; nothing is canned."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError, ExitCode
from cli.lazy import command_file
from cli.output import Json, emit, stderr, stdout

if TYPE_CHECKING:
    from rich.console import Console

    from cli.loop import Researched
    from harness.repository import Repository
    from supervisor.result import SuperviseResult

app = command_file()

HYPOTHESIS = "stocks that fell the most last week rebound"
DATA = "us20"
CANDIDATES = 3
ABLATIONS = 2
SUPERVISE_SECONDS = 180.0
"""After this long the supervisor begins nothing new. Alone on two cores it is done within one."""


@dataclass(frozen=True)
class Stand:
    """Where the checkout stands: what a demo must leave as it found it."""

    branch: str | None
    head: str
    dirt: tuple[str, ...]

    @classmethod
    def of(cls, repository: Repository) -> Stand:
        """Now."""
        return cls(repository.current_branch, repository.head(), repository.dirt())


@app.command()
def demo(
    hypothesis: Annotated[str, typer.Argument(metavar="[TEXT]", help="A hypothesis of your own.")] = HYPOTHESIS,
    json: Json = False,
) -> int:
    """The whole loop once on us20: research a hypothesis, supervise, judge patches, open pull requests."""
    from cli.commands.research import ENDINGS
    from cli.loop import WORKERS, ResearchRequest, research_request, supervise_workspace
    from cli.present_loop import show_supervision
    from cli.present_research import show_research
    from cli.session import session
    from harness.repository import Repository

    clock = time.monotonic()
    out = stderr() if json else stdout()
    with session() as s:
        repository = Repository(s.workspace.root)
        before = Stand.of(repository)
        _head(out, 1, f'Research: "{hypothesis}" on {DATA}')
        with _steps(out) as step:
            request = ResearchRequest(text=hypothesis, data=DATA, candidates=CANDIDATES)
            found = research_request(s, request, lambda at: step(f"{at.node}: {at.words}") if at.words else None)
        show_research(out, found)
        ending = ENDINGS[found.result.status]
        if ending is not ExitCode.OK:
            emit(_json(found, None, before, clock), json, lambda _: None)
            return ending
        _head(out, 2, "Supervise: mine the traces, patch a setting, judge it on a period that was not mined")
        with _steps(out) as step:
            result = supervise_workspace(
                s, suite="broad", seconds=SUPERVISE_SECONDS, ablations=ABLATIONS, workers=WORKERS, progress=step
            )
        show_supervision(out, result)
        after = Stand.of(repository)
    if after != before:
        raise CommandError(
            f"the demo changed the checkout: {before} became {after}", "this is a defect, please report it"
        )
    _head(out, 3, f"Done in {time.monotonic() - clock:.0f} s; your branch and working tree are as they were")
    for command in next_commands(found, result):
        out.print(f"  {command}", markup=False, soft_wrap=True)
    emit(_json(found, result, after, clock), json, lambda _: None)
    return ExitCode.OK


def next_commands(found: Researched, result: SuperviseResult | None) -> list[str]:
    """The three commands to try next."""
    shipped = [v.branch for v in result.verdicts if v.branch] if result else []
    chosen = found.result.chosen
    written = chosen.branch if chosen else None
    if shipped:
        look = [f"cws review show {shipped[0]}", f"cws review approve {shipped[0]}"]
    elif written:
        look = [f"cws review show {written}", f"cws replay {chosen.run_id if chosen else 'last'}"]
    else:
        look = ["cws runs", "cws replay last"]
    return [*look, 'cws research "stocks near their 52-week high keep rising"']


def _json(found: Researched, result: SuperviseResult | None, stand: Stand, clock: float) -> dict[str, object]:
    from cli.commands.research import research_json
    from cli.commands.supervise import supervise_json

    return {
        "research": research_json(found),
        "supervise": supervise_json(result) if result else None,
        "checkout": stand,
        "next": next_commands(found, result),
        "seconds": time.monotonic() - clock,
    }


def _head(out: Console, number: int, words: str) -> None:
    out.print(f"\n[bold]{number}[/]  ", end="")
    out.print(words, style="bold", markup=False)


@contextmanager
def _steps(out: Console) -> Iterator[Callable[[str], None]]:
    """Each step with the seconds it took; on a terminal the current one turns."""
    from rich.markup import escape

    began = time.monotonic()
    if not out.is_terminal:

        def line(words: str) -> None:
            out.print(f"  {time.monotonic() - began:5.1f} s  {words}", markup=False, soft_wrap=True)

        yield line
        return
    with out.status("starting") as status:

        def turn(words: str) -> None:
            out.print(f"[dim]  {time.monotonic() - began:5.1f} s  {escape(words)}[/]", soft_wrap=True)
            status.update(escape(words))

        yield turn
