"""What a call must satisfy: the operator exists, its panels and numbers fit its row, and it looks back, never ahead."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from modules.facts.fields import FACT_FIELDS
from modules.signal.calendar import CALENDAR_FIELDS
from modules.signal.errors import SignalError
from modules.signal.nodes import Call, Field, Node, Number, distinct
from modules.signal.operators import Kind, Operator, Parameter, Slot, find, operators
from modules.signal.printer import format_number, format_signal
from modules.signal.units import FIELD_UNITS, Loose, Measure, UnitError, result_of

Fail = Callable[[str, int], SignalError]
"""Makes the error for a message and a column."""

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "sma": "ts_mean", "ma": "ts_mean", "mean": "ts_mean", "rolling_mean": "ts_mean", "average": "ts_mean",
        "std": "ts_std", "stddev": "ts_std", "volatility": "ts_std", "var": "ts_var", "sum": "ts_sum",
        "median": "ts_median",
        "shift": "delay", "lag": "delay", "ref": "delay", "diff": "delta", "pct_change": "returns", "ret": "returns",
        "corr": "ts_corr", "correlation": "ts_corr", "cov": "ts_cov", "covariance": "ts_cov", "beta": "ts_beta",
        "slope": "ts_slope", "skew": "ts_skew", "kurt": "ts_kurt", "quantile": "ts_quantile", "argmax": "ts_argmax",
        "argmin": "ts_argmin", "stoch": "stochastic", "stochrsi": "stoch_rsi", "willr": "williams_r", "sar": "psar",
        "bop": "balance_of_power", "ultosc": "ultimate_oscillator", "adosc": "chaikin_oscillator",
        "highest": "ts_max", "lowest": "ts_min", "ewm": "ema", "smma": "rma", "wilder": "rma", "hull": "hma",
        "product": "ts_product", "prod": "ts_product", "ts_scale": "ts_minmax", "rms": "ts_rms", "iqr": "ts_iqr",
        "downside_deviation": "ts_semi_std", "drawdown": "ts_drawdown", "spearman": "ts_spearman", "acf": "ts_autocorr",
        "pacf": "ts_partial_autocorr", "hurst": "ts_hurst", "entropy": "ts_entropy",
        "efficiency_ratio": "ts_efficiency",
        "fillna": "fill_value", "ts_backfill": "ts_last", "count": "count_present", "illiquidity": "amihud",
        "cs_rank": "rank", "normalize": "zscore", "if": "where", "iff": "where", "ffill": "ffill_limit", "pow": "power",
    }
)  # fmt: skip


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Known names close to `name`, best first; a name that other libraries use comes before spelling."""
    pool = sorted(known)
    other = OTHER_NAMES.get(name.lower())
    first = [other] if other in pool else []
    return list(dict.fromkeys([*first, *difflib.get_close_matches(name.lower(), pool, n=limit, cutoff=0.6)]))[:limit]


def callable_names() -> list[str]:
    """Operators that are written as a call."""
    return [o.name for o in operators() if o.symbol is None]


def build_call(name: str, positional: Sequence[Node], keywords: Mapping[str, Node], column: int, fail: Fail) -> Call:
    """The checked call, numbers in place and defaults filled in. Raises what `fail` makes."""
    row = find(name)
    if row is None:
        close = nearest(name, callable_names())
        remedy = f"did you mean {' or '.join(close)}?" if close else "`cws signal ops` lists the operators"
        raise fail(f"unknown operator {name}; {remedy}", column)
    slots = [*row.inputs, *(p.name for p in row.parameters)]
    if len(positional) > len(slots):
        raise fail(f"{name} takes {_count(len(slots))}, got {len(positional)}; {_usage(row, len(positional))}", column)
    given = dict(zip(slots, positional, strict=False))
    for key, value in keywords.items():
        if key not in slots:
            raise fail(f"{name} has no argument {key}; {_usage(row)}", value.column)
        if key in given:
            raise fail(f"{name} got {key} twice; {_usage(row)}", value.column)
        given[key] = value
    defaults = {p.name: Number(p.default, column) for p in row.parameters if p.default is not None}
    # an optional input may be left out, but not before one that is written
    written = max((i + 1 for i, s in enumerate(row.inputs) if s in given), default=0)
    names = row.inputs[: max(len(row.required), written)]
    needed = (*names, *(p.name for p in row.parameters if p.name not in defaults))
    missing = [s for s in needed if s not in given]
    if missing:
        raise fail(f"{name} needs {' and '.join(missing)}; {_usage(row, len(given))}", column)
    inputs = tuple(given[i] for i in names)
    numbers = tuple(_number(row, p, given.get(p.name) or defaults[p.name], fail) for p in row.parameters)
    values = {p.name: v for p, v in zip(row.parameters, numbers, strict=True)}
    for low, high in itertools.pairwise(row.ascending):
        if values[low] > values[high]:
            raise fail(f"{name} {low} {values[low]:g} is above {high} {values[high]:g}; swap them", column)
    return Call(name, inputs, numbers, column)


def _count(arguments: int) -> str:
    return "1 argument" if arguments == 1 else f"{arguments} arguments"


def _usage(row: Operator, given: int = 0) -> str:
    """How the operator is written, and the operator of the same name that looks the other way, if that was meant."""
    usage = f"write {row.signature}"
    if row.kind is Kind.CROSS and given > len(row.inputs) and find(f"ts_{row.name}"):
        return f"{usage}: it compares symbols at one time and has no window; over time it is ts_{row.name}(x, window)"
    if row.kind is Kind.WINDOW and given == len(row.inputs) and row.name.startswith("ts_"):
        across = find(row.name.removeprefix("ts_"))
        extra = f"; across symbols it is {across.signature}" if across and across.kind is Kind.CROSS else ""
        return f"{usage}: it looks back in time and needs a window in bars{extra}"
    return usage


def _number(row: Operator, parameter: Parameter, value: Node, fail: Fail) -> float:
    what = f"{row.name} {parameter.name}"
    if not isinstance(value, Number):
        raise fail(f"{what} must be a number, not an expression; {_usage(row)}", value.column)
    v, column = value.value, value.column
    if parameter.slot is not Slot.NUMBER and v != int(v):
        raise fail(f"{what} is {v:g}, must be a whole number from {parameter.low:g} to {parameter.high:g}", column)
    if parameter.slot is Slot.WINDOW and v < 0:
        raise fail(
            f"{what} is {v:g}: that is look-ahead, it reads {-v:g} bars of the future; "
            f"windows reach back only, from {parameter.low:g} to {parameter.high:g}",
            column,
        )
    if not parameter.low <= v <= parameter.high:
        nearest = f"{parameter.low:g} or more" if v < parameter.low else f"{parameter.high:g} or less"
        bounds = f"must be from {parameter.low:g} to {parameter.high:g}"
        raise fail(f"{what} is {format_number(v)}, {bounds}; write {nearest}", column)
    return float(v) if parameter.slot is Slot.NUMBER else int(v)


def check_fields(node: Node, available: Iterable[str], fail: Fail) -> None:
    """Raises what `fail` makes for the first field that is neither in `available` nor of the calendar."""
    known = {*available, *CALENDAR_FIELDS}
    for leaf in distinct(node):
        if isinstance(leaf, Field) and leaf.name not in known:
            close = nearest(leaf.name, known)
            remedy = f"did you mean {' or '.join(close)}? " if close else ""
            computed = find(leaf.name)
            if computed is not None:
                remedy = f"write {computed.signature} to compute it from bars; "
            if FIELD_UNITS.get(leaf.name) is Loose.GROUP:
                remedy = f"give symbols a {leaf.name} in the instruments of the data set (cws data add --instruments); "
            if leaf.name in FACT_FIELDS:
                remedy = "it is made of facts: set stages.feature to facts_expression and facts to a set of them; "
            raise fail(f"unknown field {leaf.name}; {remedy}there is {', '.join(sorted(known))}", leaf.column)


def unit_of(node: Node) -> Measure:
    """The unit of a signal. Raises SignalError where units do not fit."""
    return check_units(node, lambda message, column: SignalError(message, format_signal(node), None))


def check_units(node: Node, fail: Fail) -> Measure:
    """The unit of a signal. Raises what `fail` makes for the first call, inside out, whose inputs do not fit."""
    match node:
        case Number():
            return Loose.LITERAL
        case Field():
            return FIELD_UNITS.get(node.name, Loose.UNKNOWN)
        case Call():
            units = [check_units(i, fail) for i in node.inputs]
            row = find(node.operator)
            if row is None:
                return Loose.UNKNOWN
            inputs = dict(zip(row.inputs, units, strict=False))  # the last may be optional
            numbers = dict(zip((p.name for p in row.parameters), node.numbers, strict=True))
            try:
                return result_of(row.units, inputs, numbers)
            except UnitError as error:
                parts = [(node.inputs[i], units[i]) for i in map(row.inputs.index, error.inputs)]
                are = ", ".join(f"{format_signal(part)} is {unit}" for part, unit in parts)
                raise fail(f"{row.signature}: {are}; {error.rule}; {error.remedy}", parts[-1][0].column) from None
