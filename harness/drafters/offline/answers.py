"""What a hypothesis says once its open questions are answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from harness.drafters.port import Answered, Question, Reading, Refusal

Read = Callable[[str], Reading | Question | Refusal]

_LEAVE_OUT = re.compile(r"(?:leave|drop) '(?P<words>[^']+)' out|without '(?P<other>[^']+)'")


def settled(text: str, answers: Sequence[Answered], read: Read) -> str:
    """The hypothesis with each answer worked in: the first wording that can be read, else the one that asks least.

    An answer may be one of those offered, a whole hypothesis of its own, or words to add to the text.
    """
    for answered in answers:
        asked = read(text)
        if not isinstance(asked, Question):
            break
        text = _worked_in(text, asked, answered.answer.strip(), read)
    return text


def _worked_in(text: str, asked: Question, answer: str, read: Read) -> str:
    wordings = list(_wordings(text, asked, answer))
    return next((w for w in wordings if isinstance(read(w), Reading)), wordings[-1] if wordings else text)


def _wordings(text: str, asked: Question, answer: str) -> list[str]:
    """Ways to put the answer into the text, the likeliest first; the last keeps all that was said."""
    found = [new for offered, new in zip(asked.defaults, asked.rewordings, strict=False) if offered == answer]
    left_out = _LEAVE_OUT.search(answer)
    dropped = (left_out["words"] or left_out["other"]) if left_out else None
    if answer == "without it":
        dropped = next(iter(re.findall(r"'([^']+)'", asked.question)), None)
    if dropped:
        found.append(_without(text, dropped))
        return found
    said = text.strip().rstrip(".!?")
    return [*found, answer, f"{said} {answer}", f"{said}, {answer}"] if answer else found


_JOINING = r"[,;]?\s*(?:\b(?:when|if|but only|only|and|while|where|with|on|in|during|after|by)\s+)*"


def _without(text: str, words: str) -> str:
    """`text` less a phrase; the joining word before it goes with it."""
    phrase = r"\s+".join("(?:percent|%)" if w == "percent" else re.escape(w) for w in words.split())
    cut = re.sub(_JOINING + phrase, " ", text, count=1, flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", cut).strip()
