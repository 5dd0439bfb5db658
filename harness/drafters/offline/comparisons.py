"""What a claim is compared with: the other end of the same measure says nothing new, another measure is a question."""

from __future__ import annotations

from harness.drafters.offline.scene import Part
from harness.drafters.offline.sentence import AskError, Event, Sentence


def without_comparators(
    sentence: Sentence, events: list[Event], outcomes: list[tuple[int, Part]]
) -> tuple[list[Event], list[tuple[int, Part]]]:
    """ "A outperforms B", "rather than B": B is the other end of the same event and says nothing new."""
    kept = list(events)
    for i, part in outcomes:
        if part.mark.kind not in ("perform_up", "perform_down", "turn_up"):
            continue
        before = [e for e in events if e.index < i]
        for rival in [e for e in events if e.index > i and e.effect is not None][:1]:
            if rival.mark.start - part.mark.end <= 2:
                raise AskError(f"Comparing with {sentence.says(rival)} compares two effects. Which one shall I test?")
        for after in [e for e in events if e.index > i][:1]:
            between = sentence.tokens[part.mark.end : after.mark.start]
            always = ("when", "split", "neg", "skip_word")
            openers = always if part.mark.kind == "turn_up" else (*always, "gate")
            opened = any(p.mark.kind in openers for p in sentence.parts[i + 1 : after.index])
            left_out = any(p.mark.kind == "skip_word" for p in sentence.parts[i + 1 : after.index])
            # "... than shares whose swings are big", "beat stocks with ..."
            kinds = {p.mark.kind for p in sentence.parts[i + 1 : after.index]}
            named = "subject" in kinds and "when" not in kinds
            if not left_out and (named or any(t.text in ("than", "those", "ones") for t in between)):
                opened = False
            if opened or any(t.is_stop or t.stem in ("and", "while", "but", "whil") for t in between):
                continue
            same = [e for e in before if e.name == after.name]
            if part.mark.kind == "turn_up" and not same:
                continue
            if before and not same:
                raise AskError(
                    f"I read a comparison of {sentence.says(before[-1])} with {sentence.says(after)}, two things. "
                    "Which one ranks the stocks?",
                    f"{sentence.phrase(before[-1].mark)}",
                    f"{sentence.phrase(after.mark)}",
                )
            if same and same[-1].pole == after.pole and after.pole != "bare":
                raise AskError(
                    f"{sentence.says(same[-1])} and {sentence.says(after)} name the same end. "
                    "What is compared with what?"
                )
            if same and after in kept:
                kept.remove(after)
    return kept, outcomes
