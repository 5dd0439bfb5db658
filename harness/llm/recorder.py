"""A model on the tape: every call is recorded before it is used, and one already recorded is not made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from harness.llm.port import MAX_REQUEST_BYTES, Model, ModelError, Reason, Reply, Request
from harness.llm.prices import Priced
from harness.llm.tape import Exchange, Heard, Tape, TapeError, line_digest
from modules.canonical import canonical_json
from traces.events import ExchangeRecorded

PRICES = "prices"
"""Who is asked for a tariff: the pinned table."""

Emit = Callable[[ExchangeRecorded], None]


@dataclass(frozen=True)
class Call:
    """A reply and what it took, as recorded: equal on the day and on every replay."""

    reply: Reply
    tokens: int
    cost_micro_usd: int
    seconds: float


@dataclass(frozen=True)
class Recorded:
    """A model whose calls go through `tape`; `emit` puts each new one in the ledger."""

    model: Model
    price: Priced
    tape: Tape
    research_id: str
    emit: Emit

    @property
    def name(self) -> str:
        """The model's own name."""
        return self.model.name

    def ask(self, request: Request) -> Call:
        """The call, made now or heard before. Raises ModelError, then nothing is recorded."""
        value = checked(self.name, request)
        known = self.tape.find(self.name, value) is not None

        def listen() -> Heard:
            reply = self.model.complete(request)
            return Heard(
                reply=reply.model_dump(mode="json"),
                input_tokens=reply.usage.input_tokens,
                output_tokens=reply.usage.output_tokens,
                cost_micro_usd=self.price.cost(reply.usage),
            )

        exchange = self.tape.exchange(self.name, request.label, value, listen)
        if not known:
            self.emit(event_of(self.research_id, exchange))
        return call_of(exchange)

    def complete(self, request: Request) -> Reply:
        """See `Model.complete`."""
        return self.ask(request).reply


@dataclass(frozen=True)
class Replayed:
    """The model of a recorded research: answers from its tape alone, and records what it answers on `tape`."""

    source: Tape
    tape: Tape
    research_id: str
    emit: Emit
    name: str

    @classmethod
    def of(cls, source: Tape, tape: Tape, research_id: str, emit: Emit) -> Replayed:
        """The one model that was opened on `source`. Raises TapeError where there was none, or several."""
        opened = [Priced.model_validate(e.reply) for e in source if e.who == PRICES]
        if len(opened) != 1:
            raise TapeError(
                f"{source.path.stem} opened {len(opened)} models ({', '.join(p.name for p in opened) or 'none'}); "
                "a research that opened one can be replayed"
            )
        return cls(source, tape, research_id, emit, opened[0].name)

    def ask(self, request: Request) -> Call:
        """The recorded call. Raises TapeError where the tape has no such request."""
        value = checked(self.name, request)

        def never() -> Heard:
            raise AssertionError("a tape that may not ask outside has asked")

        exchange = self.source.exchange(self.name, request.label, value, never)
        if self.tape.find(self.name, value) is None:
            self.tape.record(exchange)
            self.emit(event_of(self.research_id, exchange, replayed=True))
        return call_of(exchange)

    def complete(self, request: Request) -> Reply:
        """See `Model.complete`."""
        return self.ask(request).reply


def settle_price(
    source: Tape, tape: Tape, research_id: str, emit: Emit, name: str, look_up: Callable[[], Priced]
) -> Priced:
    """The tariff of a model, on the tape before its first call: a replay reckons with the prices of the day."""
    request: dict[str, JsonValue] = {"model": name}
    known = tape.find(PRICES, request) is not None
    exchange = source.exchange(PRICES, PRICES, request, lambda: Heard(reply=look_up().model_dump(mode="json")))
    if not known:
        tape.record(exchange)
        emit(event_of(research_id, exchange, replayed=source is not tape))
    return Priced.model_validate(exchange.reply)


def checked(name: str, request: Request) -> dict[str, JsonValue]:
    """The request as JSON. Raises ModelError where it is longer than any request may be."""
    value: dict[str, JsonValue] = request.model_dump(mode="json")
    size = len(canonical_json(value).encode())
    if size > MAX_REQUEST_BYTES:
        raise ModelError(
            Reason.BAD_REQUEST,
            f"{name}: {request.label} is a request of {size} bytes; at most {MAX_REQUEST_BYTES} are sent: send less",
        )
    return value


def call_of(exchange: Exchange) -> Call:
    """The typed reply of an exchange with a model."""
    reply = Reply.model_validate(exchange.reply)
    return Call(reply, exchange.input_tokens + exchange.output_tokens, exchange.cost_micro_usd or 0, exchange.seconds)


def event_of(research_id: str, exchange: Exchange, *, replayed: bool = False) -> ExchangeRecorded:
    """What the ledger says of an exchange: enough to vouch for the tape's line."""
    return ExchangeRecorded(
        research_id=research_id,
        who=exchange.who,
        label=exchange.label,
        request=exchange.digest,
        line=line_digest(exchange),
        input_tokens=exchange.input_tokens,
        output_tokens=exchange.output_tokens,
        cost_micro_usd=exchange.cost_micro_usd,
        seconds=exchange.seconds,
        replayed=replayed,
    )


def reconcile(tape: Tape, research_id: str, vouched: Mapping[str, str], emit: Emit) -> int:
    """Bring ledger and tape together after a crash between the two: events that are missing are made up for.

    `vouched` maps request digest to line digest, from the ledger's events of this research. Returns how many were
    missing. Raises TapeError where a line is not the one vouched for, or is gone.
    """
    verify(tape, vouched)
    missing = [e for e in tape if e.digest not in vouched]
    for exchange in missing:
        emit(event_of(research_id, exchange))
    return len(missing)


def verify(tape: Tape, vouched: Mapping[str, str]) -> None:
    """Whether a tape holds every exchange that the ledger vouches for, to the bit. Raises TapeError."""
    lines = {e.digest: e for e in tape}
    for digest, line in vouched.items():
        if digest not in lines:
            raise TapeError(
                f"{tape.path}: the exchange {digest[:12]} that the ledger vouches for is gone from the tape"
            )
        if line_digest(lines[digest]) != line:
            raise TapeError(
                f"{tape.path}: the exchange {digest[:12]} is not the one the ledger vouches for; it was altered"
            )
