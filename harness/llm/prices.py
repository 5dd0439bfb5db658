"""What a model costs and until when its training data reach: a pinned, dated table, never looked up at run time."""

from __future__ import annotations

import os
import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from math import ceil
from pathlib import Path

import yaml
from pydantic import Field

from harness.llm.port import Frozen, ModelError, Reason, Usage

TABLE = Path(__file__).resolve().parent / "prices.yaml"
OVERRIDE = "CWS_LLM_PRICE"
_SNAPSHOT = re.compile(r"-20\d\d-?\d\d-?\d\d$")


class Tariff(Frozen):
    """Dollars per million tokens: of input, output, input read from the provider's cache, input written to it."""

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached: Decimal = Field(ge=0)
    write: Decimal = Field(ge=0)

    def micro_usd(self, usage: Usage) -> int:
        """Millionths of a dollar, rounded up: a dollar a million tokens is a millionth a token."""
        fresh = max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens)
        return ceil(
            fresh * self.input
            + usage.cached_input_tokens * self.cached
            + usage.cache_write_tokens * self.write
            + usage.output_tokens * self.output
        )


class Above(Tariff):
    """The tariff of a whole request whose input has more than `tokens`."""

    tokens: int = Field(ge=1)


class Priced(Tariff):
    """A row of the table. `name` is `provider:model`; `cutoff` the last day of its training data."""

    name: str
    above: Above | None = None
    cutoff: date | None
    source: str

    def cost(self, usage: Usage) -> int:
        """What a call cost, in millionths of a dollar."""
        dear = self.above is not None and usage.input_tokens > self.above.tokens
        return self.above.micro_usd(usage) if dear and self.above else self.micro_usd(usage)

    def worst(self, input_tokens: int, output_tokens: int) -> int:
        """The most that a call of so many tokens can cost: nothing read from a cache, all of it written to one."""
        return self.cost(Usage(input_tokens=input_tokens, output_tokens=output_tokens, cache_write_tokens=input_tokens))


class Table(Frozen):
    """The whole table, with the day on which it was read."""

    read: date
    models: tuple[Priced, ...]


@cache
def table(path: Path = TABLE) -> Table:
    """The pinned table. Raises ValueError for a name given twice, and pydantic's for a bad row."""
    read = Table.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    names = [m.name for m in read.models]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(f"{path.name}: {twice[0]} stands twice; keep one row a model")
    return read


def find(name: str) -> Priced | None:
    """The row of a model, by its exact name or that of which it is a dated snapshot (`-2026-05-01`, `-20260501`)."""
    rows = {m.name: m for m in table().models}
    return rows.get(name) or rows.get(_SNAPSHOT.sub("", name))


def price_of(name: str, *, own_server: bool) -> Priced:
    """What to reckon with. A server on one's own machine costs nothing; else the table, else CWS_LLM_PRICE.

    Raises ModelError where no price is known: a cap on money that nobody can reckon would be no cap.
    """
    row = find(name)
    if own_server:
        free = Decimal(0)
        cutoff, source = (row.cutoff, row.source) if row else (None, "a server on this machine")
        return Priced(name=name, input=free, output=free, cached=free, write=free, cutoff=cutoff, source=source)
    stated = os.environ.get(OVERRIDE)
    if stated:
        return _stated(name, stated, row.cutoff if row else None)
    if row is None:
        raise ModelError(
            Reason.UNKNOWN_PRICE,
            f"{name}: its price is not in harness/llm/prices.yaml (read {table().read}), so no cap on money can hold;"
            f" set {OVERRIDE}=INPUT,OUTPUT in dollars per million tokens, or choose one of"
            f" {', '.join(m.name for m in table().models)}",
        )
    return row


def _stated(name: str, text: str, cutoff: date | None) -> Priced:
    try:
        given, taken = (Decimal(part.strip()) for part in text.split(","))
        if not (given.is_finite() and taken.is_finite() and given >= 0 and taken >= 0):
            raise InvalidOperation
    except (ValueError, InvalidOperation):
        raise ModelError(
            Reason.UNKNOWN_PRICE, f"{OVERRIDE} is {text!r}; give two numbers, as in 0.5,2 (dollars per million tokens)"
        ) from None
    # A cache's writing may cost more than reading anew: a quarter more is the dearest that the table knows.
    return Priced(
        name=name,
        input=given,
        output=taken,
        cached=given,
        write=given * Decimal("1.25"),
        cutoff=cutoff,
        source=OVERRIDE,
    )


def cutoff_of(name: str) -> date | None:
    """The last day of a model's training data, where its provider states one. None: nothing can be said to lie
    after it."""
    row = find(name)
    return row.cutoff if row else None
