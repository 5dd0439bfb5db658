"""`cws certify`: what the gate's verdicts are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import RequestError
from cli.lazy import command_file
from cli.output import Json, emit, working

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.certificate import Certificate

app = command_file()


@app.command()
def certify(
    suite: Annotated[str, typer.Option(help="The task suite, a file below ablations/suites/.")] = "broad",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write to; ablations/records/certificates is the one that is committed.",
            show_default="the workspace's certificates",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Send a thousand worthless patches through the gate and count those it ships. Exit 1 where too many."""
    from ablations.ablate import certify as measure
    from ablations.executors.local import LocalPool
    from ablations.suite import load_suite
    from cli.session import session

    if out_dir is not None and out_dir.exists() and not out_dir.is_dir():
        raise RequestError(f"--out {out_dir} is a file", "name a folder")  # minutes before it would be written
    chosen = load_suite(suite)
    with session() as s, LocalPool(workers) as pool, working("sending worthless patches through the gate"):
        s.version(chosen.data)
        certificate = measure(chosen, s.workspace, s.emit, executor=pool, folder=out_dir)
    result = {"certificate_id": certificate.certificate_id, "stands": certificate.stands, **certificate.model_dump()}
    emit(result, json, lambda out: show(out, certificate))


def show(out: Console, certificate: Certificate) -> None:
    """The false-ship rate by kind of worthless patch, what the gate can see, and what streams of both gave."""
    from cli.present import rows, table

    out.print(
        f"certificate {certificate.certificate_id}: {certificate.false_ships} of {certificate.patches} worthless "
        f"patches shipped; false-ship rate at most {certificate.upper_bound:.1%} (95 %)"
    )
    kinds = table("worthless patches", "tried", "shipped", right=("tried", "shipped"))
    out.print(rows(kinds, ((k.kind, k.patches, k.false_ships) for k in certificate.kinds)))
    power = table("planted, Sharpe a year", "shipped", right=("planted, Sharpe a year", "shipped"))
    out.print(rows(power, ((f"{p.size:g}", f"{p.ships} of {p.tries}") for p in certificate.power)))
    least, twice = certificate.minimum_detectable, certificate.twice
    if least is None or twice is None:
        out.print("nothing that was planted is found four times in five")
    else:
        out.print(
            f"found four times in five from {least:.2f} Sharpe a year on; of {twice.size:.2f}, planted anew, ", end=""
        )
        out.print(f"{twice.ships} of {twice.tries} shipped")
    streams = table(
        "stream", "patches", "real", "shipped", "worthless", right=("patches", "real", "shipped", "worthless")
    )
    out.print(rows(streams, ((s.seed, s.patches, s.real, s.ships, s.false_ships) for s in certificate.streams)))
    out.print(f"worthless among what shipped in streams: {certificate.false_discovery_rate or 0.0:.1%}; 5 % is allowed")
