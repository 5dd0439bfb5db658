"""The specification: what a hypothesis claims, as a document that a researcher can read, edit and hand back.

`spec.yaml` is written before any data are looked at, and `cws research --spec FILE` goes on from it: what stands in
it is what is tested, and the text is not read again. So whatever decides what is drafted stands in it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from harness.drafters.port import Answered, Condition, Frozen, Reading

MAX_BYTES = 64 << 10
MOST_NESTED = 16
EXPECTED_RANK_CORRELATION = 0.01
NOT_STATED = "not stated"
Direction = Literal["high does better", "low does better"]

_HEAD = """\
# What is to be tested, before any data were looked at. Edit it, then: cws research --spec FILE
# direction: which end of the measure does better. Windows are in bars. falsified_by: any one of these, on data that
# did not choose the signal, ends the claim; on the data that did, it is said in the report.
"""
_MEASURE = ("pole", "moves")
_OWN = {"text", "sign", "outcome", "horizon_bars", "skip_bars", "holding_bars", "threshold", "relative", "event"}
_OWN |= {"conditions", "phrases", "unread", "assumptions"}


class SpecificationError(ValueError):
    """A specification that cannot be used: the file, the field, the value, the rule and the remedy."""


class Expected(Frozen):
    """What the claim says must be seen: the sign of the relation between the measure and later returns, and the size
    of the signal's mean rank correlation with the next return that would be worth having."""

    sign: Literal[-1, 1]
    rank_correlation: float = Field(default=EXPECTED_RANK_CORRELATION, gt=0.0, le=1.0)


class Falsifier(Frozen):
    """The claim is false where `figure` is at most `at_most`."""

    figure: Literal["rank_correlation", "t", "net_sharpe", "gross_sharpe"]
    at_most: float = Field(ge=-10.0, le=10.0)


class SpecSource(Frozen):
    """A published finding, with what it says of the claim (None: related, and not judged). `published` as its source
    states it; `read_on`: when it was read, for what does not ship with the checkout."""

    key: str
    citation: str
    agrees: bool | None
    published: str | None = None
    read_on: date | None = None

    @property
    def line(self) -> str:
        """The source for a list: its citation, what it says of the claim, its dates."""
        says = {True: "", False: " (speaks against the claim)", None: " (related, not judged)"}[self.agrees]
        read = f", read on {self.read_on.isoformat()}" if self.read_on else ""
        return f"{self.citation}{says}{read}"


class Specification(Frozen):
    """One claim, complete: what is measured, which end does better, when, where, why, and what would refute it.

    `cutoff`: the last day that the model which read it can have been trained on (None: no model, or nobody says).
    `details` holds what else the drafter read and needs to draft from; `signal` is None until one was chosen.
    """

    claim: str = Field(min_length=3, max_length=2_000)
    measure: str = Field(min_length=1, max_length=80)
    direction: Direction
    horizon_bars: int | None = Field(default=None, ge=1, le=2_520)
    skip_bars: int | None = Field(default=None, ge=0, le=504)
    holding_bars: int | None = Field(default=None, ge=1, le=2_520)
    threshold: float | None = Field(default=None, gt=0.0, le=10.0)
    relative: str | None = None
    conditions: tuple[Condition, ...] = Field(default=(), max_length=8)
    universe: str = Field(min_length=1, max_length=200)
    mechanism: str = Field(default=NOT_STATED, max_length=2_000)
    expected: Expected
    falsified_by: tuple[Falsifier, ...] = Field(min_length=1, max_length=8)
    sources: tuple[SpecSource, ...] = Field(default=(), max_length=50)
    skills: Mapping[str, str] = Field(default_factory=dict)
    assumptions: tuple[str, ...] = Field(default=(), max_length=50)
    not_read: tuple[str, ...] = Field(default=(), max_length=50)
    answers: tuple[Answered, ...] = Field(default=(), max_length=10)
    phrases: tuple[str, ...] = Field(default=(), max_length=50)
    drafter: str = "offline"
    cutoff: date | None = None
    details: Mapping[str, JsonValue] = Field(default_factory=dict)
    signal: str | None = None

    @field_validator("details")
    @classmethod
    def _of_a_reading(cls, details: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        unknown = sorted(set(details) - (set(Reading.model_fields) - _OWN))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no detail of a reading; leave it out")
        return details

    @model_validator(mode="after")
    def _one_direction(self) -> Specification:
        if self.sign != self.expected.sign:
            raise ValueError(
                f"direction is {self.direction!r} and expected.sign is {self.expected.sign}; where the high end does "
                "better the sign is 1, where the low end does it is -1: change both together"
            )
        return self

    @property
    def sign(self) -> Literal[-1, 1]:
        """Of the relation between the measure and later returns."""
        return 1 if self.direction == "high does better" else -1


def specify(
    reading: Reading,
    *,
    universe: str,
    drafter: str,
    skills: Mapping[str, str],
    sources: Sequence[SpecSource] = (),
    answers: Sequence[Answered] = (),
    mechanism: str | None = None,
    cutoff: date | None = None,
) -> Specification:
    """The specification of a reading."""
    read = reading.model_dump(mode="json", exclude_defaults=True)
    return Specification(
        claim=reading.text,
        measure=reading.event,
        direction="high does better" if reading.sign > 0 else "low does better",
        horizon_bars=reading.horizon_bars,
        skip_bars=reading.skip_bars,
        holding_bars=reading.holding_bars,
        threshold=reading.threshold,
        relative=reading.relative,
        conditions=reading.conditions,
        universe=universe,
        mechanism=mechanism or NOT_STATED,
        expected=Expected(sign=reading.sign),
        falsified_by=(Falsifier(figure="rank_correlation", at_most=0.0),),
        sources=tuple(sources),
        skills=dict(sorted(skills.items())),
        assumptions=reading.assumptions,
        not_read=reading.unread,
        answers=tuple(answers),
        phrases=reading.phrases,
        drafter=drafter,
        cutoff=cutoff,
        details={**{k: v for k, v in read.items() if k not in _OWN}, **{k: read[k] for k in _MEASURE}},
    )


def reading_of(spec: Specification, where: str = "spec") -> Reading:
    """What is drafted from. Raises SpecificationError where the details are not those of a reading."""
    moves = bool(spec.details.get("moves", False))
    values = {
        **spec.details,
        "text": spec.claim,
        "event": spec.measure,
        "sign": spec.sign,
        "outcome": ("continues" if spec.sign > 0 else "reverts") if moves else None,
        "pole": spec.details.get("pole", "bare"),
        "moves": moves,
        "horizon_bars": spec.horizon_bars,
        "skip_bars": spec.skip_bars,
        "holding_bars": spec.holding_bars,
        "threshold": spec.threshold,
        "relative": spec.relative,
        "conditions": spec.conditions,
        "phrases": spec.phrases,
        "unread": spec.not_read,
        "assumptions": spec.assumptions,
    }
    try:
        return Reading.model_validate(values)
    except ValidationError as error:
        raise SpecificationError(f"{where}: {_first(error)}") from error


def to_yaml(spec: Specification) -> str:
    """The document, with a line on how to go on."""
    values = spec.model_dump(mode="json")
    return _HEAD + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)


def from_yaml(text: str, where: str = "spec.yaml") -> Specification:
    """The specification in a document. Raises SpecificationError naming the first field that is wrong."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise SpecificationError(f"{where}: more than {MAX_BYTES} bytes; a specification is one claim")
    try:
        values = yaml.safe_load(text) if _plain(text) else None
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise SpecificationError(f"{where}: is not YAML: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(values, dict):
        raise SpecificationError(
            f"{where}: must be `field: value` lines without aliases or deep nesting; "
            "`cws research TEXT --spec-only` writes such"
        )
    try:
        spec = Specification.model_validate(values)
        reading_of(spec, where)
    except ValidationError as error:
        raise SpecificationError(f"{where}: {_first(error)}") from error
    return spec


_OPENS = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def _plain(text: str) -> bool:
    """Neither aliases, which make a small file grow without end, nor brackets in brackets without end, which take a
    parser that long: a specification has no use for either."""
    depth = 0
    for token in yaml.scan(text):
        depth += isinstance(token, _OPENS)
        depth -= isinstance(token, _CLOSES)
        if isinstance(token, yaml.AliasToken) or depth > MOST_NESTED:
            return False
    return True


def read_spec(path: Path) -> Specification:
    """The specification in a file. Raises SpecificationError, OSError."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    try:
        return from_yaml(raw.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise SpecificationError(f"{path}: byte {error.start} is not UTF-8; save it as UTF-8") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    given = "" if isinstance(first["input"], dict) else f" = {str(first['input'])[:80]!r}"
    known = f"; fields: {', '.join(Specification.model_fields)}" if first["type"] == "extra_forbidden" else ""
    return f"{where}{given}: {first['msg'].removeprefix('Value error, ')}{known}"
