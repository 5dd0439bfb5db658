"""States of the whole market: "in bear markets", "when the market fell last month", "unless volatility is high there".

Such a condition holds for all stocks of a bar or for none, so it is taken out of the sentence and read by itself; what
is left must be a claim on stocks. The market is the equal-weighted mean of the stocks in the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.drafters.offline.lexicon import Lexicon, Mark
from harness.drafters.offline.sentence import LEAD_LAG, AskError
from harness.drafters.offline.words import Token, normalise, tokens
from harness.drafters.port import Condition, Pole

MARKET_RETURN, MARKET_VOLATILITY = "market_return", "market_volatility"
_MEAN_RETURN = "cs_mean(returns(close, {w}))"
_MEAN_DAY = "cs_mean(returns(close, 1))"
_GATES: dict[tuple[str, Pole], str] = {
    (MARKET_RETURN, "high"): f"{_MEAN_RETURN} > {{x}}",
    (MARKET_RETURN, "low"): f"{_MEAN_RETURN} < -{{x}}",
    (MARKET_VOLATILITY, "high"): f"ts_std({_MEAN_DAY}, {{w}}) > ts_std({_MEAN_DAY}, 252)",
    (MARKET_VOLATILITY, "low"): f"ts_std({_MEAN_DAY}, {{w}}) < ts_std({_MEAN_DAY}, 252)",
}
_WINDOW_BARS, _LONG_BARS = 21, 252


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LOW = _set(
    "fall drop declin decline sink slid slide plung crash los lose tumbl tumble correct correction weak weaken weaker"
    " weakness down downtrend bear bearish slump slip selloff downturn drawdown negativ negative red poor bad retreat"
)
_HIGH = _set(
    "ris rise rally climb gain advanc advance up uptrend bull bullish strong strength surg surge recover recovery"
    " rebound jump soar upswing upturn boom positiv positive green good buoyant"
)
_WILD = _set(
    "volatil volatile volatility turbulent turbulence choppy jittery nervous stress stres panic unsettl turmoil stormy"
    " wild"
)
_CALM = _set("calm quiet tranquil placid sleepy steady")
_LONG = _set("bear bull bearish bullish")
_RAISED, _LOWERED = (
    _set("high elevat elevate ris rise spik spike up above increas increase"),
    _set("low subdu subdue fall down below"),
)
_MARKETS = _set("market index benchmark")
_NAMES = re.compile(r"\bs (and )?p 500\b|\bwall street\b|\bstock exchange\b")
_SETTING = re.compile(
    r"^(in|on|within) (the )?(stock|equity|share)s? (market|exchange)s? ?, ?"
    r"| (in|on|within) (the )?(stock|equity|share)s? (market|exchange)s?[ .]*$"
)
_KINDS = _set(
    "stock stocks equity share shares overall broad broader whole general entir entire wider aggregat aggregate"
)
_ARTICLES = _set("the a an our this")
_INTO = _set("in during amid amidst throughout through inside under over after following within")
_OPENERS = _set("when whenever while if after once following provided assuming given where as")
_DENIERS = _set("unless except outside")
_BESIDE = _set(
    "only just mainly mostly especially particularly but and even that long time times day days month months on"
    " at of in period periods"
)
_TAIL = _set(
    "condition conditions regime regimes environment environments phase phases period periods time times state"
    " states day days month months"
)
_IDLE = _set(
    "is are was were has have had been be being get gets becomes turn turned go goes went gone keep kept stay stayed"
    " trend trends trending trended move moving moved head heading headed going sell sells sold off selling did do does"
    " a an the by more than at least over in into during for through last past previous prior preceding it itself"
    " sharply strongly badly hard quite very already just heavily considerably of on within so far percent market level"
)
_KNOWN = _LOW | _HIGH | _WILD | _CALM | _RAISED | _LOWERED | _KINDS | _IDLE
_SWINGS = _set("volatility turbulence")
_SPANS = {"day": 1, "week": 5, "month": 21}


@dataclass(frozen=True)
class Staged:
    """A text without the clause on the market, and what that clause asks for."""

    rest: str
    condition: Condition
    assumption: str


def market_gate(condition: Condition) -> str | None:
    """The condition in the signal language; None where it is none of the market."""
    gate = _GATES.get((condition.event, condition.pole))
    if gate is None:
        return None
    text = gate.format(w=condition.window_bars, x=f"{condition.factor or 0.0:g}")
    return text.replace("< -0", "< 0") if not condition.factor else text


def without_setting(text: str) -> str:
    """The text without "in the stock market", which every claim here is set in."""
    plain = normalise(text)
    return _SETTING.sub("", plain) if _SETTING.search(plain) else text


def market_state(text: str, lexicon: Lexicon) -> Staged | None:
    """The state of the market that `text` makes a condition, if there is one that can be read.

    Raises AskError where there are several, for a signal that trades in two states is two claims.
    """
    words = tokens(_NAMES.sub("market", normalise(text)))
    marks = lexicon.scan(words)
    if any(m.event == LEAD_LAG for m in marks):  # there the market's move is the measure
        return None
    clauses = [c for at, w in enumerate(words) if w.stem in _MARKETS and (c := _clause(words, marks, at)) is not None]
    if not clauses:
        return None
    if len(clauses) > 1:
        said = "' and '".join(c.phrase(words) for c in clauses[:2])
        raise AskError(
            f"You name two states of the market, '{said}'. Which one shall I test?", clauses[0].phrase(words)
        )
    (clause,) = clauses
    left = (*words[: clause.start], *words[clause.end :])
    if any(a.text in _OPENERS and b.text in ("it", "they") for a, b in pairwise(left)):
        return None  # "..., not after it has gone down": it is the market
    condition = Condition(
        event=clause.event,
        pole=clause.pole,
        factor=clause.size,
        window_bars=clause.bars,
        negated=clause.denied,
        phrase=clause.phrase(words),
    )
    what = "return" if clause.event == MARKET_RETURN else "volatility, against that of a year,"
    assumption = f"the market is the mean of the data's stocks, its {what} taken over {clause.bars} bars"
    return Staged(" ".join(t.text for t in _tidied(left)), condition, assumption)


@dataclass(frozen=True)
class _Clause:
    start: int
    end: int
    event: str
    pole: Pole
    bars: int
    size: float | None
    denied: bool

    def phrase(self, words: Sequence[Token]) -> str:
        return " ".join(t.text for t in words[self.start : self.end] if not t.is_stop)


def _clause(words: Sequence[Token], marks: Sequence[Mark], at: int) -> _Clause | None:
    """The clause around the word "market": "in falling markets", "during a market crash", "if the market fell"."""
    first = at
    while first > 0 and words[first - 1].stem in _KINDS:
        first -= 1
    stated = first
    while stated > 0 and words[stated - 1].stem in _LOW | _HIGH | _WILD | _CALM | {"high", "low"}:
        stated -= 1
    if stated < first:
        end = at + 1 + (at + 1 < len(words) and words[at + 1].text in _TAIL)
        return _opened(words, stated, end, range(stated, first), marks, _INTO)
    clause_end = _clause_end(words, marks, at)
    return _opened(words, first, clause_end, range(at + 1, clause_end), marks, _OPENERS | _INTO)


def _opened(
    words: Sequence[Token],
    first: int,
    end: int,
    said: range,
    marks: Sequence[Mark],
    openers: frozenset[str],
) -> _Clause | None:
    """The clause from the word that opens it; None where nothing does, or where its words cannot all be read."""
    start = first
    while start > 0 and words[start - 1].text in _ARTICLES:
        start -= 1
    opener = start - 1
    while opener > 0 and words[opener].text not in openers | _DENIERS and words[opener].text in _BESIDE:
        opener -= 1
    if opener < 0 or words[opener].text not in openers | _DENIERS:
        return None
    denied = words[opener].text in _DENIERS
    while opener > 0 and words[opener - 1].text in _BESIDE | _DENIERS | {"not", "other", "than"}:
        opener -= 1
        denied = denied or words[opener].text in _DENIERS | {"not", "other"}
    state = _state(words, said, [m for m in marks if m.start in said and m.end <= end])
    if state is None:
        return None
    event, pole, bars, size = state
    days = next((_SPANS[t.stem] for t in words[opener:first] if t.stem in _SPANS), None)
    while end < len(words) and words[end].text in ("only", "alone"):
        end += 1
    usual = days or (_LONG_BARS if {words[i].stem for i in said} & _LONG else _WINDOW_BARS)
    return _Clause(opener, end, event, pole, bars or usual, size, denied)


def _clause_end(words: Sequence[Token], marks: Sequence[Mark], at: int) -> int:
    """Where what is said of the market ends: at a comma, or where stocks are spoken of."""
    stop = next((i for i in range(at + 1, len(words)) if words[i].is_stop), len(words))
    others = (m.start for m in marks if m.start > at and m.kind in ("subject", "winners", "losers", "effect"))
    return min([stop, *others])


def _state(
    words: Sequence[Token], said: range, marks: Sequence[Mark]
) -> tuple[str, Pole, int | None, float | None] | None:
    """What is said of the market: event, end, window and size; None where a word of it cannot be read."""
    window = next((m for m in marks if m.kind in ("lookback", "lookback_word", "several")), None)
    bars = None
    if window is not None:
        bars = window.bars or (int(window.value) if window.value.isdigit() else None)
        if bars is None:
            return None
    dated = range(window.start, window.end) if window is not None else range(0)
    tokens_said = [words[i] for i in said if i not in dated]
    if not all(t.number is not None or {t.stem, t.text} & _KNOWN for t in tokens_said):
        return None
    stems = {t.stem for t in tokens_said}
    if stems & _SWINGS:
        raised, lowered = stems & _RAISED, stems & _LOWERED
        if bool(raised) == bool(lowered):
            return None
        return MARKET_VOLATILITY, "high" if raised else "low", bars, None
    wild, calm, high, low = (bool(stems & s) for s in (_WILD, _CALM, _HIGH, _LOW))
    if wild + calm + high + low != 1:
        return None
    if wild or calm:
        return MARKET_VOLATILITY, "high" if wild else "low", bars, None
    return MARKET_RETURN, "high" if high else "low", bars, _size(tokens_said)


def _size(said: Sequence[Token]) -> float | None:
    """ "fell more than 5 percent"."""
    return next((a.number / 100 for a, b in pairwise(said) if a.number is not None and b.text == "percent"), None)


def _tidied(left: Sequence[Token]) -> list[Token]:
    """Without the commas that the clause leaves at the ends or side by side."""
    out: list[Token] = []
    for token in left:
        if not (token.is_stop and (not out or out[-1].is_stop)):
            out.append(token)
    while out and (out[-1].is_stop or out[-1].text in ("but", "and")):
        out.pop()
    return out
