"""What a denial denies: the next event or outcome of its clause, and not whatever comes further on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.drafters.offline.lexicon import Mark
from harness.drafters.offline.scene import BACK, Part, Scene


def _denies(parts: Sequence[Part], i: int) -> bool:
    """ "except on high volume": a word that leaves something out denies it, unless it leaves out a time."""
    after = parts[i + 1].mark.kind if i + 1 < len(parts) else None
    before = parts[i - 1].mark.kind if i else None
    return parts[i].mark.kind == "skip_word" and after not in BACK and before not in BACK


def _denies_another(scene: Scene, neg: Mark, target: Mark) -> bool:
    """ "fell for no reason rebound": "no" denies the noun behind it, and no verb further on."""
    between = scene.tokens[neg.end : target.start]
    return scene.tokens[neg.start].text == "no" and any(t.stem not in _QUALIFIERS for t in between)


_QUALIFIERS = frozenset(
    {"such", "further", "real", "more", "quick", "strong", "big", "significant", "lasting", "last", "sharp", "large"}
    | {"subsequent", "immediat", "long", "short", "evident", "clear", "sign", "of", "tendency", "tendenc", "to", "a"}
)


def deny(scene: Scene, parts: list[Part]) -> list[Part]:
    """Each denial flips the next event or outcome of its clause; two flip it back."""
    out = list(parts)
    for i, part in enumerate(parts):
        if part.mark.kind != "neg" and not _denies(parts, i):
            continue
        for j in range(i + 1, len(parts)):
            target = parts[j]
            if target.mark.start - part.mark.end > 5 or scene.stopped(part.mark.end, target.mark.start):
                break
            if target.role is not None:
                if _denies_another(scene, part.mark, target.mark):
                    break
                out[j] = replace(out[j], negated=not out[j].negated)
                if (
                    target.mark.kind == "go_on"
                    and j + 1 < len(parts)
                    and parts[j + 1].role == "outcome"
                    and parts[j + 1].mark.start <= target.mark.end + 2
                ):
                    out[j + 1] = replace(out[j + 1], negated=not out[j + 1].negated)
                out[i] = replace(out[i], role="event")  # used: marks the denial as read
                break
    return [replace(p, role=None) if p.mark.kind == "neg" and p.role is None else p for p in out]
