"""`cws diff`: what differs between two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit

if TYPE_CHECKING:
    from rich.console import Console

    from modules.manifest import Manifest

app = command_file()

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run id, any clear beginning of one, or `last`.")]


@app.command()
def diff(run_a: RunName, run_b: RunName, json: Json = False) -> None:
    """What differs between two runs: task, settings, code, outputs, metrics."""
    from cli.session import stores
    from modules.compare import first_difference

    s = stores()
    a, b = s.manifests.load(run_a), s.manifests.load(run_b)
    result = {
        "run_a": a.run_id,
        "run_b": b.run_id,
        "equal": a.digest == b.digest,
        "first_difference": first_difference(a, b, s.artifacts),
        "task": task_changes(a, b),
        "stages": stage_changes(a, b),
        "settings": settings_changes(a, b),
        "metrics": metric_changes(a, b),
        "environment": changes(a.environment, b.environment),
    }
    emit(result, json, lambda out: _show(out, a, b, result))


def changes(a: dict[str, str], b: dict[str, str]) -> dict[str, dict[str, object]]:
    """Keys whose values differ."""
    return {k: {"a": a.get(k), "b": b.get(k)} for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)}


def task_changes(a: Manifest, b: Manifest) -> dict[str, dict[str, object]]:
    """Fields of the task that differ."""
    left, right = a.task.model_dump(mode="json"), b.task.model_dump(mode="json")
    return {k: {"a": left[k], "b": right[k]} for k in left if left[k] != right[k]}


def stage_changes(a: Manifest, b: Manifest) -> list[dict[str, object]]:
    """Per stage: what of module, code, settings, inputs and outputs is the same."""
    return [
        {
            "stage": old.stage,
            "module_a": old.module,
            "module_b": new.module,
            "same_code": old.code_digest == new.code_digest,
            "same_settings": old.settings_digest == new.settings_digest,
            "same_inputs": old.inputs == new.inputs,
            "same_outputs": old.digest == new.digest,
        }
        for old, new in zip(a.stages, b.stages, strict=False)
    ]


def settings_changes(a: Manifest, b: Manifest) -> dict[str, dict[str, object]]:
    """`stage.setting` to both values, where they differ."""
    left = {f"{s.stage}.{k}": v for s in a.stages for k, v in s.settings.items()}
    right = {f"{s.stage}.{k}": v for s in b.stages for k, v in s.settings.items()}
    return {
        k: {"a": left.get(k), "b": right.get(k)}
        for k in sorted(left.keys() | right.keys())
        if left.get(k) != right.get(k)
    }


def metric_changes(a: Manifest, b: Manifest) -> dict[str, dict[str, float | None]]:
    """Every metric of either run with the difference, b less a."""
    result: dict[str, dict[str, float | None]] = {}
    for name in sorted(a.metrics.keys() | b.metrics.keys()):
        old, new = a.metrics.get(name), b.metrics.get(name)
        result[name] = {"a": old, "b": new, "delta": None if old is None or new is None else new - old}
    return result


def _show(out: Console, a: Manifest, b: Manifest, result: dict[str, object]) -> None:
    from cli.present import rows, table
    from modules.compare import Difference

    out.print(f"a  {a.run_id}\nb  {b.run_id}")
    first = result["first_difference"]
    if first is None:
        out.print("[bold green]equal[/] to the last bit, code and settings included")
        return
    assert isinstance(first, Difference)
    where = ", ".join(
        f"{k} {v}" for k, v in first.model_dump(exclude={"message", "module"}).items() if v not in (None, "", ())
    )
    out.print(f"first difference: {first.message or where}", markup=False)
    for title, key in (("task", "task"), ("settings", "settings"), ("environment", "environment")):
        found = result[key]
        assert isinstance(found, dict)
        if found:
            out.print(rows(table(title, "a", "b"), ((k, v["a"], v["b"]) for k, v in found.items())))
    stages = stage_changes(a, b)
    out.print(rows(table("stage", "code", "settings", "inputs", "outputs"), (_stage_cells(s) for s in stages)))
    metrics = {k: v for k, v in metric_changes(a, b).items() if v["delta"] != 0.0}
    if metrics:
        made = table("metric", "a", "b", "b - a", right=("a", "b", "b - a"))
        out.print(rows(made, ((k, v["a"], v["b"], v["delta"]) for k, v in metrics.items())))


def _stage_cells(stage: dict[str, object]) -> tuple[object, ...]:
    same = ("same_code", "same_settings", "same_inputs", "same_outputs")
    return (stage["stage"], *("same" if stage[k] else "differs" for k in same))
