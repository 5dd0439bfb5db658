"""Words that bound, weaken or split a claim. The recipes rank by one end of one measure, so each is a question.

Passing such a word over would test another claim than the one made: "rebound less" is not "rebound".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.drafters.offline.scene import MOVES, Part
from harness.drafters.offline.sentence import EXAMPLES, LEAD_LAG, MARKET, AskError, Claim, Sentence
from harness.drafters.offline.untestable import ask_about_words
from harness.drafters.offline.words import Token

_FAINT = frozenset({"least", "slightly", "modestly", "mildly", "marginally", "barely", "hardly", "little"})
_WEAKER = frozenset({"less", "smaller", "weaker", "slower", "partially", "partly", "weakly", "least", "slightly"})
_ARTICLES = frozenset({"the", "a", "by", "very", "only", "just"})
_TURNS = frozenset({"turn", "turn_up", "turn_down", "go_on"})
_OPENERS = frozenset({"when", "skip_word"})
_ALONG = frozenset({"together", "along", "alongside"})
_STATES = frozenset(
    {"bear", "bull", "bearish", "bullish", "down", "up", "falling", "rising", "crashing", "rallying"}
    | {"volatile", "calm", "turbulent"}
)


def ask_about_limits(text: str, sentence: Sentence) -> None:
    """Raises AskError where the text bounds a size from above, counts days, means the whole market or one bar."""
    ask_about_words(text, sentence)
    _ask_about_market(sentence)
    _ask_about_all(sentence)
    _ask_about_peers(sentence)
    _ask_about_conditions(sentence)
    _ask_about_rivals(sentence)
    _ask_whose(sentence)
    _ask_about_either(sentence)
    for i, part in enumerate(sentence.parts):
        if part.role == "event" and part.mark.kind in MOVES:
            _ask_about_faint(sentence, part)
        if part.role == "outcome" and part.mark.kind in _TURNS:
            _ask_about_weakened(sentence, i)


def ask_about_crossing(claim: Claim, sentence: Sentence) -> None:
    """Raises AskError for "recovering from a drawdown continues": which of the two goes on is anybody's guess."""
    if claim.outcome not in ("continues", "reverts") or not claim.event.moves:
        return
    if any(p.role == "outcome" and p.mark.kind in ("move_up", "move_down") for p in sentence.parts):
        return  # "resume their climb" says which
    for event in claim.conditions:
        turning = {sentence.parts[i].mark.kind for i in (event.index, claim.event.index)} & {"turn_up", "turn_down"}
        if turning and event.moves and event.pole != claim.event.pole:
            said, other = sentence.phrase(event.mark), sentence.phrase(claim.event.mark)
            raise AskError(
                f"'{said}' and '{other}' move in opposite ways. Which one {claim.outcome[:-1]}s?",
                f"what is '{said}' now keeps rising" if event.pole == "high" else f"what is '{said}' now keeps falling",
                f"the {other} goes on",
            )


def _ask_about_market(sentence: Sentence) -> None:
    tokens = sentence.tokens
    if any(p.mark.event == LEAD_LAG for p in sentence.parts):  # there the market's move is the measure
        return
    for i, part in enumerate(sentence.parts):
        start = part.mark.start
        if part.mark.kind != "subject" or tokens[start].stem not in MARKET:
            continue
        before = sentence.parts[i - 1].mark if i else None
        opened = (
            before is not None
            and start - before.end <= 2
            and (before.kind in _OPENERS or (before.kind == "neg" and tokens[before.start].text == "unless"))
        )
        opened = opened or (before is not None and start - before.end <= 2 and tokens[before.start].text in _ALONG)
        read = before is not None and before.end >= start and sentence.parts[i - 1].role is not None
        state = start > 0 and tokens[start - 1].text in _STATES and not read
        if opened or state:
            first = before.start if opened and before is not None else start - 1
            said = " ".join(t.text for t in tokens[first : part.mark.end + (2 if opened else 0)])
            raise AskError(
                f"'{said}' is a state of the whole market, and conditions here are read stock by stock. "
                "Shall I test the claim without it?",
                "without it",
            )


def _ask_about_peers(sentence: Sentence) -> None:
    """ "stocks whose peers fell", "if their rivals fall", "rivals of winners": what others did is no measure here."""
    for part in sentence.parts:
        mark = part.mark
        if part.mark.kind != "peers" or sentence.tokens[mark.start].stem not in _PEERS:
            continue
        opener = next((t for t in reversed(sentence.tokens[: mark.start]) if t.text not in _THEIR), None)
        after = [t.text for t in sentence.tokens[mark.end : mark.end + 1]]
        if after == ["of"] or (opener is not None and opener.text in _IF | {"whose", "after", "while", "as"}):
            raise AskError(
                f"'{sentence.phrase(mark)}' did something here, and conditions are read stock by stock. "
                "Shall I test the claim without them?",
                "without them",
            )


_PEERS = frozenset({"peer", "rival", "competitor"})
_THEIR = frozenset({"their", "its", "the", "all", "most", "industry", "sector", "close", "closest", "nearest", "main"})


def _ask_about_conditions(sentence: Sentence) -> None:
    """ "rebound if their peers do": a condition in which nothing can be read."""
    for i, part in enumerate(sentence.parts):
        opener = sentence.tokens[part.mark.start].text
        if part.mark.kind not in ("when", "neg") or opener not in _IF:
            continue
        clause = [p for p in sentence.parts[i + 1 :] if not sentence.stopped(part.mark.end, p.mark.start)]
        if not any(p.role is not None or p.mark.kind in ("calendar", "percent") for p in clause):
            said = " ".join(t.text for t in sentence.tokens[part.mark.start : part.mark.end + 4])
            raise AskError(f"I cannot read the condition '{said}'. Shall I test the claim without it?", "without it")


_IF = frozenset({"if", "when", "whenever", "unless", "provided", "assuming", "once"})


def _ask_about_all(sentence: Sentence) -> None:
    """ "The market rebounds after a bad week": one series has no winners and losers."""
    named = [p.mark for p in sentence.parts if p.mark.kind == "subject"]
    marks = [p.mark for p in sentence.parts]
    beaten = any(sentence.is_market(a, b) for a, b in pairwise(marks))
    if not named or beaten or any(m.event for m in marks):
        return
    said = [sentence.phrase(m) for m in named if "return" not in sentence.phrase(m)]
    if said and all(sentence.tokens[m.start].stem in _WHOLE or p in _WHOLE for m, p in zip(named, said, strict=False)):
        raise AskError(
            f"'{said[0]}' is one series, and a signal compares stocks with each other. Which stocks?", *EXAMPLES
        )


_WHOLE = frozenset({"market", "index", "benchmark", "stock market", "wall street", "s p 500", "stock exchange"})


def _ask_about_rivals(sentence: Sentence) -> None:
    """ "Low volatility is better than momentum" ranks effects, not stocks."""
    for part in sentence.parts:
        before = [t.text for t in _before(sentence.tokens, part.mark.start, 2)]
        if part.mark.kind == "effect" and "than" in before:
            raise AskError(f"This compares effects, one of them '{sentence.phrase(part.mark)}'. Which shall I test?")


def _ask_whose(sentence: Sentence) -> None:
    """ "The winners of the lottery": winners of anything but a window or a market are none of ours."""
    for i, part in enumerate(sentence.parts):
        end = part.mark.end
        if part.mark.kind not in ("winners", "losers") or [t.text for t in sentence.tokens[end : end + 1]] != ["of"]:
            continue
        after = next((p.mark for p in sentence.parts[i + 1 :] if p.mark.start > end), None)
        near = after is not None and after.start - end <= _OWNER_REACH
        if not near or (after is not None and after.kind not in _OWNERS):
            said = " ".join(t.text for t in sentence.tokens[part.mark.start : end + 4])
            raise AskError(f"Whose are '{said}'? A signal ranks stocks, by what they did over some time.", *EXAMPLES)


_OWNERS = frozenset(
    {"lookback", "lookback_word", "several", "vague", "subject", "peers", "calendar", "ago_range", "target"}
)
_OWNER_REACH = 4


def _ask_about_either(sentence: Sentence) -> None:
    named = [p for p in sentence.parts if p.role == "event" and p.mark.kind not in ("neg", "go_on", "turn")]
    for one, two in pairwise(named):
        if one.negated and two.negated and one.mark.event == two.mark.event and one.mark.value != two.mark.value:
            raise AskError(
                f"Neither '{sentence.phrase(one.mark)}' nor '{sentence.phrase(two.mark)}' is the middle of a ranking; "
                "a signal buys one end and sells the other. Which end do you mean?"
            )
        between = [t.text for t in sentence.tokens[one.mark.end : two.mark.start]]
        if "or" in between and not sentence.stopped(one.mark.end, two.mark.start) and len(between) <= 3:
            raise AskError(
                f"'{sentence.phrase(one.mark)}' or '{sentence.phrase(two.mark)}': which of the two shall I test?",
                f"only '{sentence.phrase(one.mark)}'",
                f"only '{sentence.phrase(two.mark)}'",
            )


def _ask_about_faint(sentence: Sentence, part: Part) -> None:
    after = (t for t in sentence.tokens[part.mark.end : part.mark.end + 3] if t.text not in _ARTICLES)
    for token in (*_before(sentence.tokens, part.mark.start, 1), *list(after)[:1]):
        if token.text in _FAINT:
            said = sentence.phrase(part.mark)
            raise AskError(
                f"'{token.text}' with '{said}' names the middle of the ranking, and a signal buys one end of it and "
                "sells the other. Which end do you mean?",
                "stocks that fell the most",
                "stocks that rose the most",
            )


def _ask_about_weakened(sentence: Sentence, i: int) -> None:
    mark = sentence.parts[i].mark
    last = max((p.mark.end for p in sentence.parts[:i] if p.role is not None), default=0)
    before = _before(sentence.tokens, mark.start, min(4, mark.start - last))
    after = sentence.tokens[mark.end : mark.end + 2]
    weak = next(
        (t.text for words, near in ((_WEAKER | {"lower"}, before), (_WEAKER, after)) for t in near if t.text in words),
        None,
    )
    if weak is not None:
        also = "" if weak == "lower" else f" ('{weak}')"  # "lower" is how the normaliser writes the smaller, the weaker
        raise AskError(
            f"This says how strongly they '{sentence.phrase(mark)}'{also}, and a signal only tells who does better. "
            "Which stocks do better than the others?",
            "stocks that fell the most",
            "stocks that rose the most",
        )


def _before(tokens: Sequence[Token], start: int, count: int) -> Sequence[Token]:
    return tokens[max(0, start - count) : start]
