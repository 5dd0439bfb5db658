"""`cws api`: the HTTP API, and the tokens that may use it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.lazy import command_file
from cli.output import Json, emit, say

app = command_file("The HTTP API: backtests, runs, signals, orders, portfolio, risk.")
token_app = typer.Typer(help="Who may use the API, and for what.", no_args_is_help=True)
app.add_typer(token_app, name="token")


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8322,
    host: Annotated[
        str, typer.Option(help="Where to listen; beyond this machine only with a certificate.")
    ] = "127.0.0.1",
    certificate: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="PEM file, for HTTPS.")] = None,
    key: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Its private key.")] = None,
    account: Annotated[
        str | None, typer.Option(help="The account that is traded.", show_default="the only one")
    ] = None,
    json: Json = False,
) -> None:
    """Serve the API until Ctrl-C. /openapi.json describes it."""
    from cli.accounts import account_folder
    from cli.api.app import create_app
    from cli.api.server import Listen, serve
    from cli.session import stores
    from modules.live.place import Place
    from modules.live.riskd.config import NAME

    place = Listen(host, port, certificate, key)
    place.check()
    listening = place.open()
    scheme = "https" if certificate else "http"
    workspace = stores().workspace
    some = account is not None or any((workspace.home / "live").glob(f"*/{NAME}"))
    traded = Place(account_folder(account)) if some else None
    application = create_app(workspace, place=traded)
    url = f"{scheme}://{host}:{listening.getsockname()[1]}/"
    if json:
        emit({"url": url}, True, lambda _: None)
        sys.stdout.flush()
    else:
        say(f"the API is at [bold]{url}[/]; Ctrl-C ends it")
    serve(application, place, listening)
    say("ended")


@token_app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who uses it.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; again for more.")] = ["research"],  # noqa: B006
    days: Annotated[int, typer.Option(min=1, max=365, help="How long.")] = 90,
    json: Json = False,
) -> None:
    """Make a token. It is shown once and kept as a hash."""
    from cli.api.tokens import TokenStore
    from cli.session import stores

    secret = TokenStore(stores().workspace.home).add(name, scope, days)
    emit(
        {"name": name, "token": secret, "scopes": scope, "days": days},
        json,
        lambda out: out.print(secret, markup=False),
    )
    if not json:
        say("send it as [bold]Authorization: Bearer TOKEN[/]; it is not shown again")


@token_app.command("list")
def list_(json: Json = False) -> None:
    """The tokens, what each may do and until when."""
    from cli.api.tokens import MEANINGS, TokenStore
    from cli.present import rows, table
    from cli.session import stores
    from modules.panel import iso

    found = TokenStore(stores().workspace.home).every()
    payload = {
        "tokens": [{"name": t.name, "scopes": t.scopes, "made_ns": t.made_ns, "ends_ns": t.ends_ns} for t in found],
        "scopes": MEANINGS,
    }
    made = table("name", "may", "until")
    cells = ((t.name, " ".join(t.scopes), iso(t.ends_ns)) for t in found)
    emit(payload, json, lambda out: out.print(rows(made, cells)))
    if not found and not json:
        say("there is none; `cws api token add NAME` makes one")


@token_app.command()
def revoke(name: Annotated[str, typer.Argument(help="As `cws api token list` names it.")], json: Json = False) -> None:
    """End a token: the next request with it is refused."""
    from cli.api.tokens import TokenStore
    from cli.session import stores

    TokenStore(stores().workspace.home).revoke(name)
    emit({"revoked": name}, json, lambda out: out.print(f"{name} is revoked"))
