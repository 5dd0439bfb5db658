"""From what a model said of a text to a reading, with the checks that keep it from being confidently wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.drafters.model.forms import Said
from harness.drafters.port import Condition, Draft, Question, Reading, Refusal
from skills.drafting import Drafting

_SIGNS = {
    ("high", "up"): 1, ("high", "down"): -1, ("low", "up"): -1, ("low", "down"): 1, ("bare", "up"): 1,
    ("bare", "down"): -1,
}  # fmt: skip


def faults_of(said: Said, text: str, events: Mapping[str, Drafting]) -> list[str]:
    """What contradicts itself, the text or the list of events, in sentences for the model."""
    if said.kind == "question":
        return [] if said.question else ["question: it is empty; ask one question, or give a claim"]
    if said.kind == "refusal":
        return [] if said.message else ["message: it is empty; say in a sentence why"]
    found = [
        f"{where}: {event!r} is not in the list of events"
        for where, event in [("event", said.event), *(("conditions", c.event) for c in said.conditions)]
        if event not in events
    ]
    if found:
        return found
    moves = events[said.event].moves
    if said.outcome in ("continues", "reverts"):
        if not moves:
            found.append(f"outcome: {said.event} is no price move, so it cannot go on or revert; say up or down")
        elif said.sign != {"continues": 1, "reverts": -1}[said.outcome]:
            found.append(f"sign: {said.sign} with outcome {said.outcome}; continues is 1, reverts is -1")
    elif said.sign != _SIGNS[said.pole, said.outcome]:
        found.append(
            f"sign: {said.sign} with pole {said.pole} and outcome {said.outcome}; it must be"
            f" {_SIGNS[said.pole, said.outcome]}, or pole or outcome is wrong"
        )
    plain = _plain(text)
    quotes = [("phrases", p) for p in said.phrases] + [("conditions", c.phrase) for c in said.conditions]
    found += [f"{where}: {p!r} does not stand in the hypothesis" for where, p in quotes if _plain(p) not in plain]
    if not said.phrases:
        found.append("phrases: none; copy the words that say the event and the outcome")
    if said.skip_bars and said.horizon_bars and said.skip_bars >= said.horizon_bars:
        found.append(f"skip_bars: {said.skip_bars} of {said.horizon_bars} bars; fewer are skipped than measured")
    return found


def draft_of(said: Said, text: str, events: Mapping[str, Drafting]) -> Draft:
    """A draft of a faultless answer: reading, question or refusal."""
    if said.kind == "question":
        return Draft(
            question=Question(
                question=said.question, defaults=said.answers, rewordings=said.answers, unread=said.unread
            )
        )
    if said.kind == "refusal":
        return Draft(refusal=Refusal(reason=said.reason, message=said.message))
    drafting = events[said.event]
    conditions = tuple(
        Condition(
            event=c.event, pole=c.pole, factor=c.factor, window_bars=c.window_bars, negated=c.negated, phrase=c.phrase
        )
        for c in said.conditions
    )
    return Draft(
        reading=Reading(
            text=text,
            event=said.event,
            pole=said.pole,
            moves=drafting.moves,
            outcome=said.outcome,
            sign=said.sign,
            horizon_bars=said.horizon_bars,
            skip_bars=said.skip_bars,
            holding_bars=said.holding_bars,
            conditions=conditions,
            relative=said.relative,
            phrases=said.phrases,
            unread=said.unread,
            assumptions=said.assumptions,
        ),
        mechanism=said.mechanism or None,
    )


def doubt(reading: Reading, other: Reading | None, name: str) -> Question | None:
    """The question to ask where the grammar read the same event with the opposite sign: one of the two is wrong, and
    nobody here can say which."""
    if other is None or other.event != reading.event or other.sign == reading.sign:
        return None
    ways = {1: "a higher {} goes with higher returns", -1: "a higher {} goes with lower returns"}
    mine, theirs = (ways[r.sign].format(r.event.replace("_", " ")) for r in (reading, other))
    return Question(
        question=f"{name} reads that {mine}; the grammar reads that {theirs}. Which do you mean?",
        defaults=(theirs, mine),
        unread=reading.unread,
    )


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().strip("\"'“”.,;").casefold()
