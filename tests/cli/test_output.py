"""Results as JSON values: no NaN, no surprises; and text that tables show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from cli.output import emit, plain, visible
from cli.present import text


class Colour(Enum):
    RED = "red"


class Kind(StrEnum):
    ONE = "one"


@dataclass(frozen=True)
class Point:
    x: float
    where: Path


class Model(BaseModel):
    value: float
    when: datetime


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (1.5, 1.5),
        (True, True),
        (3, 3),
        (None, None),
        (Colour.RED, "red"),
        (Kind.ONE, "one"),
        (Path("a/b"), "a/b"),
        (np.float64("nan"), None),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (date(2001, 2, 3), "2001-02-03"),
        ({"a": (1, math.nan)}, {"a": [1, None]}),
        pytest.param(frozenset({"b", "a"}), ["a", "b"], id="set"),
        (Point(math.inf, Path("x")), {"x": None, "where": "x"}),
        (
            Model(value=1.0, when=datetime(2001, 2, 3, tzinfo=UTC)),
            {"value": 1.0, "when": "2001-02-03T00:00:00+00:00"},
        ),
    ],
    ids=repr,
)
def test_plain(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        plain(object())


def test_emit_writes_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"a": math.nan, "b": "\u00fc"}, True, lambda _: pytest.fail("not for people"))
    captured = capsys.readouterr()
    assert captured.out == '{"a": null, "b": "\u00fc"}\n' and captured.err == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        (math.nan, "-"),
        (True, "yes"),
        (12345, "12,345"),
        (12345.0, "12,345"),
        (0.0, "0"),
        (0.123456, "0.1235"),
        (0.00012, "0.00012"),
        (123.456, "123.5"),
        ({"a": 1}, "a 1"),
        ([], "-"),
        ("x", "x"),
    ],
    ids=repr,
)
def test_text(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("plain", "plain"), ("Rösch 5 €\n\tindented", "Rösch 5 €\n\tindented"), ("\x1b[2Jred\x9b", "\\x1b[2Jred\\x9b"),
        ("a\u202eb\u200bc", "a\\u202eb\\u200bc"), ("\U000e0041", "\\U000e0041"), ("cut\udc80", "cut\\udc80"),
        ("\r\x07", "\\r\\x07"),
    ],
)  # fmt: skip
def test_words_of_others_do_nothing_to_a_terminal(shown: str, expected: str) -> None:
    assert visible(shown) == expected and text(shown) == expected
