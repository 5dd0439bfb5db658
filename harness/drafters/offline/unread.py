"""Words that were not read: which of them may be passed over, and which lead to a question.

A word between what happened and what follows ("buyers step in and it climbs") tells how, and is passed over and
reported. A word before or behind both, beside the stocks or in a condition, may restrict or deny the claim,
and is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.drafters.offline.lexicon import Lexicon
from harness.drafters.offline.scene import MOVES
from harness.drafters.offline.sentence import EXAMPLES, AskError, Sentence

MAX_UNREAD = 2
_OPENERS = frozenset({"gate", "when", "neg", "skip_word", "rel"})
_NO_ADVERBS = frozenset(
    {"family", "early", "monopoly", "supply", "rely", "apply", "reply", "italy", "july", "ally", "fly"}
)


def unread_words(sentence: Sentence, lex: Lexicon) -> tuple[int, ...]:
    """Positions of content words that nothing covers; adverbs and words that carry no claim are none."""
    covered = _covered(sentence)
    return tuple(
        i
        for i, token in enumerate(sentence.tokens)
        if i not in covered
        and not token.is_stop
        and token.text != "1"  # "one"
        and token.stem not in lex.fillers
        and (len(token.text) > 1 or token.number is not None)
        and (not token.text.endswith("ly") or token.text in _NO_ADVERBS)
    )


def ask_about_unread(sentence: Sentence, unread: Sequence[int], lex: Lexicon) -> None:
    """Raises AskError for a word that may change the claim, for too many words, and for a denial of nothing."""
    tokens = sentence.tokens
    for i in unread:
        if _is_critical(sentence, i, lex):
            said = tokens[i].text
            raise AskError(
                f"I cannot read '{said}', and it may restrict the claim. "
                "Can you say it in terms of price, volume or time, or leave it out?",
                f"leave '{said}' out",
            )
    content = sum(1 for t in tokens if not t.is_stop)
    if len(unread) > MAX_UNREAD or len(unread) * 3 > content:
        said = ", ".join(repr(tokens[i].text) for i in unread[:4])
        raise AskError(f"I cannot read {said}. Can you say the claim in plainer words?", *EXAMPLES)
    for part in sentence.parts:
        if part.mark.kind == "neg" and part.role is None:
            raise AskError(
                f"I cannot tell what '{sentence.phrase(part.mark)}' denies. What do you expect to happen instead?"
            )


def _is_critical(sentence: Sentence, i: int, lex: Lexicon) -> bool:
    tokens, parts, covered = sentence.tokens, sentence.parts, _covered(sentence)
    read = [p.mark for p in parts if p.role is not None]
    if not read or not min(m.start for m in read) <= i < max(m.end for m in read):
        return True
    if tokens[i].stem in lex.meaningful:
        return True
    before = parts[covered[i - 1]].mark.kind if i - 1 in covered else None
    if (before == "event" and tokens[i].text not in ("above", "below")) or (
        before in MOVES and tokens[i - 1].tense == "ing"
    ):  # "calm funds", "rising margins"
        return True
    after = parts[covered[i + 1]].mark.kind if i + 1 in covered else None
    return after in ("subject", "winners", "losers") or _opener_before(sentence, i, covered) in _OPENERS


def _opener_before(sentence: Sentence, i: int, covered: Mapping[int, int]) -> str | None:
    """The kind of the last phrase before token `i` in its clause."""
    for j in range(i - 1, -1, -1):
        if sentence.tokens[j].is_stop:
            return None
        if j in covered:
            return sentence.parts[covered[j]].mark.kind
    return None


def _covered(sentence: Sentence) -> dict[int, int]:
    return {i: k for k, p in enumerate(sentence.parts) for i in range(p.mark.start, p.mark.end)}
