"""The forms that a model's answers must have: JSON schemas with our words as enumerations, and the same as types.

The schemas keep to what every provider enforces (all keys required, no others, no recursion), so a signal travels as
text beside the operators and fields it is made of; the parser of the language has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from harness.drafters.port import Outcome, Pole, Sign
from harness.llm.port import Answer
from modules.signal.operators import operators

NO_SKILL = "none"
EXPR_PATTERN = "^[a-zA-Z0-9_ ().,+*/<>=!-]{5,400}$"
Schema = dict[str, JsonValue]


def _line(value: object) -> object:
    """Words of a model go to terminals, pages and pull requests: one line, nothing that does not print."""
    if not isinstance(value, str):
        return value
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


Line = Annotated[str, BeforeValidator(_line)]


def _unsaid(value: object) -> object:
    """Small models write 0 for what the text does not say."""
    return None if value == 0 and not isinstance(value, bool) else value


Bars = Annotated[Annotated[int, Field(ge=1, le=1_260)] | None, BeforeValidator(_unsaid)]
Factor = Annotated[Annotated[float, Field(gt=0.0, le=100.0)] | None, BeforeValidator(_unsaid)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SaidCondition(_Form):
    """A gate on the claim, as the model read it."""

    event: str
    pole: Pole
    negated: bool
    factor: Factor = None
    window_bars: Bars = None
    phrase: Line = Field(min_length=1, max_length=200)


class Said(_Form):
    """What the model made of a text. `kind` says which of the others count."""

    kind: Literal["claim", "question", "refusal"]
    event: str
    pole: Pole
    outcome: Outcome
    sign: Sign
    horizon_bars: Bars = None
    skip_bars: Bars = None
    holding_bars: Bars = None
    relative: Literal["peers", "own history"] | None = None
    conditions: tuple[SaidCondition, ...] = Field(max_length=6)
    phrases: tuple[Line, ...] = Field(max_length=12)
    unread: tuple[Line, ...] = Field(max_length=12)
    assumptions: tuple[Line, ...] = Field(max_length=12)
    mechanism: Line = Field(max_length=600)
    question: Line = Field(max_length=600)
    answers: tuple[Line, ...] = Field(max_length=6)
    reason: Literal["not_a_hypothesis", "needs_other_data", "instructions"]
    message: Line = Field(max_length=600)


class SaidCandidate(_Form):
    """One signal as proposed."""

    operators: tuple[str, ...]
    fields: tuple[str, ...]
    expr: str = Field(min_length=1, max_length=2_000)
    skill: str
    why: Line = Field(min_length=1, max_length=600)


class SaidCandidates(_Form):
    """Signals proposed for a claim. `needs_fields`: what the data lack, where no signal can be made of them."""

    mechanism: Line = Field(max_length=600)
    candidates: tuple[SaidCandidate, ...] = Field(max_length=40)
    needs_fields: tuple[Line, ...] = Field(max_length=12)


def _text(about: str, most: int = 240) -> Schema:
    """Bounded, for servers that hold to it: a small model may never end a sentence."""
    return {"type": "string", "description": about, "maxLength": most}


def _one_of(values: Sequence[str], about: str = "") -> Schema:
    schema: Schema = {"type": "string", "enum": list(values)}
    return {**schema, "description": about} if about else schema


def _or_null(schema: Schema, about: str) -> Schema:
    return {"anyOf": [schema, {"type": "null"}], "description": about}


def _list(items: Schema, about: str, most: int = 6) -> Schema:
    return {"type": "array", "items": items, "description": about, "maxItems": most}


def _object(properties: dict[str, JsonValue]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def specify_form(events: Sequence[str]) -> Answer:
    """The form of a reading; `events` are what skills can measure."""
    pole = _one_of(("high", "low", "bare"), "which end of the measure the text speaks of; bare: neither")
    integer: Schema = {"type": "integer"}
    condition = _object(
        {
            "event": _one_of(events),
            "pole": pole,
            "negated": {"type": "boolean"},
            "factor": _or_null({"type": "number"}, "a multiple said in the text"),
            "window_bars": _or_null(integer, "bars over which the condition is measured, if said"),
            "phrase": _text("the words of the text that say it, copied"),
        }
    )
    return Answer(
        name="reading",
        json_schema=_object(
            {
                "kind": _one_of(("claim", "question", "refusal")),
                "event": _one_of(events, "what ranks the stocks"),
                "pole": pole,
                "outcome": _one_of(("up", "down", "continues", "reverts"), "what follows, as the text says it"),
                "sign": {
                    "type": "integer",
                    "enum": [-1, 1],
                    "description": "1: a higher measure goes with higher later returns",
                },
                "horizon_bars": _or_null(integer, "bars over which the event is measured, if said; a week is 5"),
                "skip_bars": _or_null(integer, "latest bars left out, if said"),
                "holding_bars": _or_null(integer, "bars over which the outcome is expected, if said"),
                "relative": _or_null(_one_of(("peers", "own history")), "against whom the measure is taken, if said"),
                "conditions": _list(condition, "where alone the claim is said to hold"),
                "phrases": _list(_text(""), "the words that were read, each copied from the text"),
                "unread": _list(_text(""), "words that matter and were not understood"),
                "assumptions": _list(_text(""), "what was assumed because the text leaves it open"),
                "mechanism": _text("why it should be so, in one sentence; empty if unknown"),
                "question": _text("kind question: the one thing to ask; else empty"),
                "answers": _list(_text(""), "kind question: whole hypotheses to choose from, the likeliest first"),
                "reason": _one_of(("not_a_hypothesis", "needs_other_data", "instructions"), "kind refusal: why"),
                "message": _text("kind refusal: one sentence; else empty"),
            }
        ),
    )


def draft_form(fields: Sequence[str], skills: Sequence[str], k: int) -> Answer:
    """The form of up to `k` candidates on data with `fields`, with the language's operators."""
    named = [o.name for o in operators() if o.symbol is None]
    candidate = _object(
        {
            "operators": _list(_one_of(named), "the operators that the signal calls", 12),
            "fields": _list(_one_of(fields), "the fields that it reads"),
            "expr": {"type": "string", "description": "the signal in the language", "pattern": EXPR_PATTERN},
            "skill": _one_of((*skills, NO_SKILL), "the skill it follows"),
            "why": _text("one sentence: how it measures the claim"),
        }
    )
    return Answer(
        name="candidates",
        json_schema=_object(
            {
                "mechanism": _text("why the claim should hold, in one sentence; empty if unknown"),
                "candidates": _list(candidate, "distinct signals, the best first", k),
                "needs_fields": _list(_text(""), "fields that are missing, where no signal can be made; else empty"),
            }
        ),
    )
