"""Windows of time: how far back the event looks, what is skipped, how long the claim takes to pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.drafters.offline.lexicon import UNITS, Mark
from harness.drafters.offline.scene import Part
from harness.drafters.offline.sentence import LEAD_LAG, SECTOR, AskError, Event, Sentence

_TERMS = frozenset({"shortterm", "mediumterm", "longterm"})
_SHORTEST_LEAD = 21
_OBJECT_REACH = 2
_AGAINST_ITS_MEAN = frozenset({"volume", "range"})
_DATED = ("lookback", "lookback_word", "several")
_PLURAL_BARS = {"day": 5, "session": 5, "bar": 5, "week": 15, "month": 126, "quarter": 126, "year": 756}


@dataclass(frozen=True)
class Windows:
    """In bars, None where the text says nothing. `by_event` gives further events' own windows by part index."""

    horizon: int | None
    skip: int | None
    holding: int | None
    by_event: dict[int, int]
    assumptions: tuple[str, ...]


def read_windows(sentence: Sentence, subject: Event, others: Sequence[Event]) -> Windows:
    """Windows of the subject and of the other events: each window goes to the event next to it.

    Raises AskError where the subject gets two different windows, or one finer than a bar.
    """
    parts = sentence.parts
    assumptions: list[str] = []
    skip, used = _skips(parts)
    between = next((p.mark for p in parts if p.mark.kind == "ago_range" and p.mark.first_bars and p.mark.bars), None)
    if between is not None and between.first_bars is not None and between.bars is not None:
        return Windows(
            max(between.first_bars, between.bars), min(between.first_bars, between.bars), _holding(parts), {}, ()
        )
    events = [subject, *others]
    given: dict[int, list[tuple[int, Mark]]] = {}
    for i, part in enumerate(parts):
        to_come = _is_now(sentence, i) or _is_held(sentence, i)
        bars = None if i in used or to_come else _lookback(part.mark, sentence, assumptions)
        if bars is None:
            continue
        free = [
            e for e in events if e is subject or (e.mark.bars is None and not _is_beaten(subject, e))
        ]  # a measure with its own window takes no other
        owner = min(free, key=lambda e: (_distance(e.mark, part.mark, sentence), e.index))
        given.setdefault(owner.index, []).append((bars, part.mark))
    _drop_vague(given, sentence)
    own = dict.fromkeys(b for b, _ in given.get(subject.index, []))
    if subject.mark.bars is not None and own.keys() - {subject.mark.bars}:
        other = sentence.phrase(given[subject.index][0][1])
        raise AskError(
            f"I read two windows, '{other}' and {subject.mark.bars} bars in '{sentence.phrase(subject.mark)}', "
            "and the measure takes one. Which one?",
            *(f"{b} bars" for b in (*own, subject.mark.bars)),
        )
    if subject.mark.bars is not None:
        own = dict.fromkeys([subject.mark.bars])
    elif subject.mark.kind == "event" and subject.mark.n is not None and subject.mark.unit is None:
        own = dict.fromkeys([int(subject.mark.n)])  # "three down days": the count is the window
    if len(own) > 1:
        said = " and ".join(f"'{sentence.phrase(m)}'" for _, m in given[subject.index])
        raise AskError(f"I read two windows, {said}. Which one does the past move span?", *(f"{b} bars" for b in own))
    if not own:  # "no rebound after a bad week; the fall goes on": the same move, said before with its window
        same = (e for e in sentence.events() if e.name == subject.name and e.pole in ("bare", subject.pole))
        again = (e.mark.bars for e in same)
        own = dict.fromkeys([bars for bars in again if bars is not None][:1])
    if not own:
        own = dict.fromkeys(_day_named(sentence, subject))
    if subject.name == LEAD_LAG and list(own) == [1]:
        assumptions.append("the lag is one bar, and the window that measures it the skill's own")
        own = {}
    elif subject.name == LEAD_LAG and own and min(own) < _SHORTEST_LEAD:
        raise AskError(
            f"A lead of {min(own)} bars: I measure how far the others' move of one bar is followed on the next. "
            "Shall I test that?",
            "with a lag of one day",
        )
    elif subject.name in _AGAINST_ITS_MEAN and list(own) == [1]:
        assumptions.append(f"the {subject.name} of the bar, over the skill's own window for what is usual")
        own = {}
    horizon = next(iter(own), None)
    if horizon is not None and skip is not None and skip >= horizon:
        raise AskError(
            f"The skipped part ({skip} bars) is as long as the window ({horizon} bars). Which window do you mean?"
        )
    by_event = {e.index: e.mark.bars or given[e.index][0][0] for e in others if e.mark.bars or e.index in given}
    if horizon is not None:
        by_event |= {e.index: horizon for e in others if e.index not in by_event and _is_beaten(subject, e)}
    of_a_bar = {e.index for e in others if e.name in _AGAINST_ITS_MEAN and by_event.get(e.index) == 1}
    by_event = {index: bars for index, bars in by_event.items() if index not in of_a_bar}
    return Windows(horizon, skip, _holding(parts), by_event, tuple(assumptions))


def _is_beaten(subject: Event, other: Event) -> bool:
    """ "beat a rising sector over six months": what is beaten moved over the same window."""
    return subject.name == SECTOR and 0 <= other.mark.start - subject.mark.end <= _OBJECT_REACH


def _drop_vague(given: dict[int, list[tuple[int, Mark]]], sentence: Sentence) -> None:
    """ "short-term returns (one week)": the window in numbers is the one meant."""
    for index, windows in given.items():
        exact = [(b, m) for b, m in windows if sentence.tokens[m.end - 1].text not in _TERMS]
        given[index] = exact or windows


def _day_named(sentence: Sentence, subject: Event) -> tuple[int, ...]:
    """ "Monday's losers" fell on that day; "January losers" may have fallen in it or before it."""
    before = next(
        (p.mark for p in sentence.parts if p.mark.kind == "calendar" and p.mark.end == subject.mark.start), None
    )
    if before is None or not subject.moves:
        return ()
    if before.value.startswith("day_of_week"):
        return (1,)
    said = f"{sentence.phrase(before)} {sentence.phrase(subject.mark)}"
    raise AskError(f"Over which window are those the '{said}'?", "over the last month", "over the last year")


def _is_held(sentence: Sentence, i: int) -> bool:
    """ "keeps falling for months": how long it goes on, not how long it has."""
    start = sentence.parts[i].mark.start
    said = [p for p in sentence.parts[:i] if p.role is not None]
    after_for = "for" in {t.text for t in sentence.tokens[max(0, start - 2) : start]}
    return after_for and bool(said) and said[-1].role == "outcome" and not sentence.stopped(said[-1].mark.end, start)


def _is_now(sentence: Sentence, i: int) -> bool:
    """ "this month" beside "last month" is when the claim pays; alone it is the window so far."""
    mark = sentence.parts[i].mark
    said_now = mark.start > 0 and sentence.tokens[mark.start - 1].text == "this"
    if mark.kind != "lookback_word" or not (said_now or sentence.tokens[mark.start].text == "today"):
        return False
    others = (p.mark for j, p in enumerate(sentence.parts) if j != i)
    dated = ("winners", "losers")
    return any(m.kind in (*_DATED, "effect") or (m.kind in dated and m.unit is not None) for m in others)


def _skips(parts: Sequence[Part]) -> tuple[int | None, set[int]]:
    used: set[int] = set()
    skip = None
    for i, part in enumerate(parts[:-1]):
        follower = parts[i + 1].mark
        after = parts[i + 2].mark.kind if i + 2 < len(parts) else None
        left_out = follower.kind == "skip_word" and 0 <= follower.start - part.mark.end <= 2
        if part.mark.kind in _DATED and left_out and after not in _DATED:
            skip = part.mark.bars if part.mark.unit else int(part.mark.value or 21)  # "with the last month left out"
            used.add(i)
        if part.mark.kind == "skip_word" and follower.kind in _DATED and follower.start - part.mark.end <= 5:
            skip = follower.bars if follower.unit else int(follower.value or 21)
            used.add(i + 1)
    return skip, used


def _lookback(mark: Mark, sentence: Sentence, assumptions: list[str]) -> int | None:
    if mark.kind == "lookback":
        if sentence.tokens[mark.end - 1].text == "ago" and mark.bars is not None:
            assumptions.append(f"'{sentence.phrase(mark)}' is taken as the last {mark.bars} bars")
        return mark.bars
    if mark.kind == "lookback_word":
        word = sentence.tokens[mark.end - 1].text
        if word.endswith("s") and mark.end - mark.start == 1 and word[:-1] in _PLURAL_BARS:
            bars = _PLURAL_BARS[word[:-1]]
            assumptions.append(f"'{word}' is taken as {bars} bars")
            return bars
        if word in _TERMS:
            assumptions.append(f"'{word[:-4]} term' is taken as {mark.value} bars")
        return int(mark.value)
    if mark.kind == "several" and mark.unit in _PLURAL_BARS and UNITS[mark.unit]:
        word = sentence.tokens[mark.end - 1].text
        bars = _PLURAL_BARS[mark.unit] if word.endswith("s") else UNITS[mark.unit]
        if mark.unit in ("day", "session", "bar") and word.endswith("s"):
            bars = 5
        if word.endswith("s"):
            assumptions.append(f"'{sentence.phrase(mark)}' is taken as {bars} bars")
        return bars
    return None


def _distance(event: Mark, window: Mark, sentence: Sentence) -> int:
    if window.start >= event.end:
        gap, between = window.start - event.end, (event.end, window.start)
    else:
        gap, between = max(0, event.start - window.end), (window.end, event.start)
        gap += gap > 0  # "last week's losers" belong together; further off, what was said before the window is nearer
    # What happens next stands between cause and condition: a window before it belongs to what is before it.
    outcome = any(p.role == "outcome" and between[0] <= p.mark.start < between[1] for p in sentence.parts)
    return gap + (6 if sentence.stopped(*between) else 0) + (6 if outcome else 0)


def _holding(parts: Sequence[Part]) -> int | None:
    for part in parts:
        if part.mark.kind == "ahead" and part.mark.bars is not None:
            return part.mark.bars
        if part.mark.kind == "tomorrow":
            return 1
    return None
