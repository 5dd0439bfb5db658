"""Which part of a sentence is the cause (the event) and which the effect (the outcome).

"Stocks that fell last week rise": both verbs speak of prices; tense, clause and adverbs tell them apart.
Rules, first that fits:

1. winners, losers and skill phrases name events;
2. a verb with a time to come beside it ("rose the next day") is an outcome, one with a past time beside it an event;
3. left of "predicts", "leads to" is the event, right the outcome; "follows", "is preceded by" the other way round;
4. the first verb after "stocks that" is an event, and so is the first one after "when", "if", "after";
5. after "will", "tend to", "keep" comes an outcome;
6. past tense and participles are events, the plain present is an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.drafters.offline.denials import deny
from harness.drafters.offline.lexicon import Kind, Mark
from harness.drafters.offline.scene import AHEAD, BACK, MOVES, NOUNS, OUTCOMES, Part, Role, Scene
from harness.drafters.offline.words import Token

_SUBJECT_BEFORE_REL = frozenset({"subject", "winners", "losers", "event"})
_NOUN_BEFORE = frozenset(
    {
        "strongest",
        "biggest",
        "largest",
        "best",
        "worst",
        "steepest",
        "sharpest",
        "deepest",
        "heaviest",
        "greatest",
        "heavy",
        "severe",
        "a",
        "an",
        "the",
        "large",
        "big",
        "sharp",
        "sudden",
        "steep",
        "recent",
        "past",
        "huge",
        "strong",
        "last",
        "previous",
        "prior",
    }
)


def roles(tokens: Sequence[Token], marks: Sequence[Mark]) -> tuple[Part, ...]:
    """The marks with their roles and denials."""
    scene = Scene(tokens, marks)
    parts = [Part(mark, _role(scene, i)) for i, mark in enumerate(marks)]
    parts = _promote_last_past(scene, _promote_noun(scene, parts))
    return tuple(deny(scene, parts))


def _role(scene: Scene, i: int) -> Role | None:
    mark = scene.marks[i]
    if mark.kind in NOUNS:
        ahead = scene.near_before(i, AHEAD, 1) or (_of_returns(scene, mark) and scene.near_after(i, AHEAD, 2))
        return "outcome" if ahead or _becomes(scene, i) else "event"
    if mark.kind in ("event", "effect"):
        return "event"
    if mark.kind in ("buy", "sell") and _is_adjective(scene, mark):
        return None
    if mark.kind in ("works", "weak", "buy", "sell", "relates_up", "relates_down"):
        return "outcome"
    if mark.kind not in MOVES and mark.kind not in ("turn", "go_on"):
        return None
    by_clause = _role_by_clause(scene, i)
    if mark.kind in ("turn", "go_on"):
        # A turn is what is claimed, unless a clause says that it has happened.
        passive = _is_passive(scene, mark.start)
        return (
            by_clause
            if by_clause == "event" and scene.tokens[mark.start].tense == "past" and not passive
            else "outcome"
        )
    return by_clause


def _of_returns(scene: Scene, mark: Mark) -> bool:
    """ "the best returns afterwards"."""
    return scene.tokens[mark.end - 1].stem == "return"


def _is_passive(scene: Scene, start: int) -> bool:
    """ "is (not, usually) reversed"."""
    for token in reversed(scene.tokens[max(0, start - 3) : start]):
        if token.stem in ("be", "get"):
            return True
        if token.stem not in ("not", "never") and not token.text.endswith("ly"):
            return False
    return False


def _is_adjective(scene: Scene, mark: Mark) -> bool:
    """ "a long winning streak" is not bought."""
    before = scene.tokens[mark.start - 1].text if mark.start else ""
    return scene.tokens[mark.start].text in ("long", "short") and before in _ARTICLES


_ARTICLES = frozenset({"a", "an", "the", "its", "their", "very", "too", "as", "how"})


def _role_by_clause(scene: Scene, i: int) -> Role:
    mark, tense = scene.marks[i], scene.tokens[scene.marks[i].start].tense
    if scene.near_after(i, AHEAD, 3) or scene.near_before(i, frozenset({"ahead", "tomorrow"}), 2):
        return "outcome"
    if scene.near_before(i, frozenset({"will", "go_on"}), 3) and not _opened(scene, i, "rel"):
        return "outcome"
    if scene.near_after(i, BACK, 4) and tense != "base":
        return "event"
    split = _split_side(scene, i)
    if split is not None:
        return split
    if tense == "ing" and scene.near_before(i, frozenset({"neg"}), 0):  # "far from recovering, losers ..."
        return "outcome"
    if _opened(scene, i, "rel") or _opened(scene, i, "when"):
        return "event"
    if tense == "past":
        return "event"
    if tense == "ing" and scene.tokens[mark.end - 1].stem not in ("return", "performanc", "payoff"):
        return "event"
    named = any(m.kind in ("event", "effect", *NOUNS) or m.kind in OUTCOMES for m in scene.marks[:i])
    turns = mark.kind in (
        "turn_up",
        "turn_down",
    )  # "fell, then mount a comeback": a turn after an event is what follows
    if turns and scene.near_before(i, frozenset({"neg"}), 2):  # "do not expect a bounce"
        return "outcome"
    before = scene.tokens[mark.start - 1].text if mark.start else ""
    if before in _NOUN_BEFORE and mark.kind not in ("perform_up", "perform_down") and not (named and turns):
        return "event"
    if (scene.near_after(i, BACK, 4) and not named) or _dated_noun(scene, i):
        return "event"
    behind = scene.marks[i - 1] if i else mark
    near = mark.start - behind.end <= 2 and not scene.stopped(behind.end, mark.start)
    if behind.kind == "gate" and near and mark.kind in ("perform_up", "perform_down"):
        return "event"
    return "outcome"


_BEFORE_WINDOW = frozenset({"over", "in", "during", "for", "of", "within", "from", "through"})


def _becomes(scene: Scene, i: int) -> bool:
    """ "losers become winners"."""
    start = scene.marks[i].start
    return any(t.stem in ("becom", "into") for t in scene.tokens[max(0, start - 4) : start])


def _dated_noun(scene: Scene, i: int) -> bool:
    """ "Yesterday's gains fade": the first thing named, with its time right before it and a verb still to come."""
    named = any(m.kind in OUTCOMES or m.kind in ("event", "effect", *NOUNS) for m in scene.marks[:i])
    more = any(m.kind in OUTCOMES for m in scene.marks[i + 1 :])
    first = i == 0 and scene.marks[0].start <= 1 and scene.marks[0].kind not in ("perform_up", "perform_down")
    dated = i > 0 and scene.marks[i - 1].kind in BACK and scene.marks[i].start - scene.marks[i - 1].end <= 1
    if not more:
        return False
    return ((first or dated) and not named) or (dated and _is_possessed(scene, i) and _verb_follows(scene, i))


def _is_possessed(scene: Scene, i: int) -> bool:
    """ "its weekly gains", "last week's gains"; not "over the last week gains ..."."""
    start = scene.marks[i - 1].start
    return not {t.text for t in scene.tokens[max(0, start - 3) : start]} & _BEFORE_WINDOW


def _verb_follows(scene: Scene, i: int) -> bool:
    """ "..., its weekly gains fade": the claim follows at once."""
    for mark in scene.marks[i + 1 :]:
        if mark.kind in OUTCOMES:
            return mark.start - scene.marks[i].end <= 4 and not scene.stopped(scene.marks[i].end, mark.start)
        if mark.kind not in ("neg", "will", "soon", "vague"):
            return False
    return False


def _opened(scene: Scene, i: int, opener: Kind) -> bool:
    """Whether mark `i` is the first verb of a clause opened by "that" (after a noun) or by "when"."""
    for j in range(i - 1, -1, -1):
        mark = scene.marks[j]
        if mark.kind == opener:
            if opener == "rel" and _says_who(scene, j):
                return False
            if opener == "rel" and not (
                j and scene.marks[j - 1].kind in _SUBJECT_BEFORE_REL and scene.marks[j - 1].end >= mark.start - 2
            ):
                return False
            return scene.first_verb_since(i, j)
    return False


def _says_who(scene: Scene, j: int) -> bool:
    """ "losers are the ones that advance": what follows "that" is claimed of them."""
    start = scene.marks[j - 1].start if j else 0
    before = [t.stem for t in scene.tokens[max(0, start - 2) : start]]
    return j > 0 and scene.tokens[start].text in ("ones", "one", "those", "names", "stocks") and "be" in before


def _split_side(scene: Scene, i: int) -> Role | None:
    for j, mark in enumerate(scene.marks):
        if mark.kind == "split":
            return "event" if i < j else "outcome"
        if mark.kind == "split_back" and i != j:
            return "outcome" if i < j else "event"
    return None


def _promote_noun(scene: Scene, parts: list[Part]) -> list[Part]:
    """ "The outperformance of calm stocks", "reversal of last week's losers": the noun at the head is the claim."""
    if any(p.role == "outcome" for p in parts):
        return parts
    head = next((i for i, p in enumerate(parts) if p.role is not None), None)
    if head is None or parts[head].mark.kind not in OUTCOMES or parts[head].mark.start > _HEAD:
        return parts
    after = scene.tokens[parts[head].mark.end : parts[head].mark.end + 1]
    if [t.text for t in after] in (["of"], ["for"], ["in"], ["among"], ["after"]):
        parts[head] = replace(parts[head], role="outcome")
    return parts


_HEAD = 2


def _promote_last_past(scene: Scene, parts: list[Part]) -> list[Part]:
    """ "Stocks that fell the most rebounded": told in the past throughout, the last verb is what is claimed."""
    if any(p.role == "outcome" for p in parts):
        return parts
    verbs = [
        i for i, p in enumerate(parts)
        if p.role == "event" and p.mark.kind in MOVES and not _opened(scene, i, "rel") and not _opened(scene, i, "when")
        and not scene.near_after(i, BACK, 4)
    ]  # fmt: skip
    events = [i for i, p in enumerate(parts) if p.role == "event"]
    if (
        verbs
        and len(events) > 1
        and verbs[-1] == events[-1]
        and scene.tokens[parts[verbs[-1]].mark.start].tense == "past"
    ):
        parts[verbs[-1]] = replace(parts[verbs[-1]], role="outcome")
    return parts
