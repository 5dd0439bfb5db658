"""Puts a measure together with the words that say which end of it is meant, wherever they stand in its phrase.

"stocks whose volatility has been subdued", "the top fifth by six-month return", "a beta well above one": the skills
name the measure, and the words for its ends are the same for all measures (`ends.yaml`). A return is a measure like
any other where a past window is said beside it; with a time to come it is what the claim is about (`target`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.drafters.offline.ends import (
    ADJECTIVES,
    DEGREES,
    FUTURE,
    PAST,
    REACH,
    End,
    end_after,
    end_before,
    quantile,
    stems,
)
from harness.drafters.offline.lexicon import UNITS, Mark
from harness.drafters.offline.words import Token

_RETURNS = stems("returns")
_MOVES = stems("moves")
_WINDOWS = frozenset({"lookback", "lookback_word", "several"})
_REPLACED = frozenset({"event", "subject", "winners", "losers", "perform_up", "perform_down", "move_up", "move_down"})


def with_ends(tokens: Sequence[Token], marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks with measures, their ends and their windows put together; the order is that of the text."""
    out = [m for m in marks if not _splits_nothing(tokens, m)]
    out = [_bounded(tokens, m) for m in out]
    heads = [m for m in marks if m.kind == "event" and m.value in ("bare", "inverse")]
    for head in reversed(heads):
        if head in out:
            _settle(tokens, out, head, _coordinated(tokens, out, head))
    for i, token in enumerate(tokens):
        if token.text in ("up", "down") and _is_up_or_down(tokens, out, i):
            out.append(Mark("winners" if token.text == "up" else "losers", i, i + 1))
        if token.stem in _MOVES and token.tense == "base" and _return_at(tokens, out, i) is not None:
            _settle_move(tokens, out, i)
        if token.stem in _RETURNS and (head_ := _return_at(tokens, out, i)) is not None:
            _settle_return(tokens, out, head_)
    return tuple(_shared_measure(tokens, sorted(out, key=lambda m: m.start)))


def _bounded(tokens: Sequence[Token], mark: Mark) -> Mark:
    """ "volume is at most twice its average", "volume is half its average": below that multiple, not above it."""
    if mark.kind != "event" or mark.value != "high" or mark.factor is None:
        return mark
    said = [t.text for t in tokens[max(0, mark.start - 2) : mark.end]]
    if "times" not in said:
        return mark
    over = bool({"least", "more", "above", "over", "exceeds", "exceed", "exceeding", "exceeded"} & set(said))
    return replace(mark, value="low") if "most" in said or (mark.factor < 1.0 and not over) else mark


def _splits_nothing(tokens: Sequence[Token], mark: Mark) -> bool:
    """ "mean" and "precede" split cause from effect, but not in "its 20 day mean" and "the preceding month"."""
    word = tokens[mark.start]
    before = tokens[mark.start - 1] if mark.start else word
    averaged = word.text == "mean" and (before.stem in UNITS or before.text in _POSSESSIVE)
    return mark.kind == "split" and (averaged or word.text == "preceding")


_POSSESSIVE = frozenset({"its", "their", "the", "own", "long", "moving"})


def _coordinated(tokens: Sequence[Token], marks: Sequence[Mark], head: Mark) -> End | None:
    """ "both volume and volatility are high": the first measure shares the end of the second."""
    after = next((m for m in sorted(marks, key=lambda m: m.start) if m.start >= head.end), None)
    if after is None or after.kind != "event" or after.value not in ("high", "low"):
        return None
    joined = [t.text for t in tokens[head.end : after.start]] == ["and"]
    said_of_both = any(t.stem == "be" for t in tokens[after.start : after.end])
    return End(head.start, head.end, after.value == "high") if joined and said_of_both else None


def _settle(tokens: Sequence[Token], marks: list[Mark], head: Mark, shared: End | None) -> None:
    end = end_before(tokens, marks, head) or end_after(tokens, marks, head) or shared
    if end is None:
        return
    high = end.high != (head.value == "inverse")
    span = replace(head, start=min(head.start, end.start), end=max(head.end, end.end), value="high" if high else "low")
    _put(marks, _with_window(span, marks))


def _return_at(tokens: Sequence[Token], marks: Sequence[Mark], i: int) -> Mark | None:
    """The word "return" at token `i`, unless a longer phrase has read it already."""
    over = next((m for m in marks if m.start <= i < m.end), None)
    if over is not None and over.kind != "subject":
        return None
    return Mark("event", i, i + 1, "return", "bare")


def _is_up_or_down(tokens: Sequence[Token], marks: Sequence[Mark], i: int) -> bool:
    """ "stocks up over the past year", "and down over the past week": with a window beside it and no verb before."""
    if any(m.start <= i < m.end for m in marks) or _time_after(tokens, marks, i + 1) != "past":
        return False
    before = next((m for m in marks if m.end == i), None)
    return i == 0 or (before is not None and before.kind == "subject") or tokens[i - 1].text in _BEFORE_STATE


_BEFORE_STATE = frozenset({"are", "is", "were", "was", "be", "been", "and", "but", "both", "that", ",", "sharply"})


def _settle_move(tokens: Sequence[Token], marks: list[Mark], i: int) -> None:
    """ "last week's move", "big moves over three days": a return with no end named."""
    first, past, future = _phrase_before(tokens, i)
    if not future and (past or _time_after(tokens, marks, i + 1) == "past"):
        _put(marks, _with_window(Mark("event", first, i + 1, "return", "bare"), marks))


def _settle_return(tokens: Sequence[Token], marks: list[Mark], head: Mark) -> None:
    first, past, future = _phrase_before(tokens, head.start)
    after = _time_after(tokens, marks, head.end)
    future = future or (after == "future" and not past)
    end = end_before(tokens, marks, head) or end_after(tokens, marks, head)
    if end is None and _is_predicted(tokens, marks, first):
        future = True
    if future:
        if end is None:
            _put(marks, Mark("target", first, head.end))
        elif end.end <= head.end:
            _put(marks, Mark("perform_up" if end.high else "perform_down", min(first, end.start), head.end))
        return
    if not past and after != "past":
        return
    if end is None:
        _put(marks, _with_window(replace(head, start=first), marks))
        return
    span = Mark("winners" if end.high else "losers", min(first, end.start), max(head.end, end.end))
    _put(marks, _with_window(span, marks))


def _is_predicted(tokens: Sequence[Token], marks: Sequence[Mark], start: int) -> bool:
    """ "predicts its return this month"."""
    return any(m.kind == "split" and 0 <= start - m.end <= 2 for m in marks)


def _phrase_before(tokens: Sequence[Token], start: int) -> tuple[int, bool, bool]:
    """Where the noun phrase of a return begins, and whether a past or a coming time is said in it."""
    i, past, future = start, False, False
    while i > 0 and start - i < REACH:
        word = tokens[i - 1]
        if word.stem in UNITS or word.stem in PAST or word.text in ADJECTIVES:
            past = True
        elif word.stem in FUTURE:
            future = True
        elif word.number is None and word.stem not in DEGREES:
            break
        i -= 1
    return i, past and not future, future


def _time_after(tokens: Sequence[Token], marks: Sequence[Mark], end: int) -> str:
    """ "return over the past six months" is past, "return of the month after" is to come."""
    near = [m for m in marks if end <= m.start <= end + 4]
    if any(t.is_stop for t in tokens[end : end + 1]):
        return ""
    for mark in near:
        if any(t.is_stop for t in tokens[end : mark.start]):
            return ""
        if mark.kind in ("ahead", "tomorrow", "soon"):
            return "future"
        if mark.kind in _WINDOWS or mark.kind == "ago_range":
            return "past"
        if mark.kind not in ("gate", "vague"):
            return ""
    return ""


def _with_window(span: Mark, marks: Sequence[Mark]) -> Mark:
    """The window said inside a phrase is the measure's own."""
    inner = [m for m in marks if m.kind in _WINDOWS and span.start <= m.start and m.end <= span.end]
    if not inner or (inner[0].kind == "several" and inner[0].unit not in UNITS):
        return span
    window = inner[0]
    if window.kind in ("lookback", "several"):
        return replace(span, n=window.n or 1.0, unit=window.unit)
    return replace(span, n=float(window.value), unit="day")


def _put(marks: list[Mark], span: Mark) -> None:
    """`span` in place of what it covers; negations and what reaches beyond it stay."""
    inside = [m for m in marks if span.start <= m.start and m.end <= span.end]
    marks[:] = [m for m in marks if m not in inside]
    crossing = [m for m in marks if m.start < span.end and m.end > span.start]
    if any(m.kind not in _REPLACED for m in crossing):
        marks.extend(inside)  # a phrase that reaches beyond is better read as it was
        return
    marks[:] = [m for m in marks if m not in crossing]
    marks.extend(replace(m, start=span.start, end=span.start) for m in inside if m.kind == "neg")
    marks.append(span)


def _shared_measure(tokens: Sequence[Token], marks: list[Mark]) -> list[Mark]:
    """ "The top decile of volatility lags the bottom one": a quantile with no measure is of the measure said before."""
    said: Mark | None = None
    out = []
    for mark in marks:
        found = quantile(tokens, mark.start) if mark.kind in ("winners", "losers") else None
        if mark.kind == "event" and any(quantile(tokens, i) for i in range(mark.start, mark.end)):
            said = mark
        elif said is not None and found is not None and found.end >= mark.end:
            mark = replace(said, start=mark.start, end=mark.end, value="high" if found.high else "low")
        out.append(mark)
    return out
