"""Spans of orders, from the decision to the fill.

1. A trace is an order with its stages, or a parent order with all its children; ids come from the client id alone.
2. Stages lie within their order, an order's span comes when its end is known, and an unknown outcome is no end.
3. What is exported is what OpenTelemetry's own exporter takes.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from modules.live.journal.port import Entry
from modules.live.messages import Acknowledged, AnyMessage, Ask, Cancelled, Filled, Lost, Ruled
from modules.live.orders.ids import client_id
from modules.live.watch.tracing import Exporting, Span, Spans, readable

DECIDED = 1_700_000_000_000_000_000
C1, C2 = (client_id("test", "s", DECIDED, "AAA", n) for n in (1, 2))


def ask(name: str, parent: str | None = None) -> Ask:
    return Ask(name, "s", "AAA", 10, "sim", "paper", "b", DECIDED, parent=parent)


def ruled(name: str, answer: int = 0, rule: int = 0, allowed: int = 10) -> Ruled:
    return Ruled(name, answer, rule, allowed, 1.0, 2.0, DECIDED)


def fill(name: str, number: int, lots: int) -> Filled:
    return Filled(name, f"x{number}", "AAA", lots, 10.0, lots * 10_000_000, 0, DECIDED)


def spans(*messages: AnyMessage) -> list[Span]:
    made = Spans("test")
    entries = [Entry(n, DECIDED + 1_000 * (n + 1), "", m) for n, m in enumerate(messages)]
    return [span for entry in entries for span in made.take(entry)]


def names(found: Sequence[Span]) -> list[str]:
    return [span.name for span in found]


def test_1_2_an_order_with_its_stages() -> None:
    found = spans(ask(C1), ruled(C1), Acknowledged(C1, "v", DECIDED), fill(C1, 1, 4), fill(C1, 2, 6), fill(C1, 3, 1))
    assert names(found) == ["decide", "rule", "acknowledge", "fill", "fill", "order AAA"]
    whole = found[-1]
    assert (whole.start_ns, whole.end_ns, whole.parent_id, whole.failed) == (DECIDED, DECIDED + 5_000, None, None)
    assert whole.attributes["cws.mode"] == "PAPER" and whole.attributes["cws.filled_lots"] == 10
    for stage in found[:-1]:
        assert (stage.trace_id, stage.parent_id) == (whole.trace_id, whole.span_id)
        assert whole.start_ns <= stage.start_ns <= stage.end_ns <= whole.end_ns
    assert len({span.span_id for span in found}) == len(found)
    assert spans(ask(C1), ruled(C1))[0] == found[0]


def test_1_children_are_in_their_parents_trace() -> None:
    one = spans(ask(C1, parent="p"), ruled(C1), fill(C1, 1, 10))[-1]
    two = spans(ask(C2, parent="p"), ruled(C2), fill(C2, 1, 10))[-1]
    assert one.trace_id == two.trace_id and one.parent_id == two.parent_id is not None and one.span_id != two.span_id
    assert spans(ask(C1), ruled(C1), fill(C1, 1, 10))[-1].trace_id != one.trace_id


def test_2_how_an_order_may_end() -> None:
    refused = spans(ask(C1), ruled(C1, answer=2, rule=28, allowed=0))
    assert names(refused) == ["decide", "rule", "order AAA"] and refused[-1].failed == "REJECT ORDER_LOTS"
    assert refused[1].attributes["cws.limit"] == 1.0
    cut = spans(ask(C1), ruled(C1, answer=1, allowed=4), fill(C1, 1, 4))
    assert names(cut)[-1] == "order AAA" and cut[-1].failed is None
    cancelled = spans(ask(C1), ruled(C1), fill(C1, 1, 4), Cancelled(C1, DECIDED))
    assert cancelled[-1].attributes["cws.end"] == "cancelled" and cancelled[-1].failed is None
    unknown = spans(ask(C1), Lost(C1, "no answer", DECIDED))
    assert names(unknown) == ["decide", "lost"] and unknown[-1].failed == "lost: no answer"
    found = spans(ask(C1), Lost(C1, "no answer", DECIDED), fill(C1, 1, 10))
    assert names(found)[-1] == "order AAA"
    assert spans(fill("nobody", 1, 1), Cancelled("nobody", DECIDED)) == []


def test_3_what_is_exported() -> None:
    memory, complaints = InMemorySpanExporter(), list[str]()
    exporting = Exporting(memory, complaints.append)
    made = spans(ask(C1), ruled(C1), fill(C1, 1, 10))
    exporting.add(iter(made))
    exporting.close(20.0)
    told = memory.get_finished_spans()
    assert [s.name for s in told] == names(made) and complaints == []
    assert [f"{s.context.trace_id:032x}" for s in told] == [s.trace_id for s in made]
    assert told[0].parent is not None and f"{told[0].parent.span_id:016x}" == made[-1].span_id
    assert readable(made)[0].to_json() and not told[-1].status.is_unset


def test_3_over_http(httpserver: HTTPServer) -> None:
    complaints, bodies = list[str](), list[bytes]()

    def take(request: Request) -> Response:
        body = request.get_data()
        bodies.append(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)
        return Response(status=200)

    httpserver.expect_request("/v1/traces", method="POST").respond_with_handler(take)
    exporting = Exporting(OTLPSpanExporter(endpoint=httpserver.url_for("/v1/traces"), timeout=10), complaints.append)
    made = spans(ask(C1), ruled(C1), fill(C1, 1, 10))
    exporting.add(iter(made))
    exporting.close(20.0)
    told = ExportTraceServiceRequest.FromString(bodies[0]).resource_spans[0].scope_spans[0].spans
    assert [(s.name, s.trace_id.hex(), s.span_id.hex()) for s in told] == [
        (s.name, s.trace_id, s.span_id) for s in made
    ]
    assert [s.end_time_unix_nano for s in told] == [s.end_ns for s in made] and complaints == []


def test_3_a_collector_that_takes_nothing_is_complained_of() -> None:
    class Refusing(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return SpanExportResult.FAILURE

    complaints: list[str] = []
    exporting = Exporting(Refusing(), complaints.append)
    exporting.add(iter(spans(ask(C1))))
    exporting.close(20.0)
    assert complaints == ["the collector took none of 1 spans"]
