"""`cws ablate`: a patch of one's own before the same gate as the supervisor's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, plain, say, working

if TYPE_CHECKING:
    from ablations.patch import Patch, SettingValue

app = command_file()


@app.command()
def ablate(
    module: Annotated[str, typer.Argument(help="stage/name, such as size/rank_neutral; or skills/NAME with --text.")],
    changes: Annotated[
        list[str] | None,
        typer.Argument(
            help="setting=value, one or more; stage/name:setting=value is of a second module.",
            metavar="SETTING=VALUE...",
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(help="Of a skill: a file with the new SKILL.md, whole.", exists=True, dir_okay=False),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            help="The task suite that judges, a file below ablations/suites/. [default: broad; of a skill its own]"
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    json: Json = False,
) -> None:
    """Judge a change of settings, or of a skill, by ablation. It is a trial like any other; SHIP opens a branch,
    REJECT exits 3."""
    from ablations.executors.choice import executor
    from ablations.suite import default_suite, load_suite
    from cli.present_loop import verdict_table
    from cli.session import session
    from supervisor.byhand import judge

    if module.startswith("skills/") or text is not None:
        patch = skill_patch(module, text, changes or [])
        chosen = load_suite(suite or default_suite(patch.subject))
        if not chosen.researches:
            raise RequestError(
                f"{module}: suite {chosen.name} has no recorded sentences, so no text of a skill moves a bit there",
                "name a suite of research with --suite; docs/proposing.md says how one is written",
            )
    else:
        patch = patch_from(module, settings_of(changes or []))
        chosen = load_suite(suite or "broad")
    with session() as s, working(f"{module}: both arms over {len(chosen.tasks)} tasks"):
        s.version(chosen.data)
        with executor(workers) as pool:
            line = judge(s.workspace, patch, chosen, s.emit, pool, s.emit_all)
    emit(plain(line), json, lambda out: out.print(verdict_table((line,))))
    if line.branch is not None:
        if not json:
            say(f"\nnext: [bold]cws review show {line.branch}[/]")
        return
    raise typer.Exit(3)


def skill_patch(module: str, text: Path | None, changes: list[str]) -> Patch:
    """The patch of `skills/NAME` that puts the text of a file in place of its SKILL.md. Raises RequestError."""
    from pydantic import ValidationError

    from ablations.patch import Patch, TextChange
    from modules.workspace import Workspace

    if text is None or changes or not module.startswith("skills/"):
        what = f"{module} {' '.join(changes)}".strip()
        raise RequestError(
            f"{what}: a skill has a text and no settings, a module settings and no text",
            "write `cws ablate skills/NAME --text FILE`, or `cws ablate STAGE/NAME SETTING=VALUE`",
        )
    path = f"{module}/SKILL.md"
    root = Workspace.here().root
    known = sorted(p.parent.name for p in (root / "skills").glob("*/SKILL.md"))
    if module.removeprefix("skills/") not in known:
        raise RequestError(f"{module}: there is no such skill", "`cws skills list` shows them")
    try:
        new = text.read_text(encoding="utf-8")
        return Patch(module="skills", texts={path: TextChange(old=(root / path).read_text(encoding="utf-8"), new=new)})
    except UnicodeDecodeError as error:
        raise RequestError(f"{text}: is no UTF-8 text ({error.reason})", "give the new SKILL.md as text") from error
    except ValidationError as error:
        raise RequestError(
            f"{text}: {error.errors()[0]['msg']}", "a skill is one page that a model can read"
        ) from error


def patch_from(module: str, settings: dict[str, SettingValue]) -> Patch:
    """The patch of `module`; settings named `stage/name:setting` are of a second module. Raises PatchError."""
    from ablations.patch import propose, together
    from modules.registry import load_module

    by_module: dict[str, dict[str, SettingValue]] = {module: {}}
    for name, value in settings.items():
        where, _, setting = name.rpartition(":")
        by_module.setdefault(where or module, {})[setting] = value
    parts = [propose(load_module(*_split(m)), changes) for m, changes in by_module.items() if changes]
    if len(parts) > 2:
        raise RequestError(f"{', '.join(by_module)} are {len(by_module)} modules", "patch at most two together")
    return parts[0] if len(parts) == 1 else together(*parts)


def _split(module: str) -> tuple[str, str]:
    stage, _, name = module.partition("/")
    return stage, name


def settings_of(changes: list[str]) -> dict[str, SettingValue]:
    """`["no_trade_band=0.02"]` as setting to value, values read as YAML does. Raises RequestError."""
    import yaml

    found: dict[str, SettingValue] = {}
    for change in changes:
        setting, equals, text = change.partition("=")
        if not equals or not setting.strip() or not text.strip():
            raise RequestError(f"{change!r} is no SETTING=VALUE", "write it like no_trade_band=0.02")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise RequestError(f"{setting}: {text!r} is not a value", "give a number, true, false or a text") from error
        if not isinstance(value, str | int | float | bool):
            raise RequestError(f"{setting}: {text!r} is not a single value", "give a number, true, false or a text")
        if setting.strip() in found:
            raise RequestError(f"{setting} is given twice", "give each setting once")
        found[setting.strip()] = value
    return found
