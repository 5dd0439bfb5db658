"""JSON of strangers, taken apart without trust: a missing or misshapen part is empty, a misshapen whole is an error."""

from __future__ import annotations

import json

from harness.literature.live.web import Page
from harness.literature.port import LiteratureError
from harness.literature.port import LiteratureReason as Reason


def json_of(who: str, page: Page) -> dict[str, object]:
    """The page as a JSON object; MALFORMED otherwise."""
    try:
        value = json.loads(page.body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise LiteratureError(
            Reason.MALFORMED, f"{who}: the answer is no JSON ({page.media or 'no type'}); try later"
        ) from error
    if not isinstance(value, dict):
        raise LiteratureError(Reason.MALFORMED, f"{who}: the answer is a JSON {type(value).__name__}, not an object")
    return value


def as_maps(value: dict[str, object], name: str, who: str) -> list[dict[str, object]]:
    """The list of objects under `name`; MALFORMED where there is no list."""
    found = value.get(name)
    if not isinstance(found, list):
        raise LiteratureError(Reason.MALFORMED, f"{who}: the answer has no list {name!r}; has its form changed?")
    return [v for v in found if isinstance(v, dict)]


def as_map(value: object) -> dict[str, object]:
    """A mapping, or an empty one."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """A text or a whole number as text, otherwise nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else ""
