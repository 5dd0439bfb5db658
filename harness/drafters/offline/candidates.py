"""From a reading to signals: the matching skills' recipes, with windows, sign and conditions put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.drafters.offline.marketstate import MARKET_RETURN, MARKET_VOLATILITY, market_gate
from harness.drafters.port import Because, Candidate, Condition, Reading, Rejected
from modules.signal import SignalError, fields_of, format_signal, parse, signal_digest
from skills.drafting import Drafting, Recipe
from skills.registry import Skill, drafting_skills

MAX_TRIED = 60
OWN_HISTORY_BARS = 252
MADE_HERE = frozenset({"calendar", MARKET_RETURN, MARKET_VOLATILITY})
"""Events of conditions whose gates are no skill's."""


@dataclass(frozen=True)
class Drafted:
    """Candidates in order of fit, and those that cannot be had with the data."""

    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]
    missing: frozenset[str]
    skills: Mapping[str, str]


@dataclass(frozen=True)
class _Measure:
    """A recipe with its windows filled in."""

    skill: Skill
    drafting: Drafting
    recipe: Recipe
    text: str
    window_bars: int
    note: str


def matching_skills(reading: Reading, skills: Sequence[Skill]) -> list[tuple[Skill, Drafting]]:
    """Skills that answer the reading, best first: the named effect, the claim, the window, then the preference."""
    found = [(s, d) for s, d in drafting_skills(tuple(skills)) if _answers(reading, d)]
    agreeing = [(s, d) for s, d in found if _agreement(reading, d) > 0]
    fitting = [(s, d) for s, d in agreeing or found if _in_range(reading, d)]

    def order(pair: tuple[Skill, Drafting]) -> tuple[int, int, int, int, int, str]:
        skill, d = pair
        served = d.serves is not None and d.event != reading.event
        return (
            skill.name != reading.effect_of,
            served,
            d.event != reading.event,
            -_agreement(reading, d),
            -d.prefer,
            skill.name,
        )

    return sorted(fitting or agreeing or found, key=order)


def _answers(reading: Reading, drafting: Drafting) -> bool:
    if drafting.event == reading.event:
        return True
    if drafting.event == "relative_return" and reading.event == "return":
        return reading.relative == "peers"
    serves = drafting.serves
    return (
        serves is not None
        and serves.event == reading.event
        and any(c.event == serves.condition and c.pole == "high" for c in reading.conditions)
    )


def _agreement(reading: Reading, drafting: Drafting) -> int:
    wanted = {1: ("continues", "high"), -1: ("reverts", "low")}[reading.sign]
    return 2 if drafting.claim in wanted else 1 if drafting.claim == "any" or drafting.serves is not None else 0


def _in_range(reading: Reading, drafting: Drafting) -> bool:
    return (
        reading.horizon_bars is None or drafting.horizon_bars.low <= reading.horizon_bars <= drafting.horizon_bars.high
    )


def draft_candidates(
    reading: Reading, skills: tuple[Skill, ...], fields: frozenset[str], k: int, tried: frozenset[str] = frozenset()
) -> Drafted:
    """Up to `k` candidates, one of each canonical form and none in `tried`; higher signal = expected to go up.

    A candidate whose fields the data lack is rejected with the field named.
    """
    matched = matching_skills(reading, skills)
    gates, gate_notes = _gates(reading, skills)
    candidates: dict[str, Candidate] = {}
    rejected: dict[str, Rejected] = {}
    missing: set[str] = set()
    for looked_at, m in enumerate(_measures(reading, matched)):
        if len(candidates) == k or looked_at == MAX_TRIED:
            break
        size = _size_gate(reading, m.drafting, m.window_bars)
        text = _signal(reading, m.text, [*gates, *size])
        try:
            node = parse(text)
        except SignalError as error:
            rejected[text] = Rejected(expr=text, skill=m.skill.name, reason=f"the recipe does not parse: {error}")
            continue
        expr, digest = format_signal(node), signal_digest(node)
        if digest in tried:
            continue
        lacking = sorted(fields_of(node) - fields)
        if lacking:
            missing |= set(lacking)
            rejected[digest] = Rejected(expr=expr, skill=m.skill.name, reason=f"the data have no {', '.join(lacking)}")
            continue
        sized = (f"only where {size[0]} (the size of move said)",) if size else ()
        why = (
            f"read: {', '.join(reading.phrases)}",
            f"skill {m.skill.name}, recipe '{m.recipe.name}'{m.note}",
            *gate_notes,
            *sized,
        )
        because = Because(
            phrases=reading.phrases, skills=(f"{m.skill.name}: {m.recipe.name}",), sources=_sources(reading, m)
        )
        candidates.setdefault(
            digest,
            Candidate(expr=expr, skill=m.skill.name, recipe=m.recipe.name, why=why, digest=digest, because=because),
        )
    used = {s.name: s.digest for s, _ in matched}
    return Drafted(tuple(candidates.values()), tuple(rejected.values()), frozenset(missing), used)


def _sources(reading: Reading, measure: _Measure) -> tuple[str, ...]:
    """Keys of the published findings on this event that agree with the sign, those linked to the skill first."""
    from harness.literature.index import search

    events = frozenset({reading.event})
    found = search(events, sign=reading.sign, horizon_bars=measure.window_bars)
    agreeing = [s for s in found if s.says(events) == reading.sign]
    return tuple(s.key for s in sorted(agreeing, key=lambda s: measure.skill.name not in s.skills))


def _measures(reading: Reading, matched: Sequence[tuple[Skill, Drafting]]) -> Iterator[_Measure]:
    """Recipes with their windows filled: the best skill's first, then other windows where the text gave none."""
    for nth, (skill, drafting) in enumerate(matched):
        for h, note in _windows(reading, drafting)[: None if nth == 0 else 1]:
            for recipe in _ordered(reading, drafting):
                filled = _fill(recipe, drafting, h, _skip(reading, drafting, recipe, h), reading)
                if filled is not None:
                    yield _Measure(skill, drafting, recipe, filled, h, note)


def _windows(reading: Reading, drafting: Drafting) -> list[tuple[int, str]]:
    span = drafting.horizon_bars
    if reading.horizon_bars is not None:
        return [(reading.horizon_bars, f", window {reading.horizon_bars} bars as said")]
    others = [w for w in (span.default * 2, max(1, span.default // 2)) if span.low <= w <= span.high]
    usual = [(span.default, f", window {span.default} bars, the skill's own: the text gives none")]
    return usual + [(w, f", window {w} bars, tried because the text gives none") for w in others]


def _ordered(reading: Reading, drafting: Drafting) -> list[Recipe]:
    """A text that gives a window and no skip means the whole window; otherwise the skill's own order."""
    whole = reading.horizon_bars is not None and not reading.skip_bars
    return sorted(drafting.recipes, key=lambda r: r.skips and whole)


def _skip(reading: Reading, drafting: Drafting, recipe: Recipe, h: int) -> int:
    if reading.skip_bars is not None:
        return reading.skip_bars
    return drafting.horizon_bars.skip if recipe.skips and drafting.horizon_bars.skip < h else 0


def _fill(recipe: Recipe, drafting: Drafting, h: int, s: int, reading: Reading) -> str | None:
    if recipe.skips:
        if s == 0:
            return None  # nothing to skip: the recipe says the same as the plain one
        return recipe.expr.format(h=h, s=s, g=h - s)
    if reading.skip_bars and any(r.skips for r in drafting.recipes):
        return None  # the skill has a recipe of its own for that
    if reading.skip_bars:
        return f"delay({recipe.expr.format(h=h - s, s=s, g=h - s)}, {s})"
    return recipe.expr.format(h=h, s=s, g=h - s)


def _signal(reading: Reading, measure: str, gates: Sequence[str]) -> str:
    if reading.relative == "own history":
        measure = f"ts_zscore({measure}, {OWN_HISTORY_BARS})"
    signed = f"-({measure})" if reading.sign < 0 else measure
    if not gates:
        return f"rank({signed})"
    # Outside the condition the signal is the middle of the row: no opinion, rather than no data.
    return f"where({' and '.join(f'({g})' for g in gates)}, zscore({signed}), 0)"


def _gates(reading: Reading, skills: tuple[Skill, ...]) -> tuple[list[str], list[str]]:
    gates, notes = [], []
    for condition in reading.conditions:
        gate = condition.phrase if condition.event == "calendar" else _gate(condition, skills)
        gate = f"not ({gate})" if condition.negated else gate
        gates.append(gate)
        notes.append(f"only where {gate} ('{condition.phrase}')")
    return gates, notes


def _size_gate(reading: Reading, drafting: Drafting, window_bars: int) -> list[str]:
    """The size of move that the text asks for, on the skill's first plain measure."""
    plain = next((r for r in drafting.recipes if not r.skips), None)
    if reading.threshold is None or plain is None or not drafting.fraction:
        return []
    side = f"< -{reading.threshold:g}" if reading.pole == "low" else f"> {reading.threshold:g}"
    return [f"({plain.expr.format(h=window_bars, s=0, g=window_bars)}) {side}"]


def _gate(condition: Condition, skills: tuple[Skill, ...]) -> str:
    of_the_market = market_gate(condition)
    if of_the_market is not None:
        return of_the_market
    template, window, factor = gate_of(condition, skills)
    assert template is not None, "the reader asks where a condition has no gate"
    return template.format(x=f"{condition.factor or factor:g}", w=condition.window_bars or window)


def gate_of(condition: Condition, skills: tuple[Skill, ...]) -> tuple[str | None, int, float]:
    """Template, usual window and usual factor of a condition: the first skill of its event that has one."""
    for _, drafting in drafting_skills(skills):
        if drafting.event == condition.event:
            gate = drafting.gates.high if condition.pole == "high" else drafting.gates.low
            if gate is not None:
                return gate, drafting.gates.window, drafting.gates.factor
    return None, 0, 0.0
