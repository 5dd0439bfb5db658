"""Every fault of a set of skills at once: the format, the recipes in the language, and the words that lead to each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.drafters.offline.candidates import matching_skills
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.offline.lexicon import lexicon
from harness.drafters.port import Question, Reading, Refusal
from modules.signal import SignalError, parse
from skills.drafting import Drafting
from skills.lint import Fault, faults_of
from skills.registry import FOLDER, Skill, SkillError, load_skill


def lint(folder: Path = FOLDER) -> tuple[tuple[Skill, ...], tuple[Fault, ...]]:
    """The skills below `folder` that can be read, and every fault of any."""
    read: list[Skill] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*/SKILL.md")):
        try:
            read.append(load_skill(path))
        except SkillError as error:
            faults.append(Fault(path.parent.name, "file", str(error)))
    for skill in read:
        faults += faults_of(skill)
        if skill.drafting is not None:
            faults += _recipe_faults(skill, skill.drafting)
    return tuple(read), (*faults, *_word_faults(tuple(read)))


def _recipe_faults(skill: Skill, block: Drafting) -> Iterator[Fault]:
    span = block.horizon_bars
    for recipe in block.recipes:
        for h in dict.fromkeys((span.default, span.high)):
            yield from _parsed(skill, f"recipe {recipe.name!r}", recipe.expr.format(h=h, s=span.skip, g=h - span.skip))
    for end, gate in (("high", block.gates.high), ("low", block.gates.low)):
        if gate is not None:
            yield from _parsed(skill, f"gates.{end}", gate.format(x=f"{block.gates.factor:g}", w=block.gates.window))


def _parsed(skill: Skill, field: str, text: str) -> Iterator[Fault]:
    try:
        parse(text)
    except SignalError as error:
        yield Fault(skill.name, field, str(error))


def _word_faults(skills: tuple[Skill, ...]) -> Iterator[Fault]:
    """Two skills that give one phrase two meanings, and texts in `metadata.phrases` that lead to another skill."""
    try:
        lexicon(skills)
    except ValueError as error:
        yield Fault("two skills", "words", str(error))
        return
    drafter = OfflineDrafter(skills)
    for skill in skills:
        for text in skill.phrases if skill.drafting is not None else ():
            found = _led_to(drafter, text)
            if found != skill.name:
                yield Fault(
                    skill.name, "metadata.phrases", f"{text!r} leads to {found}; say it in the skill's own words"
                )


def _led_to(drafter: OfflineDrafter, text: str) -> str:
    match drafter.read(text):
        case Reading() as reading:
            return next((s.name for s, _ in matching_skills(reading, drafter.known)), "no skill")
        case Question(question=question):
            return f"a question ({question})"
        case Refusal(message=message):
            return f"a refusal ({message})"
