"""`cws skills`: what the drafters and the supervisor know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from harness.drafters.offline.why import Why
    from skills.registry import Skill

app = command_file("The research skills.")


@app.command("list")
def list_(json: Json = False) -> None:
    """Every skill with its one-line description."""
    from cli.present import rows, table
    from skills.registry import skills

    found = skills()
    emit(
        {"skills": [_row(s) for s in found]},
        json,
        lambda out: out.print(
            rows(
                table("skill", "drafts", "description"),
                ((s.name, s.drafting is not None, s.description) for s in found),
            )
        ),
    )


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="The skill's name.")], json: Json = False) -> None:
    """One skill in full."""
    from difflib import get_close_matches

    from skills.registry import skills

    known = {s.name: s for s in skills()}
    if name not in known:
        near = get_close_matches(name, known, n=3)
        raise RequestError(
            f"skill {name!r} does not exist",
            f"did you mean {', '.join(near)}?" if near else "`cws skills list` shows them all",
        )
    skill = known[name]
    emit({**_row(skill), "body": skill.body}, json, lambda out: out.print(skill.body, markup=False))


@app.command()
def lint(json: Json = False) -> None:
    """Every fault of every skill: format, metadata, recipes, words that two skills claim; exit 1 where there is one."""
    from harness.drafters.offline.skilllint import lint as faults_in
    from skills.registry import drafting_skills

    with working("reading the skills"):
        found, faults = faults_in()
    drafting = len(drafting_skills(found))
    emit(
        {"ok": not faults, "skills": len(found), "drafting": drafting, "faults": faults},
        json,
        lambda out: _faults(out, [str(f) for f in faults], len(found), drafting),
    )
    if faults:
        raise typer.Exit(1)


@app.command()
def why(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A hypothesis in plain words.")], json: Json = False
) -> None:
    """Which skills a text leads to, and why: what was read as what, and what speaks for each."""
    from harness.drafters.offline.why import why as reasons_for
    from skills.registry import skills

    found = reasons_for(text, skills())
    emit(found, json, lambda out: _why(out, found))


def _faults(out: Console, faults: list[str], count: int, drafting: int) -> None:
    for fault in faults:
        out.print(fault, markup=False)
    words = f"{len(faults)} faults in" if faults else "well-formed:"
    out.print(f"{words} {count} skills, {drafting} of them draft signals")


def _why(out: Console, found: Why) -> None:
    from cli.present import rows, table

    read = ((p.phrase, p.kind.replace("_", " "), p.role or "", p.event or "") for p in found.phrases)
    out.print(rows(table("phrase", "read as", "part", "event"), read))
    if found.open is not None:
        out.print(f"not settled: {found.open}", markup=False)
    fits = found.fits or found.near
    if fits:
        out.print(
            rows(table("skill", "because" if found.fits else "near"), ((f.skill, "; ".join(f.reasons)) for f in fits))
        )
    else:
        out.print("no skill shares a word with the text; `cws skills list` shows them all")


def _row(skill: Skill) -> dict[str, object]:
    return {
        "name": skill.name,
        "description": skill.description,
        "digest": skill.digest,
        "metadata": skill.metadata,
        "phrases": skill.phrases,
        "drafts": skill.drafting is not None,
    }
