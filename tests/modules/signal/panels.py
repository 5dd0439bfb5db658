"""Panels and trees that the tests of the language share."""

from __future__ import annotations

import numpy as np

from modules.panel import FloatArray, Panel
from modules.signal.nodes import Call, Field, Node, Number
from modules.signal.operators import Operator, Parameter, Slot

FIELDS = ("open", "high", "low", "close", "volume")
GROUPS = ("sector",)
DAY_NS = 86_400_000_000_000
EXTREMES = (0.0, -0.0, 1e308, -1e308, 5e-324, 1e-12, np.inf, -np.inf)


def make_panel(seed: int, rows: int = 40, symbols: int = 5, *, rough: bool = True) -> Panel:
    """Random walks; `rough` adds missing cells, gaps, late starts, constant stretches, ties and extreme values."""
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (rows, symbols)), axis=0))
    spread = np.abs(rng.normal(0.0, 0.01, (3, rows, symbols)))
    fields = {
        "open": close * (1 + spread[2] / 2),
        "high": close * (1 + spread[0] + spread[2]),
        "low": close * (1 - spread[1]),
        "close": close,
        "volume": np.floor(rng.lognormal(10.0, 1.0, (rows, symbols))),
    }
    if rough:
        for values in fields.values():
            _spoil(values, rng)
    ts = np.cumsum(rng.integers(1, 4, rows)) * DAY_NS + 1_000 * DAY_NS
    return Panel(ts, tuple(f"S{i}.NYSE" for i in range(symbols)), fields)


def grouped_panel(seed: int, rows: int = 40, symbols: int = 5, *, rough: bool = True) -> Panel:
    """`make_panel` with a group field; `rough` adds a symbol that changes its group, and cells without one."""
    rng = np.random.default_rng([seed, 1])
    sector = rng.integers(0, 3, symbols) + np.zeros((rows, symbols))
    if rough:
        sector[rows // 2 :, 0] = 7.0
        sector[rng.random((rows, symbols)) < 0.05] = np.nan
    return make_panel(seed, rows, symbols, rough=rough).with_fields(sector=sector)


def _spoil(values: FloatArray, rng: np.random.Generator) -> None:
    rows, symbols = values.shape
    values[:, 1 % symbols] = np.round(values[:, 1 % symbols])
    begin = int(rng.integers(0, rows // 2))
    values[begin : begin + rows // 3, 2 % symbols] = values[begin, 2 % symbols]
    values[: int(rng.integers(0, rows // 2)), 3 % symbols] = np.nan
    values[rng.random(values.shape) < 0.02] = np.nan
    for _ in range(int(rng.integers(0, 4))):
        values[int(rng.integers(0, rows)), int(rng.integers(0, symbols))] = EXTREMES[
            int(rng.integers(0, len(EXTREMES)))
        ]


def number_for(parameter: Parameter, rng: np.random.Generator, longest: int = 7) -> float:
    """A number that fits a parameter; windows stay short."""
    if parameter.slot is Slot.NUMBER:
        low, high = max(parameter.low, -3.0), min(parameter.high, 3.0)
        return float(np.round(rng.uniform(low, high), 3))
    low = int(parameter.low)
    return int(rng.integers(low, max(low + 1, min(int(parameter.high), longest) + 1)))


def numbers_for(operator: Operator, rng: np.random.Generator) -> tuple[float, ...]:
    """Numbers that fit an operator's row."""
    numbers = tuple(number_for(p, rng) for p in operator.parameters)
    places = [[p.name for p in operator.parameters].index(name) for name in operator.ascending]
    in_order = dict(zip(places, sorted(numbers[i] for i in places), strict=True))
    return tuple(in_order.get(i, v) for i, v in enumerate(numbers))


def call_on_fields(operator: Operator, rng: np.random.Generator) -> Call:
    """The operator on fields of the panel."""
    inputs = tuple(
        Field(i if i in FIELDS else GROUPS[0] if i in operator.units.groups else FIELDS[int(rng.integers(len(FIELDS)))])
        for i in written_inputs(operator, rng)
    )
    return Call(operator.name, inputs, numbers_for(operator, rng))


def written_inputs(operator: Operator, rng: np.random.Generator) -> tuple[str, ...]:
    """The inputs of a call: optional ones may be left out."""
    return operator.inputs[
        : len(operator.inputs) - (int(rng.integers(operator.optional + 1)) if operator.optional else 0)
    ]


def random_tree(table: tuple[Operator, ...], rng: np.random.Generator, levels: int) -> Node:
    """A tree as the parser makes them, at least one field in it not being promised."""
    if levels == 0 or rng.random() < 0.1:
        leaf = rng.random()
        if leaf < 0.75:
            return Field((*FIELDS, "month", "day_of_week")[int(rng.integers(0, 7))])
        return Number(float((0.0, 1.0, -1.0, 2.0, 0.1, -3.25, 1e-7, 1e20, 12345678.9)[int(rng.integers(0, 9))]))
    operator = table[int(rng.integers(0, len(table)))]
    inputs = tuple(
        Field(GROUPS[0]) if i in operator.units.groups else random_tree(table, rng, levels - 1)
        for i in written_inputs(operator, rng)
    )
    if operator.name == "neg" and isinstance(inputs[0], Number):
        return inputs[0]  # the parser reads -5 as a number
    return Call(operator.name, inputs, numbers_for(operator, rng))


def bits(values: FloatArray) -> bytes:
    """The exact bytes, for comparisons that allow no difference at all."""
    return np.ascontiguousarray(values).tobytes()
