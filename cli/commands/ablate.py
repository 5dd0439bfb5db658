"""`cws ablate`: a patch of one's own before the same gate as the supervisor's."""

from __future__ import annotations

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
    module: Annotated[str, typer.Argument(help="stage/name, such as size/rank_neutral.")],
    changes: Annotated[
        list[str],
        typer.Argument(
            help="setting=value, one or more; stage/name:setting=value is of a second module.",
            metavar="SETTING=VALUE...",
        ),
    ],
    suite: Annotated[str, typer.Option(help="The task suite that judges, a file below ablations/suites/.")] = "broad",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    json: Json = False,
) -> None:
    """Judge a change of settings by ablation. It is a trial like any other; SHIP opens a branch, REJECT exits 3."""
    from ablations.executors.choice import executor
    from ablations.suite import load_suite
    from cli.present_loop import verdict_table
    from cli.session import session
    from supervisor.byhand import judge

    patch = patch_from(module, settings_of(changes))
    chosen = load_suite(suite)
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
