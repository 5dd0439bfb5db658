"""`cws watch`: metrics, alerts and spans of what is traded."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec
import typer

from cli.errors import CommandError, RequestError
from cli.lazy import command_file
from cli.output import Json, emit, say, visible

if TYPE_CHECKING:
    from modules.live.watch.alerts import Alert, Alerts
    from modules.live.watch.notify import Sink
    from modules.live.watch.seen import Seen
    from modules.live.watch.tracing import Exporting
    from modules.live.watch.watcher import Watcher

app = command_file()


@app.command()
def watch(
    account: Annotated[
        str | None, typer.Option(help="The account that is traded.", show_default="the only one")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of /metrics on 127.0.0.1; 0 takes any free one.")] = 9464,
    webhook: Annotated[str | None, typer.Option(metavar="URL", help="POST each alert here.")] = None,
    otlp: Annotated[
        str | None, typer.Option(metavar="URL", help="Send spans here (OpenTelemetry over HTTP, .../v1/traces).")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, say the alerts, end; 1 where one stands.")] = False,
    json: Json = False,
) -> None:
    """Serve metrics, tell alerts and make spans until Ctrl-C. Alerts go to alerts.jsonl of the account, and here."""
    from cli.accounts import account_folder
    from modules.live.place import Place
    from modules.live.watch.alerts import Alerts
    from modules.live.watch.metrics import text
    from modules.live.watch.notify import LogSink, WebhookSink
    from modules.live.watch.serving import MetricsServer
    from modules.live.watch.watcher import EVERY_S, Watcher

    for name, url in (("--webhook", webhook), ("--otlp", otlp)):
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise RequestError(f"{name} {url} is no http or https URL", "give the whole URL")
    place = Place(account_folder(account))
    watcher, alerts = Watcher(place), Alerts()
    if once:
        found = _once(watcher, alerts)
        lines = "\n".join(visible(a.line) for a in found)
        emit({"alerts": msgspec.to_builtins(found)}, json, lambda out: out.print(lines, markup=False, soft_wrap=True))
        raise typer.Exit(1 if found else 0)
    spans = _exporting(otlp, watcher) if otlp is not None else None
    hook = WebhookSink(webhook, _complain) if webhook is not None else None
    sinks: list[Sink] = [LogSink(place.alerts, _complain), *([hook] if hook is not None else [])]
    last: list[Seen] = [watcher.seen]
    try:
        server = MetricsServer(lambda: text(last[0], alerts.standing), port)
    except OSError as error:
        raise CommandError(f"127.0.0.1:{port} cannot be used: {error.strerror}", "give another --port") from error
    if json:
        emit({"metrics": server.url, "account": place.account}, True, lambda _: None)
        sys.stdout.flush()
    else:
        say(f"watching {place.account}; metrics at [bold]{server.url}[/]; Ctrl-C ends it")
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ending.append(number))
    try:
        while not ending:
            watcher.look(EVERY_S)
            last[0] = watcher.seen
            told = alerts.look(last[0])
            for sink in sinks:
                sink.tell(told)
            for alert in told:
                print(visible(alert.line), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        say("ended")
    finally:
        server.close()
        watcher.close()
        for sender in (hook, spans):
            if sender is not None:
                sender.close()


def _once(watcher: Watcher, alerts: Alerts) -> tuple[Alert, ...]:
    """The alerts that stand after the longest time that a rule waits."""
    from modules.live.watch.rules import RULES
    from modules.live.watch.watcher import EVERY_S

    until = time.monotonic() + max(rule.hold_s for rule in RULES) + 4 * EVERY_S
    while time.monotonic() < until:
        watcher.look(EVERY_S)
        alerts.look(watcher.seen)
    watcher.close()
    return alerts.standing


def _exporting(url: str, watcher: Watcher) -> Exporting:
    from modules.live.watch.tracing import Exporting, Spans

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise CommandError("the exporter of OpenTelemetry is not installed", "install the extra: cws[otlp]") from error
    spans, exporting = Spans(watcher.place.account), Exporting(OTLPSpanExporter(endpoint=url, timeout=2), _complain)
    watcher.entries_heard.append(lambda entry: exporting.add(spans.take(entry)))
    return exporting


def _complain(words: str) -> None:
    print(f"cws: {visible(words)}", file=sys.stderr, flush=True)
