"""`cws module`: what fills the stages, and with which settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.lazy import command_file
from cli.output import Json, emit, say

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
