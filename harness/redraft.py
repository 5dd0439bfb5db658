"""One recorded research task done again, offline: a sentence, these skills, these bars, and the signal it ends in.

What research does between words and backtest, without its questions, its novelty and its records: draft, check, screen,
take the best. Pure in its arguments, so that skills can be changed and everything else held still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.check import check
from harness.drafters.offline.drafter import OfflineDrafter
from harness.screen import screen
from modules.panel import Panel
from skills.registry import Skill, load_skill, load_skills

CANDIDATES = 6


@dataclass(frozen=True)
class Redrafted:
    """What became of a sentence. `signal` None: nothing was drafted, or nothing passed its checks."""

    signal: str | None
    skill: str | None
    drafted: int
    passed: int
    looks: tuple[str, ...]
    """Every candidate that was looked at on the bars: each is a trial."""


def skills_with(folder: Path, texts: Mapping[str, str]) -> tuple[Skill, ...]:
    """The skills below `folder`, with `texts` (path from the checkout to content) in place of what stands there.

    Only a SKILL.md is read by the offline drafter; other texts of a skill change nothing here. Raises SkillError.
    """
    found = {skill.name: skill for skill in load_skills(folder)}
    for path, text in texts.items():
        parts = path.split("/")
        if len(parts) == 3 and parts[2] == "SKILL.md":
            found[parts[1]] = _parsed(parts[1], text)
    return tuple(found[name] for name in sorted(found))


def redraft(sentence: str, bars: Panel, skills: tuple[Skill, ...], *, seed: int, k: int = CANDIDATES) -> Redrafted:
    """The best candidate on `bars` by its screen; the first of equals. A sentence that is not read drafts nothing."""
    draft = OfflineDrafter(skills).draft(sentence, fields=frozenset(bars.fields), others=(), k=k, seed=seed)
    passed = [c for c in draft.candidates if check(c, bars, (), seed=seed).passed]
    looked = [(screen(c.expr, bars), c) for c in passed]
    best = max(looked, key=lambda pair: pair[0].score, default=None)
    return Redrafted(
        signal=best[1].expr if best is not None else None,
        skill=best[1].skill if best is not None else None,
        drafted=len(draft.candidates) + len(draft.rejected),
        passed=len(passed),
        looks=tuple(c.expr for c in passed),
    )


def _parsed(name: str, text: str) -> Skill:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name / "SKILL.md"
        path.parent.mkdir()
        path.write_text(text)
        return load_skill(path)
