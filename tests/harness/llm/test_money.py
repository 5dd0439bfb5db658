"""Prices and limits.

1. A cost is exact in millionths of a dollar, rounded up, and never above the worst case stated before the call.
2. No call starts whose worst case could break a limit; so no limit on money or calls is ever broken.
3. A replay spends at every step what was spent on the day, whatever the table says by then.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.llm import prices
from harness.llm.cap import Capped, Limits, Spending
from harness.llm.port import Message, ModelError, Reason, Reply, Request, Usage
from harness.llm.prices import Above, Priced, find, price_of, table
from harness.llm.recorder import Recorded, Replayed, settle_price
from harness.llm.scripted import Scripted, says
from harness.llm.tape import Tape, TapeError
from traces.events import ExchangeRecorded

PRICE = Priced(
    name="scripted:model", input=Decimal("2"), output=Decimal("10"), cached=Decimal("0.2"), write=Decimal("2.5"),
    above=Above(tokens=1_000, input=Decimal("4"), output=Decimal("15"), cached=Decimal("0.4"), write=Decimal("5")),
    cutoff=date(2026, 1, 31), source="a test",
)  # fmt: skip

COSTS = [
    (Usage(input_tokens=0, output_tokens=0), 0),
    (Usage(input_tokens=1, output_tokens=0), 2),
    (Usage(input_tokens=100, output_tokens=10), 300),
    (Usage(input_tokens=100, output_tokens=10, cached_input_tokens=100), 120),
    (Usage(input_tokens=1, output_tokens=0, cached_input_tokens=1), 1),  # 0.2, rounded up
    (Usage(input_tokens=100, output_tokens=10, cached_input_tokens=50, cache_write_tokens=20), 60 + 10 + 50 + 100),
    (Usage(input_tokens=1_000, output_tokens=1), 2_010),
    (Usage(input_tokens=1_001, output_tokens=1), 4_004 + 15),  # the whole request at the other tariff
]


@pytest.mark.parametrize(("usage", "micro_usd"), COSTS)
def test_costs(usage: Usage, micro_usd: int) -> None:
    assert PRICE.cost(usage) == micro_usd


tokens = st.integers(0, 3_000)


@settings(max_examples=200, deadline=None)
@given(tokens, tokens, tokens, tokens, st.sampled_from(table().models))
def test_no_call_costs_more_than_its_worst_case(given_: int, written: int, cached: int, out: int, row: Priced) -> None:
    total = given_ + written + cached
    usage = Usage(input_tokens=total, output_tokens=out, cached_input_tokens=cached, cache_write_tokens=written)
    assert row.cost(usage) <= row.worst(total, out)
    assert row.worst(total, out) <= row.worst(total + 1, out + 1)


def test_the_table_is_dated_and_whole() -> None:
    assert all(
        m.cutoff is not None and m.cutoff < table().read and m.source.startswith("https://") for m in table().models
    )
    assert all(m.above is None or m.above.input >= m.input for m in table().models)


FOUND = [
    ("anthropic:claude-opus-5-5", "anthropic:claude-opus-5-5"),
    ("anthropic:claude-opus-5-5-20260930", "anthropic:claude-opus-5-5"),
    ("openai:gpt-6.2-sol-2026-10-01", "openai:gpt-6.2-sol"),
    ("anthropic:claude-opus", None),
    ("anthropic:claude-opus-5-5-mini", None),
    ("openai:claude-opus-5-5", None),
]


@pytest.mark.parametrize(("name", "row"), FOUND)
def test_a_dated_snapshot_has_its_models_price(name: str, row: str | None) -> None:
    found = find(name)
    assert (found.name if found else None) == row


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1", "1;2"])
def test_a_stated_price_must_be_two_numbers(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CWS_LLM_PRICE", text or " ")
    with pytest.raises(ModelError, match="CWS_LLM_PRICE is"):
        price_of("openai:gpt-6.2-sol", own_server=False)


def ask(label: str = "draft/1", **fields: object) -> Request:
    return Request(
        label=label,
        system="s",
        messages=(Message(role="user", text="u"),),
        max_output_tokens=100,
        **fields,  # type: ignore[arg-type]
    )


def capped(tmp_path: Path, replies: list[Reply | ModelError], **limits: float) -> tuple[Capped, Scripted]:
    scripted = Scripted(replies)
    recorded = Recorded(scripted, PRICE, Tape(tmp_path / "t.jsonl"), "r", lambda e: None)
    roomy = {"calls": 10, "tokens": 100_000, "cost_micro_usd": 1_000_000, "seconds": 60.0, **limits}
    return Capped(recorded, PRICE, Limits(**roomy)), scripted  # type: ignore[arg-type]


LIMITS = [
    ({"calls": 1}, "calls: 1 of 1 are made"),
    ({"tokens": 114}, "tokens: 15 of 114 are used, and this call may write 100"),
    ({"cost_micro_usd": 7_500}, r"cost_usd: 0.0001 of 0.0075 is spent, and this call may cost"),
]


@pytest.mark.parametrize(("limits", "words"), LIMITS, ids=[w for _, w in LIMITS])
def test_the_call_that_could_break_a_limit_is_not_made(tmp_path: Path, limits: dict[str, float], words: str) -> None:
    model, scripted = capped(tmp_path, [says("a"), says("b")], **limits)
    model.complete(ask("draft/1"))
    with pytest.raises(ModelError, match=words) as caught:
        model.complete(ask("draft/2"))
    assert caught.value.reason is Reason.BUDGET
    assert len(scripted.asked) == 1 and model.spent.calls == 1


@pytest.mark.parametrize("limit", ["calls", "tokens", "cost_micro_usd", "seconds"])
def test_a_limit_of_nothing_allows_nothing(tmp_path: Path, limit: str) -> None:
    model, scripted = capped(tmp_path, [says("a")], **{limit: 0})
    with pytest.raises(ModelError, match="was not asked"):
        model.complete(ask())
    assert not scripted.asked


def test_what_failed_is_not_spent_and_not_recorded(tmp_path: Path) -> None:
    model, _ = capped(tmp_path, [ModelError(Reason.OVERLOADED, "no"), says("a")])
    with pytest.raises(ModelError, match="no"):
        model.complete(ask())
    assert model.spent == Spending()
    assert model.complete(ask()).text == "a"


def test_a_replay_spends_what_was_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(model: Capped) -> list[str]:
        heard = []
        for i in range(5):
            try:
                heard.append(model.complete(ask(f"draft/{i}")).text)
            except ModelError as error:
                heard.append(str(error))
        return heard

    tight = Limits(calls=9, tokens=9_000, cost_micro_usd=10_000, seconds=60.0)
    events: list[ExchangeRecorded] = []
    own = Tape(tmp_path / "a.jsonl")
    price = settle_price(own, own, "a", events.append, PRICE.name, lambda: PRICE)
    live = Capped(
        Recorded(Scripted([says(str(i), output_tokens=100) for i in range(5)]), price, own, "a", events.append),
        price,
        tight,
    )
    first = run(live)
    assert first[0] == "0" and "cost_usd" in first[-1]

    monkeypatch.setattr(prices, "table", lambda: pytest.fail("a replay looked at the table"))
    source, again = Tape(tmp_path / "a.jsonl", ask_outside=False), Tape(tmp_path / "b.jsonl")
    replayed = Replayed.of(source, again, "b", events.append)
    price_then = settle_price(source, again, "b", events.append, replayed.name, lambda: pytest.fail("looked up"))
    second = Capped(replayed, price_then, tight)
    assert run(second) == first
    assert second.spent == live.spent
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert [e.replayed for e in events] == [False] * (len(events) // 2) + [True] * (len(events) // 2)


def test_a_replay_of_two_models_is_refused(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "a.jsonl")
    for name in ("openai:a", "openai:b"):
        settle_price(tape, tape, "a", lambda e: None, name, lambda name=name: PRICE.model_copy(update={"name": name}))  # type: ignore[misc]
    with pytest.raises(TapeError, match="opened 2 models"):
        Replayed.of(Tape(tmp_path / "a.jsonl", ask_outside=False), Tape(tmp_path / "b.jsonl"), "b", lambda e: None)
