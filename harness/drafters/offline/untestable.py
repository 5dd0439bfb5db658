"""Wordings that no signal can test as they stand, by pattern: counts, shares, odds, orders, persons, one bar."""

from __future__ import annotations

import re

from harness.drafters.offline.scene import MOVES
from harness.drafters.offline.sentence import EXAMPLES, AskError, Sentence
from harness.drafters.offline.words import normalise

_NEAR = 8
_UPPER = re.compile(
    r"\b(?:between \d+(?:\.\d+)?(?: percent)? and|less than|fewer than|under|up to|at most|not? more than)"
    r" \d+(?:\.\d+)? +percent"
    r"|\b(?:under|below|(?:less|fewer|not? more) than|at most|up to) (?:[2-9]|1\.\d|\d\d)\S* times\b"
    r"|\b\d+(?:\.\d+)? (?:percent )?(?:to |and )?\d+(?:\.\d+)? percent"
)
_COUNTS = r"\d+|two|three|four|five|six|seven|eight|nine|ten|most|some|all|many|several|half|both|each|any"
_COUNTED = re.compile(
    rf"\b(?:(?:{_COUNTS}) (?:out )?of the (?:last|past|previous) \w+|(?:each|every) (?:single )?(?:one )?(?:of the )?)"
    r" ?(?:days?|sessions?|weeks?|months?)\b"
)
_NUMBERS = r"\d+|once|twice|one|two|three|four|five|six|seven|eight|nine|ten"
_TIMES = re.compile(
    rf"\b(?:exactly|precisely|only) ?(?:{_NUMBERS}) ?(?:times|days|sessions)?\b"
    rf"|\b(?:fell|fallen|rose|risen|dropped|gained|declined|up|down) (?:\w+ )?(?:{_NUMBERS}) times\b"
    rf"|\b(?:{_NUMBERS}) times (?:in|during|within|over) the (?:last|past|previous)\b"
)
_MIDDLE = re.compile(
    r"\b(?:second|third|fourth|\d+(?:nd|rd|th)|middle|mid|median|moderate|inner)\b[\w ]{0,12}?"
    r"\b(?:deciles?|quintiles?|quartiles?|terciles?|percentiles?|buckets?|groups?|thirds?)\b"
    r"|\bmid ranked\b|\bmiddle of the\b"
    r"|(?<!above )(?<!below )\b(?:moderate|middling|average) (?:losers|winners|volatility|volume|beta|returns?)\b"
    r"|\bneither (?:rose|risen|fell|fallen|gained|lost|dropped|declined|moved|winners|losers|high|low|the)\b"
    r".{0,30}\bnor\b|\bboth extremes\b"
)
_OTHER_YIELD = re.compile(
    r"\b(?:sharpe|sortino|information|hit|win|success) (?:ratios?|rates?)\b"
    r"|\b(?:become|becomes|are|is|get|gets|grow|grows) (?:\w+ )?more volatile\b"
    r"|(?<!that )(?<!which )(?<!who )\b(?:become|becomes|are|is|get|gets) (?:\w+ )?"
    r"(?:riskier|safer|(?:more|less) risky)\b"
    r"|\bvariance\b.{0,12}\b(?:next|later|after)|"
    r"\b\bprofits? (?:from|of|on) \w+|(?:lower|smaller|larger|higher|deeper) drawdowns? (?:next|later|after|in the)"
)
_SHARE = re.compile(
    r"(?<!top )(?<!bottom )\b(?:half|most|some|many|few|majority|minority|fraction|a third|two thirds) of "
    r"(?:the |all |these )?(?:losers|winners|stocks|shares|names|them)\b"
    r"|\b(?:most|some|many|few|half the) (?:losers|winners)\b"
    r"|\b(?:probability|likelihood|odds)\b|\bpercent of the time\b"
    r"|\b(?:out of|in) (?:ten|10|a hundred) (?:cases|times)\b"
)
_YEARS = re.compile(r"\b(?:in|since|during|before|after|until|from) (?:the )?(?:19|20)\d\d(?:s)?\b")
_SOMETHING = re.compile(
    r"^(?:something|anything|stuff|a thing) (?:about|with|on|around)\b"
    r"|\b(?:only )?(?:sometimes|occasionally|at times)\b"
)
_RANGE = re.compile(
    r"(?<!next )(?<!following )(?<!subsequent )(?<!coming )(?<!within )(?<!skipping )\b(\d+) (?:to |or )(\d+) "
    r"(?:days?|sessions?|weeks?|months?|years?)\b(?! ago)"
)
_DATED = re.compile(
    r"\b(?:year|month|week|quarter) to date\b|\bytd\b|\bmtd\b|\bsince (?:the )?(?:start|beginning) of\b"
)
_LATE = re.compile(r"\b(?:into|towards?|before) the close\b|\bnear the end of the day\b|\bin the last hour\b")
_GOES = r"(?:go(?:es)?|(?:move|head|rise|climb|gain|fall|drop|sink)s?|rally|rallies)"
_ALL_DO = re.compile(
    rf"^(?:all |most )?(?:things|prices?|stocks?|shares?|markets?|everything|it|they) (?:\w+ly |always |often )?{_GOES}"
    rf"(?: up| down| higher| lower)?,? (?:(?:and|but|or|then) )+(?:then )?(?:they |it |later )?(?:then )?"
    rf"(?:(?:the |their )?(?:trading )?(?:volume|turnover|volatility|beta) )?{_GOES}\b"
)
_HIGH, _LOW = "(?:high|strong|big|large)(?:er|est)?", "(?:low|weak|small)(?:er|est)?"
_BOTH_ENDS = re.compile(rf"\b(?:{_HIGH} (?:or|as well as) {_LOW}|{_LOW} (?:or|as well as) {_HIGH})\b")
_EITHER_WAY = re.compile(r"\b(may|might|could|can|will|would|do|does) or (?:\1 not|not)\b")
_LESS = re.compile(
    r"\bthe less (?:a|the|it|they|its) ?(?:stock|share|price)?s? ?(?:has |have |had )?"
    r"(?:ris|rose|fall|fell|gain|drop|mov|climb|declin)"
)
_SYMBOLS = re.compile(r"[={}\[\]\\|^~<>`@#]")
_SALAD = re.compile(
    r"\b(\w{4,})(?: \1\b)+|\b(?:the|a|an|of|and|or|with|that|their|to)[.!]?$"
    r"|\b(?:the|a|an|their|its) (?:(?:of|in|is|are|was|were|to|over|that|and|or|with|from|by|have|has|had)\b"
    r"|(?:the|an?|on|at|for|than|do|does|did|be|been|will|would|if|when|because|who|which)\b|[,.;])"
    r"|\b(?:of|with|from|into|than|per) (?:(?:of|with|from|is|are|was|were|have|has|had)\b"
    r"|(?:to|and|or|if|when|because)\b|[,.;])"
    r"|\b(?:and|or|but) (?:and|or|of|than)\b|\b(?:is|are|was|were) (?:is|are|was|were|have|has|do|does|will|of|that)\b"
)
_WHO = re.compile(
    r"\b(?:i|we|he|she|you) (?:have |has |had |also |just )?"
    r"(?:lost|lose|won|win|fell|fall|rose|rise|gained|gain|dropped|drop)\b"
    r"|\b(?:i am|we are|he is|she is|you are|you were) (?:a |an |the )?(?:worst |best )?(?:loser|winner|stock)\b"
    r"|\b(?:my|your|his|her|our) (?:losers|winners|stocks?|shares?|portfolio|losses|gains|team|price)\b"
)
_ORDER = re.compile(
    r"^(?:please |can you |could you |would you )?"
    r"(?:write|give|tell|show|make|build|create|design|develop|generate|help|draft)\b"
    r"|^what (?:is|are|does|do|about|causes?|makes?|should|would|will)\b|^(?:why|how|who|where|which)\b.*\?$"
    r"|^(?:are|do|does|did|is|will|would|could|should|can|have|has) not\b.*\?$"
    r"|^(?:will|does|is|can|could|would|should) \w+(?: \w+)? (?:work|hold|pay|exist|last)\b"
)
_SAME_BAR = re.compile(
    r"\b(?:during|within|in|over|later in|through) the (?:same |trading )?(?:day|session)\b"
    r"(?! (?:after|following|to|that))"
    r"|\bby the (?:end of the (?:day|session)|close)\b|\b(?:on|in) the same (?:day|session)\b"
    r"|\bintraday\b|\bbefore the close\b"
)


_UNTESTABLE = (
    (_ALL_DO, "'{said}' is said of everything, and sets no stocks apart. Which stocks do it, and what follows?"),
    (_BOTH_ENDS, "'{said}' names both ends of one measure. Which of them do you mean?"),
    (_EITHER_WAY, "'{said}' leaves both ways open. Which of the two do you expect?"),
    (_DATED, "'{said}' is a window whose length changes with the date. Over how many days or months?"),
    (_LATE, "'{said}' looks inside a bar, and bars of a day are all there is. Do you mean the whole day?"),
    (_LESS, "'{said}' names the weaker half of a move. Which end do you mean, those that fell or those that rose?"),
    (_YEARS, "'{said}' is one stretch of history; a signal is tested on all of it. Shall it hold always?"),
    (_SOMETHING, "'{said}' leaves open what is claimed. Which stocks do what, and when?"),
    (_ORDER, "'{said}' asks or orders, and claims nothing. Which stocks do what, and when?"),
    (_SALAD, "'{said}' breaks the sentence, and I cannot tell what it claims. Can you say it in full?"),
    (_SYMBOLS, "'{said}' is no plain word. Can you say the claim in words?"),
    (
        _SHARE,
        "'{said}' speaks of how many or how often, and a signal ranks all stocks. Which do better than the others?",
    ),
    (_WHO, "'{said}' speaks of a person, not of stocks in general. Which stocks do what?"),
    (_TIMES, "'{said}' counts how often, and a signal ranks by how much. Which end of the ranking do you mean?"),
    (_MIDDLE, "'{said}' is the middle of a ranking; a signal buys one end and sells the other. Which end do you mean?"),
    (_OTHER_YIELD, "'{said}' speaks of something other than the return. Which stocks return more than the others?"),
)


def ask_about_words(text: str, sentence: Sentence) -> None:
    """Raises AskError for the first wording that is found."""
    plain = normalise(text)
    if found := _UPPER.search(plain):
        raise AskError(
            f"'{found[0]}' bounds the move from above, and I can only ask for moves of at least a size. "
            "Shall I test the claim without the bound?",
            "without it",
        )
    words = " ".join(t.text for t in sentence.tokens)
    if found := _RANGE.search(words):
        raise AskError(f"'{found[0]}' leaves the window open, and a measure takes one. Which one?", found[1], found[2])
    for pattern, problem in _UNTESTABLE:
        if found := pattern.search(plain):
            raise AskError(problem.format(said=found[0].strip()), *EXAMPLES)
    moved = any(p.mark.kind in MOVES and p.role == "event" for p in sentence.parts)
    if moved and (found := _COUNTED.search(plain)):
        raise AskError(
            f"'{found[0]}' counts bars that moved. Do you mean a streak, or the move over the whole window?",
            "stocks with 5 down days in a row rebound",
            "stocks that fell the most in the last 5 days rebound",
        )
    end = next((p.mark.end for p in sentence.parts if p.role == "outcome"), len(sentence.tokens))
    if found := _SAME_BAR.search(" ".join(t.text for t in sentence.tokens[end : end + _NEAR])):
        raise AskError(
            f"'{found[0]}' lies within one bar: a signal is known when its bar closes, and trades at the next one. "
            "Do you expect it over the bars that follow?",
            "over the next day",
        )
