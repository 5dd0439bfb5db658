"""Metrics for Prometheus, made from what was seen when they are asked for. The table is the contract: a dashboard may
name nothing else, and `docs/watching.md` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Literal

from modules.live.orders.states import State
from modules.live.units import MICROS
from modules.live.watch.alerts import Alert
from modules.live.watch.seen import BOUNDS_S, Seen, Waits

if TYPE_CHECKING:
    from prometheus_client.core import Metric

Labels = tuple[str, ...]
Sample = tuple[Labels, float]


@dataclass(frozen=True)
class MetricRow:
    """One metric. A counter's samples are named with `_total`, a histogram's with `_bucket`, `_sum` and `_count`."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: Labels = ()


METRICS: Final = (
    MetricRow("cws_up", "gauge", "1 = it answers", ("component",)),
    MetricRow("cws_info", "gauge", "1, with what runs", ("mode", "build")),
    MetricRow("cws_killed", "gauge", "1 = the kill switch is latched"),
    MetricRow("cws_refusing", "gauge", "1 = the risk core lets nothing out"),
    MetricRow("cws_cancel_only", "gauge", "1 = the desk sends nothing but cancels"),
    MetricRow("cws_nav_usd", "gauge", "cash and what is held at reference prices"),
    MetricRow("cws_cash_usd", "gauge", "cash"),
    MetricRow("cws_day_profit_usd", "gauge", "NAV less the day's first"),
    MetricRow("cws_day_loss_ratio", "gauge", "the day's worst loss over its first NAV"),
    MetricRow("cws_limit_used_ratio", "gauge", "how much of a limit is used", ("rule",)),
    MetricRow("cws_position_lots", "gauge", "what is held", ("symbol",)),
    MetricRow("cws_position_usd", "gauge", "what is held, at the reference price", ("symbol",)),
    MetricRow("cws_price_age_seconds", "gauge", "age of the reference price, by the risk core's clock", ("symbol",)),
    MetricRow("cws_orders", "gauge", "orders that may be open, by state", ("state",)),
    MetricRow("cws_venue_up", "gauge", "1 = the connection stands", ("venue",)),
    MetricRow("cws_feed_stalled", "gauge", "1 = the feed has stalled", ("feed",)),
    MetricRow("cws_breaks", "gauge", "places where the venue has it otherwise"),
    MetricRow("cws_alerts", "gauge", "alerts that stand", ("rule", "severity")),
    MetricRow("cws_asks", "counter", "orders that the risk core was asked for", ("strategy",)),
    MetricRow("cws_rulings", "counter", "answers of the risk core", ("answer", "rule")),
    MetricRow("cws_fills", "counter", "executions", ("strategy",)),
    MetricRow("cws_traded_usd", "counter", "absolute value of executions"),
    MetricRow("cws_fees_usd", "counter", "fees of executions"),
    MetricRow("cws_refused_by_venue", "counter", "orders that the venue refused"),
    MetricRow("cws_lost", "counter", "orders whose outcome nobody could say at first"),
    MetricRow("cws_amended", "counter", "executions that were busted or corrected", ("how",)),
    MetricRow("cws_journal_entries", "counter", "entries of the desk's journal"),
    MetricRow("cws_journal_waiting", "gauge", "entries that a loss of power would take"),
    MetricRow("cws_decision_to_ask_seconds", "histogram", "from the decision's time to the asking"),
    MetricRow("cws_ask_to_ruling_seconds", "histogram", "from the asking to the risk core's answer, recorded"),
    MetricRow("cws_ruling_to_acknowledged_seconds", "histogram", "from the ruling to the venue's acknowledgement"),
    MetricRow("cws_ask_to_fill_seconds", "histogram", "from the asking to each execution"),
)
MOST_SAMPLES: Final = 5_000
"""Samples of one metric; what is beyond is left out."""


def samples(seen: Seen, alerts: tuple[Alert, ...]) -> Mapping[str, list[Sample]]:
    """The values of gauges and counters, by the metric's name. What is not known has no sample."""
    found: dict[str, list[Sample]] = {row.name: [] for row in METRICS if row.kind != "histogram"}
    found["cws_up"] = [(("riskd",), seen.riskd is None), (("desk",), seen.desk is None)]
    _of_status(seen, found)
    _of_stand(seen, found)
    _of_tally(seen, found)
    states = dict.fromkeys((s for s in State if not s.is_final), 0)
    for order in seen.orders:
        if order.is_open:
            states[order.state] += 1
    found["cws_orders"] = [((state.value,), count) for state, count in states.items()]
    standing: dict[Labels, int] = {}
    for alert in alerts:
        standing[alert.rule, alert.severity] = standing.get((alert.rule, alert.severity), 0) + 1
    found["cws_alerts"] = list(standing.items())
    return found


def _of_status(seen: Seen, found: dict[str, list[Sample]]) -> None:
    status = seen.status
    if status is None:
        return
    nav, first = status.nav_micros, status.day_nav_micros
    found["cws_info"] = [((status.mode, status.build), 1)]
    found["cws_killed"] = [((), status.killed is not None)]
    found["cws_refusing"] = [((), status.refusing is not None)]
    found["cws_nav_usd"] = [((), nav / MICROS)]
    found["cws_cash_usd"] = [((), status.cash_micros / MICROS)]
    found["cws_day_profit_usd"] = [((), (nav - first) / MICROS)]
    found["cws_day_loss_ratio"] = [((), status.day_loss)]
    found["cws_limit_used_ratio"] = [((u.rule,), u.used / u.limit) for u in status.uses if u.limit > 0.0]
    held = status.positions
    found["cws_position_lots"] = [((p.symbol,), p.lots) for p in held]
    found["cws_position_usd"] = [
        ((p.symbol,), p.lots * p.price * seen.lot_size(p.symbol)) for p in held if p.price is not None
    ]
    ages = ((p.symbol, p.price_ns) for p in held)
    found["cws_price_age_seconds"] = [((s,), max(0.0, (status.at_ns - at) / 1e9)) for s, at in ages if at is not None]
    found["cws_venue_up"] = [((venue,), is_up) for venue, is_up in status.venues.items()]


def _of_stand(seen: Seen, found: dict[str, list[Sample]]) -> None:
    stand = seen.stand
    if stand is None:
        return
    found["cws_cancel_only"] = [((), stand.cancel_only is not None)]
    found["cws_breaks"] = [((), len(stand.breaks))]
    found["cws_feed_stalled"] = [((feed,), why is not None) for feed, why in stand.feeds.items()]
    found["cws_journal_waiting"] = [((), max(0, seen.tally.entries - 1 - stand.durable))]


def _of_tally(seen: Seen, found: dict[str, list[Sample]]) -> None:
    tally = seen.tally
    found["cws_asks"] = [((strategy,), count) for strategy, count in tally.asks.items()]
    found["cws_rulings"] = [(key, count) for key, count in tally.rulings.items()]
    found["cws_fills"] = [((strategy,), count) for strategy, count in tally.fills.items()]
    found["cws_traded_usd"] = [((), tally.traded_micros / MICROS)]
    found["cws_fees_usd"] = [((), tally.fee_micros / MICROS)]
    found["cws_refused_by_venue"] = [((), tally.refused)]
    found["cws_lost"] = [((), tally.lost)]
    found["cws_amended"] = [((how,), count) for how, count in tally.amended.items()]
    found["cws_journal_entries"] = [((), tally.entries)]


def _waits(seen: Seen) -> Mapping[str, Waits]:
    tally = seen.tally
    return {
        "cws_decision_to_ask_seconds": tally.deciding,
        "cws_ask_to_ruling_seconds": tally.ruling,
        "cws_ruling_to_acknowledged_seconds": tally.acknowledging,
        "cws_ask_to_fill_seconds": tally.filling,
    }


def collected(seen: Seen, alerts: tuple[Alert, ...] = ()) -> Iterator[Metric]:
    """The metrics as prometheus-client's families; every one bears the label `account`."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    values, waits = samples(seen, alerts), _waits(seen)
    for row in METRICS:
        names = ("account", *row.labels)
        if row.kind == "histogram":
            made = HistogramMetricFamily(row.name, row.help, labels=names)
            counts = list(accumulate(waits[row.name].counts))
            bounds = [*(repr(b) for b in BOUNDS_S), "+Inf"]
            made.add_metric((seen.account,), list(zip(bounds, counts, strict=True)), waits[row.name].sum_s)
            yield made
            continue
        kind = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
        family = kind(row.name, row.help, labels=names)
        for labels, value in values[row.name][:MOST_SAMPLES]:
            family.add_metric((seen.account, *labels), float(value))
        yield family


def text(seen: Seen, alerts: tuple[Alert, ...] = ()) -> bytes:
    """The metrics in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    class Once:
        def collect(self) -> Iterator[Metric]:
            return collected(seen, alerts)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    return bytes(generate_latest(registry))
