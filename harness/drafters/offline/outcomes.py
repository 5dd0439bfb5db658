"""What is claimed to follow, and the sign it gives the relation between a measure and the return to come."""

from __future__ import annotations

from harness.drafters.offline.scene import MOVES, Part
from harness.drafters.offline.sentence import RETURN, AskError, Event, Sentence
from harness.drafters.port import Outcome, Sign

_OUTCOME_OF: dict[str, Outcome] = {
    "turn": "reverts",
    "go_on": "continues",
    "buy": "up",
    "works": "up",
    "sell": "down",
    "relates_up": "up",
    "relates_down": "down",
    "weak": "down",
}


def outcome_of(part: Part) -> Outcome:
    kind = part.mark.kind
    outcome: Outcome = _OUTCOME_OF[kind] if kind in _OUTCOME_OF else "up" if MOVES[kind] == "high" else "down"
    opposite: dict[Outcome, Outcome] = {"reverts": "continues", "continues": "reverts", "up": "down", "down": "up"}
    return opposite[outcome] if part.negated else outcome


def sign_of(sentence: Sentence, event: Event, index: int, part: Part, assumptions: list[str]) -> Sign:
    said, kind = sentence.phrase(part.mark), part.mark.kind
    outcome = outcome_of(part)
    if part.negated:
        if kind in ("works", "weak") or event.effect is not None:
            raise AskError(
                f"You deny {sentence.says(event)}. Do you expect the opposite, or no effect at all?",
                "the opposite",
                "no effect",
            )
        assumptions.append(f"the denial of '{said}' is read as its opposite")
    if event.effect is not None:
        sign: Sign = 1 if event.effect in ("continues", "high") else -1
        if kind in ("works", "buy", "perform_up") or (kind == "turn_up" and event.name != RETURN):
            return sign
        if outcome in ("continues", "reverts") and event.moves:
            wanted: Sign = 1 if outcome == "continues" else -1
            if wanted == sign or kind == "go_on":
                return sign
        raise AskError(
            f"{sentence.says(event)} names an effect and '{said}' speaks against it. "
            "Do you expect the opposite, or a weaker effect?",
            "the opposite",
            "a weaker effect",
        )
    if outcome in ("continues", "reverts") and kind in ("turn", "go_on"):
        if not event.moves:
            raise AskError(
                f"'{said}' needs a price move, and {sentence.says(event)} is none. Do these stocks do better or worse?",
                "they outperform",
                "they underperform",
            )
        return 1 if outcome == "continues" else -1
    if kind in ("relates_up", "relates_down"):
        return 1 if (outcome == "up") == (event.pole != "low") else -1
    if event.pole == "bare":
        if kind in ("turn_up", "turn_down") and event.moves:
            return 1 if part.negated else -1
        raise AskError(
            f"Is it stocks with high or with low {sentence.phrase(event.mark)} that you mean by '{said}'?",
            "high",
            "low",
        )
    if kind in ("turn_up", "turn_down") and event.moves and MOVES[kind] == event.pole:
        way = "fallen" if kind == "turn_up" else "risen"
        raise AskError(
            f"'{said}' is said of stocks that have {way}, but {sentence.says(event)} speaks of the other end. "
            "Which do you mean?",
            f"{'losers' if kind == 'turn_up' else 'winners'} {said}",
            "they go on",
        )
    up = outcome == "up"
    return 1 if up == (event.pole == "high") else -1
