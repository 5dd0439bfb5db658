"""The SQL face of the events: one table of all of them, and one view per kind with a typed column per field."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Union, get_args, get_origin

from traces.events import KINDS

_SCALARS: Mapping[object, str] = {str: "VARCHAR", bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}

LINES_TO_EVENTS = """
CREATE TABLE events AS
SELECT (line->>'seq')::BIGINT AS seq,
       make_timestamp_ns((line->>'ts_ns')::BIGINT) AS ts,
       line->'event'->>'kind' AS kind,
       line->'event' AS payload
FROM (SELECT line::JSON AS line FROM lines)
ORDER BY seq
"""


def view_name(kind: str) -> str:
    """`run.finished` is queried as `run_finished`."""
    return kind.replace(".", "_")


def _plain(annotation: object) -> object:
    """The type without `Annotated` and without `None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [a for a in get_args(annotation) if a is not type(None)]
        if len(rest) == 1:
            return _plain(rest[0])
    return annotation


def sql_type(annotation: object) -> str:
    """DuckDB's type for a field of an event; JSON where values are of more than one type."""
    plain = _plain(annotation)
    if get_origin(plain) is Literal:
        return "VARCHAR"
    if get_origin(plain) is Sequence:
        return f"{sql_type(get_args(plain)[0])}[]"
    if get_origin(plain) is Mapping:
        value = sql_type(get_args(plain)[1])
        return "JSON" if value == "JSON" else f"MAP(VARCHAR, {value})"
    return _SCALARS.get(plain, "JSON")


def columns(kind: str) -> dict[str, str]:
    """Column name to DuckDB type of a kind's view."""
    fields = KINDS[kind].model_fields
    own = {name: sql_type(field.annotation) for name, field in fields.items() if name != "kind"}
    return {"seq": "BIGINT", "ts": "TIMESTAMP_NS", **own}


def create_view(kind: str) -> str:
    """The statement that makes a kind's view of the table `events`."""
    parts = ["seq", "ts"]
    for name, type_ in columns(kind).items():
        if name in ("seq", "ts"):
            continue
        if type_ == "JSON":
            parts.append(f"payload->'{name}' AS \"{name}\"")
        elif type_.endswith(("]", ")")):
            parts.append(f"CAST(payload->'{name}' AS {type_}) AS \"{name}\"")
        else:
            parts.append(f"CAST(payload->>'{name}' AS {type_}) AS \"{name}\"")
    return f"CREATE VIEW {view_name(kind)} AS SELECT {', '.join(parts)} FROM events WHERE kind = '{kind}'"


VIEWS: Mapping[str, tuple[str, ...]] = {
    "events": ("seq", "ts", "kind", "payload"),
    **{view_name(kind): tuple(columns(kind)) for kind in KINDS},
}
"""Everything that a query can read, with its columns."""
