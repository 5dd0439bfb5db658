"""`cws module`: what fills the stages, and with which settings; new modules, tested in a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode
from cli.lazy import command_file
from cli.output import Json, emit, say, stderr

if TYPE_CHECKING:
    from rich.console import Console

app = command_file("The pipeline's modules.")


@app.callback()
def _group() -> None:
    """The pipeline's modules."""


@app.command("list")
def list_(json: Json = False) -> None:
    """Every module with its purpose, objective, and settings in force with their bounds."""
    from cli.session import stores
    from modules.registry import list_modules
    from modules.task import load_pipeline

    chosen = load_pipeline(stores().workspace.root / "pipeline.yaml").stages
    found = [_row(stage, name, chosen.get(stage) == name) for stage, name in list_modules()]
    emit({"modules": found}, json, lambda out: _show(out, found))
    if not json:
        say("* = in pipeline.yaml; settings stand in modules/<stage>/<name>/settings.yaml")


@app.command()
def new(
    stage: Annotated[str, typer.Argument(help="ingest, clean, feature, backtest, size or execute.")],
    name: Annotated[str, typer.Argument(help="Lower case letters, digits and _.")],
    summary: Annotated[str | None, typer.Option(help="What it does, in one sentence.", show_default=False)] = None,
    python: Annotated[bool, typer.Option("--python", help="A signal in Python instead of the language.")] = False,
    json: Json = False,
) -> None:
    """Write the folder of a new module, and its skill, into the working tree. It passes its tests as it is."""
    from cli.coding import write_new
    from cli.session import stores

    paths = write_new(stores().workspace.root, stage, name, summary, "python" if python else "copy")
    emit({"stage": stage, "name": name, "files": list(paths)}, json, lambda out: out.print("\n".join(paths)))
    if not json:
        say(f"next: change it, then [bold]cws module test {stage} {name}[/]")


@app.command()
def test(
    stage: Annotated[str, typer.Argument(help="Its stage.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    data: Annotated[str | None, typer.Option(help="A registered data set.", show_default="us5")] = None,
    json: Json = False,
) -> int:
    """Test a module of the working tree in a sandbox: contract, settings, purity, acceptance, no look-ahead.

    Exit 1 where it breaks a rule.
    """
    from cli.coding import show_tested, test_folder
    from cli.output import working
    from cli.session import session

    with session() as s, working("testing"):
        tested = test_folder(s, stage, name, data)
    emit({**tested.model_dump(mode="json"), "ok": tested.ok}, json, lambda out: show_tested(out, tested, name))
    return ExitCode.OK if tested.ok else ExitCode.FAILED


@app.command()
def draft(
    name: Annotated[str | None, typer.Argument(help="Name of the feature module.")] = None,
    task: Annotated[str | None, typer.Argument(help="What it computes, in plain words.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="ID", help="Go on with one that was cut off.")] = None,
    data: Annotated[str | None, typer.Option(help="The set it is tested on.", show_default="us5")] = None,
    llm: Annotated[
        str | None, typer.Option(metavar="CHOICE", help="Who writes, as in `cws research`.", show_default="CWS_LLM")
    ] = None,
    attempts: Annotated[int, typer.Option(min=1, max=8, help="Write at most so often.")] = 4,
    max_usd: Annotated[float, typer.Option(min=0.0, max=1_000.0, help="Spend at most this on a model.")] = 2.0,
    json: Json = False,
) -> int:
    """Let a model write a feature module in Python: tested in a sandbox, mended, put on a branch for review.

    Offline the template stands as it is. Nothing that was written is imported before a human merges it.
    """
    from cli import coding
    from cli.research_progress import watching
    from cli.session import session
    from harness.llm.choice import chosen

    with session() as s, watching(stderr(), quiet=json, nodes=("write", "test", "submit")) as (progress, _):
        result = coding.draft(
            s, name, task, resume, data=data, llm=str(chosen(llm)), attempts=attempts, max_usd=max_usd,
            progress=progress,
        )  # fmt: skip
    emit(result, json, lambda out: coding.show_coding(out, result))
    return ExitCode.OK if result.status == "proposed" else ExitCode.FAILED


def _row(stage: str, name: str, in_pipeline: bool) -> dict[str, object]:
    from modules.registry import load_module

    module = load_module(stage, name)
    return {
        "stage": stage,
        "name": name,
        "summary": module.contract.summary,
        "objective": module.contract.objective,
        "in_pipeline": in_pipeline,
        "code_digest": module.code_digest,
        "settings": module.settings.model_dump(mode="json"),
        "bounds": _bounds(module.settings.model_json_schema()),
    }


def _bounds(schema: dict[str, object]) -> dict[str, dict[str, object]]:
    """Per setting the bounds that its field declares: the space a patch may move in."""
    properties = schema.get("properties")
    assert isinstance(properties, dict)
    keep = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum")
    return {name: {k: field[k] for k in keep if k in field} for name, field in properties.items()}


def _show(out: Console, found: list[dict[str, object]]) -> None:
    from cli.present import rows, table

    def settings(row: dict[str, object]) -> str:
        values, bounds = row["settings"], row["bounds"]
        assert isinstance(values, dict) and isinstance(bounds, dict)
        return "\n".join(f"{k} = {v}{_range(bounds.get(k, {}))}" for k, v in values.items())

    made = table("", "module", "purpose", "settings")
    made.columns[3].min_width = 44
    out.print(
        rows(
            made,
            (("*" if r["in_pipeline"] else "", f"{r['stage']}/{r['name']}", r["summary"], settings(r)) for r in found),
        )
    )


def _range(bounds: dict[str, object]) -> str:
    low = bounds.get("minimum", bounds.get("exclusiveMinimum"))
    high = bounds.get("maximum", bounds.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    return f"   [{'' if low is None else low} .. {'' if high is None else high}]"
