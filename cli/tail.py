"""Events as lines: when, what, and what matters of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase

from cli.errors import RequestError
from cli.output import visible
from cli.present import SHORT, text
from traces.events import KINDS, Envelope, EventBase, canonical_json

MOST_VALUE = 60
_HEX = re.compile(r"[0-9a-f]{40,64}")
QUIET = frozenset(
    {"kind", "code_digest", "settings_digest", "task_digest", "data_digest", "suite_digest", "gate_digest"}
)
"""Fields that nobody reads in a line."""


def kinds_of(patterns: Sequence[str] | None) -> frozenset[str] | None:
    """The kinds that are asked for, `night.*` included; None for all. Raises RequestError for one that is no kind."""
    if not patterns:
        return None
    found: set[str] = set()
    for pattern in patterns:
        these = [kind for kind in KINDS if fnmatchcase(kind, pattern)]
        if not these:
            near = ", ".join(get_close_matches(pattern, KINDS, n=3)) or ", ".join(sorted(KINDS)[:6])
            raise RequestError(f"--kind {pattern}: there is no such kind of event", f"there are {near}")
        found.update(these)
    return frozenset(found)


def show(envelopes: Iterable[Envelope], as_json: bool) -> int:
    """Write each to stdout as it comes; how many there were."""
    count = 0
    for envelope in envelopes:
        count += 1
        sys.stdout.write((canonical_json(envelope) if as_json else line(envelope)) + "\n")
    if count:
        sys.stdout.flush()
    return count


def line(envelope: Envelope) -> str:
    """`2026-11-20 16:05:41  ablation.finished  module size/rank_neutral, verdict SHIP, delta 0.2100`."""
    when = datetime.fromtimestamp(envelope.ts_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    return visible(f"{when}  {envelope.event.kind:<18}  {_fields(envelope.event)}").replace("\n", " ")


def _fields(event: EventBase) -> str:
    """What is set, each cut to a size that leaves room for the others."""
    values = ((name, getattr(event, name)) for name in type(event).model_fields if name not in QUIET)
    return ", ".join(f"{name} {_short(value)}" for name, value in values if value not in (None, "", (), {}))


def _short(value: object) -> str:
    if isinstance(value, EventBase):
        return f"({_fields(value)})"
    if isinstance(value, Mapping):
        said = ", ".join(f"{key} {_short(inner)}" for key, inner in value.items())
    elif isinstance(value, list | tuple):
        said = f"{len(value)}: {text(value)}" if len(value) > 1 else text(value)
    elif isinstance(value, str) and _HEX.fullmatch(value):
        said = value[:SHORT]
    else:
        said = text(value)
    return said if len(said) <= MOST_VALUE else f"{said[: MOST_VALUE - 1]}\u2026"
