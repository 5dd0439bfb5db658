"""`cws account`: live accounts, each a folder with its `riskd.yaml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from cli.errors import CommandError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say

if TYPE_CHECKING:
    from modules.artifacts import ArtifactStore
    from modules.live.riskd.config import InstrumentRow
    from modules.manifest import Manifest

app = command_file()

_HEAD: Final = """\
# Account {account}, {mode}. Proposed from run {run}: read it before anything trades (docs/riskd.md).
# sigma_day, adv_lots: the engine's estimates at {last}; beta: on the mean of all symbols.
# located_lots: what may be sold short. limits: tighter than limits.yaml, and the capital of each strategy in USD.
"""


@app.command()
def new(
    account: Annotated[str, typer.Argument(metavar="NAME", help="Lower case letters, digits, - and _.")],
    run: Annotated[str, typer.Option(metavar="RUN", help="Whose instruments and strategy: a run id, or `last`.")],
    venue: Annotated[str, typer.Option(help="sim, paper, alpaca, ccxt, fix, ib.")] = "sim",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Where the simulated exchange, FIX or IB listens.")
    ] = None,
    clock: Annotated[
        Literal["wall", "venue"] | None,
        typer.Option(help="Who gives the time; `venue` for recorded data.", show_default="venue for sim, else wall"),
    ] = None,
    capital: Annotated[
        float | None, typer.Option(min=1.0, help="USD the strategy may use.", show_default="the run's")
    ] = None,
    adv_lots: Annotated[int, typer.Option(min=0, help="A day's volume of each, where the bars tell none.")] = 0,
    located_lots: Annotated[int, typer.Option(min=0, help="Lots of each that may be sold short.")] = 0,
    json: Json = False,
) -> None:
    """Write an account's riskd.yaml for a run: instruments, their risk, the strategy's capital. PAPER."""
    from cli.session import stores
    from modules.lockbox import strategy_of
    from modules.workspace import Workspace

    s = stores()
    manifest = s.manifests.load(run)
    folder = Workspace.here().home / "live" / account
    strategy = f"s{strategy_of(manifest)[:12]}"
    rows, usual_usd, last = _instruments(manifest, s.artifacts, adv_lots, located_lots)
    text = _HEAD.format(account=account, mode="PAPER", run=manifest.run_id, last=last) + _checked(
        {
            "account": account,
            "mode": "paper",
            "venue": {"name": venue, "options": {} if port is None else {"port": port}},
            "clock": clock or ("venue" if venue == "sim" else "wall"),
            "limits": {"strategies": {strategy: capital or usual_usd}},
            "instruments": [row.model_dump(exclude_defaults=True) for row in rows],
        }
    )
    notes = _notes(rows)
    path = _write(folder, text)
    found = {"account": account, "file": str(path), "strategy": strategy, "run_id": manifest.run_id, "notes": notes}
    emit(found, json, lambda out: out.print("\n".join((f"PAPER: {path}", *notes)), markup=False, soft_wrap=True))
    if not json:
        say(f"\nnext: read it, then [bold]cws riskd --account {account} --check[/]")


@app.command(name="list")
def list_accounts(json: Json = False) -> None:
    """Every account: mode, venue, clock, strategies."""
    from modules.live.riskd.config import NAME, ConfigError, load_config
    from modules.workspace import Workspace

    rows: list[dict[str, object]] = []
    for path in sorted((Workspace.here().home / "live").glob(f"*/{NAME}")):
        try:
            config = load_config(path.parent)
        except ConfigError as error:
            rows.append({"account": path.parent.name, "refused": str(error)})
            continue
        rows.append(
            {
                "account": config.account,
                "mode": config.mode,
                "venue": config.venue.name,
                "clock": config.clock,
                "instruments": len(config.instruments),
                "strategies": config.limits.get("strategies", {}),
            }
        )
    emit({"accounts": rows}, json, lambda out: out.print(_listed(rows), markup=False, soft_wrap=True))


def _listed(rows: list[dict[str, object]]) -> str:
    if not rows:
        return "no account; `cws account new NAME --run RUN` writes one"
    return "\n".join(
        f"{row['account']}: {row['refused']}"
        if "refused" in row
        else f"{str(row['mode']).upper()} {row['account']} at {row['venue']}, clock {row['clock']}, "
        f"{row['instruments']} instruments, strategies {row['strategies']}"
        for row in rows
    )


def _instruments(
    manifest: Manifest, artifacts: ArtifactStore, adv_lots: int, located_lots: int
) -> tuple[tuple[InstrumentRow, ...], float, str]:
    """The run's instruments, its capital in USD, and its last bar."""
    import polars as pl

    from modules.engine.settings import TradingSettings
    from modules.live.riskd.proposed import propose_instruments
    from modules.panel import Panel, iso
    from modules.replay import recorded_modules

    bars, instruments = (artifacts.get(manifest.output(name)) for name in ("bars", "instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame), "bars are a panel, instruments a table"
    execute = recorded_modules(manifest)["execute"].settings
    usual_usd = execute.capital_usd if isinstance(execute, TradingSettings) else 100_000.0
    rows = propose_instruments(bars, instruments, adv_lots=adv_lots, located_lots=located_lots)
    return rows, usual_usd, iso(int(bars.ts[-1]))


def _checked(values: dict[str, object]) -> str:
    """The file's text. Raises RequestError for what the risk core would refuse."""
    import yaml
    from pydantic import ValidationError

    from modules.live.riskd.config import RiskdConfig

    try:
        RiskdConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(
            f"{'.'.join(map(str, first['loc'])) or 'account'}: {first['msg']}", "see `cws account new --help`"
        ) from error
    return yaml.safe_dump(values, sort_keys=False, width=200, default_flow_style=None)


def _notes(rows: tuple[InstrumentRow, ...]) -> list[str]:
    """What a human must not miss."""
    notes = []
    silent = sum(row.adv_lots == 0 for row in rows)
    if silent:
        notes.append(f"{silent} instruments have no known volume: PARTICIPATION refuses their orders; give --adv-lots")
    if not any(row.located_lots for row in rows):
        notes.append("located_lots is 0: LOCATE refuses short sales; give --located-lots, or write it for each")
    return notes


def _write(folder: Path, text: str) -> Path:
    """A new file, for its owner alone. Raises CommandError where there is one."""
    from modules.live.riskd.config import NAME

    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} is there already", "edit it, or choose another NAME") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", "make the folder writable") from error
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    return path
