"""From parts to one claim: which event, which end of it, what follows, under which conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.drafters.offline.comparisons import without_comparators
from harness.drafters.offline.outcomes import outcome_of, sign_of
from harness.drafters.offline.scene import MOVES, Part
from harness.drafters.offline.sentence import (
    DRAWDOWN,
    LEAD_LAG,
    RELATIVE,
    RETURN,
    SECTOR,
    AskError,
    Claim,
    Event,
    Sentence,
    opposite,
)
from harness.drafters.port import Outcome, Pole, Sign


def read_claim(sentence: Sentence) -> Claim:
    """The one claim of a text. Raises AskError where event, end or outcome is missing, or where claims disagree."""
    events = sentence.events()
    outcomes = [(i, p) for i, p in enumerate(sentence.parts) if p.role == "outcome" and not _absorbed(sentence, i)]
    assumptions: list[str] = []
    outcomes = _without_its_praise(sentence, outcomes)
    events = _one_fall(sentence, events)
    if not events or (_only_conditions(events) and _turns(outcomes)):
        events = _implied_return(sentence, events, outcomes, assumptions)
    events, outcomes = without_comparators(sentence, events, outcomes)
    pairs = [(_undenied(e, assumptions, sentence), i, p) for e, i, p in _pair(sentence, events, outcomes)]
    pairs = [(e, i, p) for e, i, p in pairs if e.moves or not _says_only_still(sentence, i)]
    if not pairs:
        return _bare_effect(sentence, events, assumptions)
    subject = pairs[0][0]
    strangers = [e for e, _, _ in pairs if e.name != subject.name]
    if strangers:
        raise AskError(
            f"I read two claims, on {sentence.says(subject)} and on {sentence.says(strangers[0])}. "
            "Which one shall I test?",
            f"only {sentence.says(subject)}",
            f"only {sentence.says(strangers[0])}",
        )
    readings = [(sign_of(sentence, e, i, p, assumptions), e, p) for e, i, p in pairs]
    signs = {s for s, _, _ in readings}
    if len(signs) != 1:
        said = " and ".join(dict.fromkeys(f"'{sentence.phrase(p.mark)}'" for _, _, p in readings))
        raise AskError(
            f"{said} contradict each other here. Do you expect the move to reverse or to go on?",
            "it reverses",
            "it goes on",
        )
    sign, outcome = readings[0][0], outcome_of(readings[0][2])
    return Claim(
        subject, outcome, sign, _conditions(sentence, subject, events, pairs), tuple(dict.fromkeys(assumptions))
    )


def _one_fall(sentence: Sentence, events: list[Event]) -> list[Event]:
    """ "Beaten-down shares, after two bad weeks, ...": the window says over which time they were beaten down."""
    dated = [e for e in events if e.name == RETURN and e.pole == "low" and e.mark.bars is not None]
    loose = [e for e in events if e.name == DRAWDOWN and sentence.tokens[e.mark.start].stem in _BEATEN]
    if len(dated) != 1 or not loose or any(e.negated for e in (*dated, *loose)):
        return events
    return [replace(e, gated=False) if e is dated[0] else e for e in events if e not in loose]


_BEATEN = frozenset({"beat", "batter"})


def _without_its_praise(sentence: Sentence, outcomes: list[tuple[int, Part]]) -> list[tuple[int, Part]]:
    """ "Fading last week's move makes money": what is done is the claim, and that it pays says nothing more."""
    if not outcomes or sentence.tokens[outcomes[0][1].mark.start].tense != "ing":
        return outcomes
    done = outcomes[0][1].mark.kind
    rest = [p.mark.kind for _, p in outcomes[1:]]
    if done in ("turn", "buy", "sell") and rest and all(k in ("perform_up", "works") for k in rest):
        return outcomes[:1]
    return outcomes


def _says_only_still(sentence: Sentence, i: int) -> bool:
    """ "volatile stocks keep falling": of an event that is no move, only the verb after "keep" is a claim."""
    following = sentence.parts[i + 1] if i + 1 < len(sentence.parts) else None
    return sentence.parts[i].mark.kind == "go_on" and following is not None and following.role == "outcome"


def _undenied(event: Event, assumptions: list[str], sentence: Sentence) -> Event:
    if not event.negated:
        return event
    assumptions.append(f"the denial of {sentence.says(event)} is read as its other end")
    return opposite(event)


def _absorbed(sentence: Sentence, i: int) -> bool:
    """ "keep rising": the verb that follows says it all; "weak" and "works" count only beside a named effect."""
    part = sentence.parts[i]
    if part.mark.kind == "weak":
        raise AskError(
            f"'{sentence.phrase(part.mark)}' says how strong an effect is, not what happens. Where does it hold?",
            "it holds in the opposite case",
        )
    return part.mark.kind == "works" and not any(p.mark.kind == "effect" for p in sentence.parts)


def _only_conditions(events: Sequence[Event]) -> bool:
    return all(not e.moves for e in events)


def _turns(outcomes: Sequence[tuple[int, Part]]) -> bool:
    return any(p.mark.kind in ("turn", "turn_up", "turn_down") for _, p in outcomes) or (
        any(p.mark.kind == "go_on" for _, p in outcomes) and not any(p.mark.kind in MOVES for _, p in outcomes)
    )


def _implied_return(
    sentence: Sentence, events: list[Event], outcomes: Sequence[tuple[int, Part]], assumptions: list[str]
) -> list[Event]:
    """A reversal is one of a price move: with none named it is the recent return's, and what is named its condition."""
    if not outcomes:
        raise AskError(
            "Which stocks do you mean, and what do you expect of them? "
            "For example: stocks that fell the most last week rebound.",
            "stocks that fell the most last week rebound",
            "stocks with the lowest volatility outperform",
        )
    turning = [(i, p) for i, p in outcomes if p.mark.kind in ("turn", "turn_up", "turn_down", "go_on")]
    nouns = [p for _, p in turning if p.mark.kind == "turn"]
    of_returns = any(t.stem == "return" for t in sentence.tokens) and any(p.mark.kind == "go_on" for _, p in turning)
    if not events and not nouns and not of_returns:
        said = sentence.phrase(outcomes[0][1].mark)
        raise AskError(
            f"Which stocks is '{said}' said of? The test compares stocks with each other, so name what sets them "
            "apart, for example those that fell the most last week.",
            "those that fell the most last week",
            "those with low volatility",
            "those near their 52-week high",
        )
    index, part = turning[0]
    pole: Pole = {"turn_up": "low", "turn_down": "high"}.get(part.mark.kind, "bare")  # type: ignore[assignment]
    assumptions.append(f"'{sentence.phrase(part.mark)}' is read of the recent return")
    return [
        Event(RETURN, pole, True, part.mark, index),
        *(Event(e.name, e.pole, e.moves, e.mark, e.index, e.effect, True) for e in events),
    ]


def _pair(
    sentence: Sentence, events: Sequence[Event], outcomes: Sequence[tuple[int, Part]]
) -> list[tuple[Event, int, Part]]:
    pairs = []
    for i, part in outcomes:
        if part.mark.kind in ("buy", "sell"):
            after = [e for e in events if e.index > i]
            if sentence.tokens[part.mark.start - 1].stem in ("be", "get"):  # "should be avoided"
                after = [e for e in events if e.index < i][-1:]
            if after:
                pairs.append((after[0], i, part))
            continue
        before: Sequence[Event] = [e for e in events if e.index < i or e.mark is part.mark]
        if part.mark.kind in ("relates_up", "relates_down") and not before:  # "a negative relation between ..."
            before = events[:1]
        last = max((j for j, _ in outcomes if j < i), default=-1)
        newer = [e for e in before if e.index > last and not e.gated]  # named since the last outcome: its own subject
        wanted = _wanted_end(sentence, i)
        subject = (
            _subject(newer, wanted) or _subject(before, wanted) or _subject([e for e in events if e.index > i], wanted)
        )
        if subject is not None:
            pairs.append((subject, i, part))
    return pairs


def _wanted_end(sentence: Sentence, i: int) -> Pole | None:
    """The end of a move that an outcome is said of: losers rebound, winners fall back, and what climbs on had risen."""
    kind = sentence.parts[i].mark.kind
    if kind in ("turn_up", "turn_down"):
        return "low" if kind == "turn_up" else "high"
    before = sentence.parts[i - 1] if i else None
    if before is not None and before.mark.kind == "go_on" and before.role == "outcome" and kind in MOVES:
        return MOVES[kind]
    after = sentence.parts[i + 1] if i + 1 < len(sentence.parts) else None
    if kind == "go_on" and after is not None and after.role == "outcome" and after.mark.kind in MOVES:
        return MOVES[after.mark.kind]
    return None


def _subject(events: Sequence[Event], wanted: Pole | None = None) -> Event | None:
    """The event that ranks: a price move before a state, the end that the outcome is said of before the other one,
    a free one before one behind "on" or "with", a return before where the price stands; the nearest."""
    return max(
        events,
        key=lambda e: (
            e.moves,
            not e.gated,
            wanted in (None, e.pole, "bare"),
            e.effect is None,
            e.name in (RETURN, RELATIVE, SECTOR),
            e.index,
        ),
        default=None,
    )


def _bare_effect(sentence: Sentence, events: Sequence[Event], assumptions: Sequence[str]) -> Claim:
    """A named effect is a whole claim; anything else without an outcome is not."""
    effects = [e for e in events if e.effect is not None]
    if effects and effects[0].negated:
        raise AskError("You deny an effect. Do you expect its opposite, or nothing at all?", "the opposite", "nothing")
    if len({e.name for e in effects}) > 1:
        raise AskError(f"I read two effects, {sentence.says(effects[0])} and {sentence.says(effects[1])}. Which?")
    moved = [e for e in events if e.effect is None and e.name == RETURN and e.mark.bars is None]
    if effects and moved and effects[0].name == RETURN:
        raise AskError(
            f"I read {sentence.says(effects[0])} and {sentence.says(moved[0])}, and not what the second says "
            "of the first. What do you expect to happen?",
            "it goes on as usual",
        )
    if effects:
        sign: Sign = 1 if effects[0].effect in ("continues", "high") else -1
        others = tuple(e for e in _gates(effects[0], events) if e.name != effects[0].name)
        return Claim(effects[0], _EFFECT_OUTCOME[str(effects[0].effect)], sign, others, tuple(assumptions))
    raise AskError(
        "What do you expect of these stocks: will they do better or worse than the others, rebound, or carry on?",
        "they outperform",
        "they underperform",
        "the move reverses",
        "the move goes on",
    )


_EFFECT_OUTCOME: dict[str, Outcome] = {"continues": "continues", "reverts": "reverts", "high": "up", "low": "down"}


def _gates(subject: Event, events: Sequence[Event]) -> Sequence[Event]:
    """Of a lead, laggards and leaders are who follows whom, and no gate."""
    return [e for e in events if subject.name != LEAD_LAG or e.name not in (RETURN, RELATIVE, SECTOR)]


def _conditions(
    sentence: Sentence, subject: Event, events: Sequence[Event], pairs: Sequence[tuple[Event, int, Part]]
) -> tuple[Event, ...]:
    claimed = {e.index for e, _, _ in pairs}
    ends = {e.pole for e, _, _ in pairs}
    rest = [
        e
        for e in _gates(subject, events)
        if e.index not in claimed and (e.name != subject.name or e.pole not in ends | {"bare"})
    ]
    for event in rest:
        if event.effect is not None and subject.name != event.name and not event.moves:
            raise AskError(f"I read an effect as a condition, {sentence.says(event)}. Which of its stocks do you mean?")
        if event.pole == "bare" and event.effect is None:
            raise AskError(f"Does the condition on {sentence.says(event)} mean high or low?", "high", "low")
        before = sentence.tokens[max(0, event.mark.start - 2) : event.mark.start]
        if event.mark.factor is None and any(t.text == "than" for t in before):
            raise AskError(f"Which measure ranks the stocks that are compared with {sentence.says(event)}?")
    return _once(sentence, rest)


def _once(sentence: Sentence, conditions: Sequence[Event]) -> tuple[Event, ...]:
    """A condition said twice is one ("smooth and steady"); both ends of one measure hold of no stock."""
    kept: list[Event] = []
    for event in conditions:
        same = [e for e in kept if e.name == event.name and not {e.mark.bars, event.mark.bars} - {None}]
        if any((e.pole == event.pole) == (e.negated != event.negated) for e in same):
            raise AskError(
                f"{sentence.says(same[0])} and {sentence.says(event)} contradict each other. Which stocks do you mean?"
            )
        if not any(e.mark.factor == event.mark.factor for e in same):
            kept.append(event)
    return tuple(kept)
