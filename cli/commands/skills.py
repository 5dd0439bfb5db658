"""`cws skills`: what the drafters and the supervisor know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit

if TYPE_CHECKING:
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
    """Read every skill with all its checks; exit 1 at the first that is malformed, with its file and field."""
    from harness.drafters.offline.lexicon import lexicon
    from skills.registry import drafting_skills, load_skills

    found = load_skills()
    drafting = drafting_skills(found)
    lexicon(found)  # two skills that give one phrase two meanings are found here
    result = {"ok": True, "skills": len(found), "drafting": len(drafting)}
    emit(result, json, lambda out: out.print(f"{len(found)} skills well-formed, {len(drafting)} of them draft signals"))


def _row(skill: Skill) -> dict[str, object]:
    return {
        "name": skill.name,
        "description": skill.description,
        "digest": skill.digest,
        "metadata": skill.metadata,
        "drafts": skill.drafting is not None,
    }
