"""Reads a hypothesis: a Reading, or the one Question that is open, or a Refusal. Never a guess in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from harness.drafters.offline.claims import read_claim
from harness.drafters.offline.lexicon import INTRADAY_UNITS, Lexicon, Mark, lexicon
from harness.drafters.offline.limits import ask_about_crossing, ask_about_limits
from harness.drafters.offline.marketstate import market_state, without_setting
from harness.drafters.offline.measures import with_ends
from harness.drafters.offline.mechanism import Claimed, without_reason
from harness.drafters.offline.roles import roles
from harness.drafters.offline.scene import Part
from harness.drafters.offline.seasons import with_seasons
from harness.drafters.offline.sentence import EXAMPLES, RELATIVE, RETURN, SECTOR, AskError, Claim, Event, Sentence
from harness.drafters.offline.times import Windows, read_windows
from harness.drafters.offline.unread import ask_about_unread, unread_words
from harness.drafters.offline.words import Token, normalise, tokens
from harness.drafters.port import Condition, Question, Reading, Refusal
from skills.registry import Skill, drafting_skills

MAX_CHARACTERS = 600
_INSTRUCTION = re.compile(
    r"ignore (all|any|the|your|previous|prior)|disregard (all|any|the|your|previous)|forget (everything|all|your)|"
    r"system prompt|you are now|as an ai|new instructions|jailbreak|<\||override |print your|reveal |"
    r"rm -rf|sudo |<script|https?://|import os|subprocess|exec\(|eval\(|\$\(|```|\{\{|drop table|/etc/|"
    r"delete from|insert into|select \* from|pretend |act as |role ?play|"
    r"api[ _-]?key|password|delete (all|the|every)|run the (command|following)|"
    r"approve (the|this|all|every)|merge (the|this)"
)
_NEEDS = {
    "earnings": "earnings or analysts' figures",
    "accounts": "company accounts",
    "dividends": "dividend and corporate-action records",
    "news": "news or sentiment",
    "holders": "holdings or short-interest records",
    "options": "option prices",
    "macro": "macroeconomic or non-market series",
    "size": "market capitalisation",
    "intraday": "intraday bars",
    "crossasset": "prices of other assets",
}
INTRADAY = _NEEDS["intraday"]


def read(text: str, skills: tuple[Skill, ...]) -> Reading | Question | Refusal:
    """What `text` claims, in the events that `skills` know.

    Every content word is either read, known to carry no claim, or reported in `unread`; a word that
    restricts the claim (in a condition, or right before the stocks) and is not read leads to a question.
    """
    refusal = _refuse_form(text)
    if refusal is not None:
        return refusal
    claimed = without_reason(text)
    if claimed.reason is not None:
        kinds = {m.kind for m in lexicon(skills).scan(tokens(claimed.reason))}
        starts_there = text.startswith(claimed.reason) and "outside" in kinds
        if starts_there or (not claimed.sure and "event" in kinds):
            claimed = Claimed(text)
    answer = _read_after_colon(text, claimed.claim, skills) or _read_claim(text, claimed.claim, skills)
    if claimed.reason is None or isinstance(answer, Reading):
        return answer
    whole = _read_claim(text, text, skills)  # what looked like a reason may restrict the claim
    return whole if isinstance(whole, Reading) and not whole.unread else answer


_RESTRICTING = frozenset(
    {"when", "gate", "skip_word", "calendar", "lookback", "percent", "several"} | {"denial", "outside"}
)


def _read_after_colon(text: str, claimed: str, skills: tuple[Skill, ...]) -> Reading | None:
    """What stands after a colon, where what stands before it restricts nothing, or claims the same."""
    head, colon, body = claimed.partition(":")
    if not colon:
        return None
    said = _read_claim(text, body, skills)
    if not isinstance(said, Reading):
        return None
    before = _read_claim(text, head, skills)
    if isinstance(before, Reading):
        return said if (before.event, before.sign) == (said.event, said.sign) else None
    words = tokens(head)
    marks = lexicon(skills).scan(words)
    restricts = any(m.kind in _RESTRICTING or m.kind == "neg" for m in marks)
    events = [m for m in marks if m.kind == "event"]
    return said if not restricts and (not events or _heads_the_same(words, events, marks, said)) else None


def _heads_the_same(words: Sequence[Token], events: Sequence[Mark], marks: Sequence[Mark], said: Reading) -> bool:
    """ "Idiosyncratic risk is punished: ...": the measure alone means much of it, and what is said of it must agree."""
    ends = {m.kind for m in marks if m.kind in ("perform_up", "perform_down")}
    if {(m.event, m.value) for m in events} != {(said.event, "bare")} or len(ends) != 1:
        return False
    return (said.sign > 0) == (ends == {"perform_up"})


def _read_claim(text: str, claimed: str, skills: tuple[Skill, ...]) -> Reading | Question | Refusal:
    """A claim on stocks, with the state of the market that it is to hold in, if it names one."""
    claimed = without_setting(claimed)
    try:
        staged = market_state(claimed, lexicon(skills))
    except AskError as ask:
        return Question(question=ask.question, defaults=ask.defaults)
    if staged is None:
        return _read_on_stocks(text, claimed, skills)
    answer = _read_on_stocks(text, staged.rest, skills)
    if not isinstance(answer, Reading):
        return answer
    return answer.model_copy(
        update={
            "conditions": (*answer.conditions, staged.condition),
            "phrases": (*answer.phrases, staged.condition.phrase),
            "assumptions": (*answer.assumptions, staged.assumption),
        }
    )


def _read_on_stocks(text: str, claimed: str, skills: tuple[Skill, ...]) -> Reading | Question | Refusal:
    lex = lexicon(skills)
    words = tokens(claimed)
    marks = _marks(words, lex)
    outside = next((m for m in marks if m.kind == "outside" or m.unit in INTRADAY_UNITS), None)
    if outside is not None:
        said = " ".join(t.text for t in words[outside.start : outside.end])
        return Refusal(
            reason="needs_other_data",
            message=f"'{said}' needs {_NEEDS.get(outside.value, INTRADAY)}, which price and volume bars do not hold; "
            "say it in terms of prices or volume",
        )
    sentence = Sentence(words, roles(words, marks), {d.event: d.moves for _, d in drafting_skills(skills)})
    unread = unread_words(sentence, lex)
    missed = tuple(words[i].text for i in unread)
    try:
        if not any(m.kind in ("subject", "winners", "losers", "event", "effect") for m in marks) and unread:
            raise AskError("Which stocks does this speak of, and what do you expect of them?", *EXAMPLES)
        if any(m.kind == "denial" for m in marks):
            raise AskError(
                "You deny a claim. Do you expect the opposite, or no effect at all? Say what you expect to happen.",
                *EXAMPLES,
            )
        ask_about_limits(claimed, sentence)
        claim = read_claim(sentence)
        ask_about_crossing(claim, sentence)
        ask_about_unread(sentence, unread, lex)
        windows = read_windows(sentence, claim.event, claim.conditions)
        return _reading(text, sentence, claim, windows, missed)
    except AskError as ask:
        return Question(question=ask.question, defaults=ask.defaults, unread=missed)


def _marks(words: Sequence[Token], lex: Lexicon) -> tuple[Mark, ...]:
    return with_seasons(with_ends(words, lex.scan(words)))


def _refuse_form(text: str) -> Refusal | None:
    plain = normalise(text)
    if not re.search(r"[a-z]{2}", plain):
        return Refusal(
            reason="not_a_hypothesis",
            message="the text has no English words; say in one sentence which stocks do what, and when",
        )
    if len(text) > MAX_CHARACTERS:
        return Refusal(
            reason="too_long",
            message=f"the text has {len(text)} characters; state the claim in at most {MAX_CHARACTERS}",
        )
    found = _INSTRUCTION.search(plain) or _INSTRUCTION.search(text.lower())
    if found:
        return Refusal(
            reason="instructions",
            message=f"'{found[0].strip()}' is an instruction or code, not a claim about prices; "
            "state only the hypothesis",
        )
    return None


def _reading(text: str, sentence: Sentence, claim: Claim, windows: Windows, unread: Sequence[str]) -> Reading:
    conditions = [_condition(sentence, e, windows) for e in claim.conditions]
    for condition in conditions:
        if condition.event == claim.event.name and condition.window_bars in (None, windows.horizon):
            raise AskError(
                f"I read both ends of one move as the event, one of them in '{condition.phrase}'. "
                "Which stocks do you mean?",
                *EXAMPLES,
            )
    conditions += [_calendar(sentence, i) for i, p in enumerate(sentence.parts) if p.mark.kind == "calendar"]
    _ask_about_two_dates(conditions)
    kinds = [p.mark.kind for p in sentence.parts]
    against = any(sentence.is_market(a, b) for a, b in pairwise([p.mark for p in sentence.parts]))
    relative = "peers" if "peers" in kinds or against else "own history" if "own" in kinds else None
    percent = next((p.mark.n for p in sentence.parts if p.mark.kind == "percent" and not _is_share(sentence, p)), None)
    if percent is None and "percent" in sentence.phrase(claim.event.mark):
        moved = claim.event.mark.kind in ("move_up", "move_down")  # "up more than 10%"; a top 10% is a quantile
        percent = claim.event.mark.n if moved else claim.event.mark.factor
    read_marks = [
        p.mark
        for p in sentence.parts
        if p.role is not None
        or p.mark.kind in ("lookback", "lookback_word", "several", "ahead", "peers", "own", "calendar")
    ]
    assumptions = [*claim.assumptions, *windows.assumptions]
    if windows.holding is not None and windows.holding > 1:
        assumptions.append(
            f"the claim pays over {windows.holding} bars; the signal is renewed every bar "
            "and the sizing stage decides how fast to trade"
        )
    against_sector = any(p.mark.kind == "peers" and sentence.says_sector(p.mark) for p in sentence.parts)
    event = SECTOR if against_sector and claim.event.name in (RETURN, RELATIVE) else claim.event.name
    if event == SECTOR:
        assumptions.append("peers are the stocks of the same sector; where the data name no sectors, all stocks")
    if unread:
        assumptions.append(f"not read, and taken to add nothing: {', '.join(unread)}")
    return Reading(
        text=text,
        event=event,
        pole=claim.event.pole,
        moves=claim.event.moves,
        outcome=claim.outcome,
        sign=claim.sign,
        horizon_bars=windows.horizon,
        skip_bars=windows.skip,
        holding_bars=windows.holding,
        threshold=percent / 100 if percent is not None else None,
        conditions=tuple(conditions),
        relative=relative,
        effect_of=claim.event.mark.value.split(":")[0] if claim.event.effect is not None else None,
        phrases=tuple(sentence.phrase(m) for m in read_marks),
        unread=tuple(unread),
        assumptions=tuple(assumptions),
    )


def _is_share(sentence: Sentence, part: Part) -> bool:
    """ "the 20% of stocks with ..." counts stocks; it is no size of a move."""
    return [t.text for t in sentence.tokens[part.mark.end : part.mark.end + 1]] == ["of"]


def _ask_about_two_dates(conditions: Sequence[Condition]) -> None:
    dates = [c.phrase for c in conditions if c.event == "calendar" and not c.negated]
    for name in ("day_of_week", "month"):
        said = [d for d in dates if d.split()[0] == name]
        if len(set(said)) > 1:
            raise AskError("You name two dates, and no bar has both. Which of the two shall I test?")


def _calendar(sentence: Sentence, i: int) -> Condition:
    """A calendar window; "except in January" leaves it out."""
    mark = sentence.parts[i].mark
    before = [p.mark for p in sentence.parts[:i] if mark.start - p.mark.end <= 3]
    return Condition(
        event="calendar",
        pole="high",
        negated=any(m.kind in ("neg", "skip_word") for m in before),
        phrase=mark.value,
    )


def _condition(sentence: Sentence, event: Event, windows: Windows) -> Condition:
    factor = event.mark.factor
    if factor is None:
        ahead = sentence.tokens[event.mark.end : event.mark.end + 5]
        factor = next((a.number for a, b in pairwise(ahead) if a.number is not None and b.stem == "tim"), None)
    return Condition(
        event=event.name,
        pole=event.pole,
        factor=factor,
        window_bars=windows.by_event.get(event.index),
        negated=event.negated,
        phrase=sentence.phrase(event.mark),
    )


def parts_of(text: str, skills: tuple[Skill, ...]) -> tuple[tuple[str, Part], ...]:
    """The phrases of a text with the roles they were given: what `--explain` and the tests look at."""
    words = tokens(text)
    return tuple(
        (" ".join(t.text for t in words[p.mark.start : p.mark.end]), p)
        for p in roles(words, _marks(words, lexicon(skills)))
    )
