"""Tells a claim from the reason given for it: "losers rebound because investors overreact" claims that losers rebound.

A reason is taken off only where it is marked as one (because, owing to, so, which is why) and, where the mark is
also used for conditions (since, as), where it speaks of people. It decides nothing and is kept as the mechanism.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PEOPLE = (
    r"(?:(?:the|most|many|some|all|other|retail|professional|small|forced|panicked|panicking|nervous|impatient|lazy|slow|"
    r"institutional|fund|portfolio|mutual|hedge|liquidity|noise|momentum|individual|overconfident|risk averse) )*"
    r"(?:investors?|traders?|people|funds?|managers?|sellers?|buyers?|holders?|owners?|speculators?|gamblers?|crowds?|"
    r"herds?|humans?|everyone|everybody|nobody|dealers?|market makers?|arbitrageurs?|providers?|suppliers?|"
    r"intermediaries|brokers?|households?|newcomers?|bulls|bears|punters?|public|"
    r"institutions|attention|sentiment|money|they|it takes|information|optimism|pessimism|greed|fear|panic)"
)
_PROVERB = re.compile(
    r"^(?:do(?:n['’]t| not) (?:try to )?catch (?:a )?falling kni(?:fe|ves)|"
    r"let (?:your )?winners run|cut (?:your )?losses|"
    r"buy the dips?|sell the rips?|strength begets strength|the trend is your friend|what goes up must come down|"
    r"never catch a falling knife)\s*[:;,.\-]+\s*(?=\S)",
    re.IGNORECASE,
)
_LEADING = re.compile(
    rf"^(?:(?:because|owing to|due to|thanks to)\b|(?:since|as|given that|seeing that) (?={_PEOPLE}\b))"
    r"(?P<reason>[^,;:]{3,160}),\s*(?P<claim>\S.{8,})$",
    re.IGNORECASE | re.DOTALL,
)
_SO = re.compile(
    rf"^(?P<reason>{_PEOPLE}\b[^,;:.]{{3,160}})[,;.:]\s*(?:and )?(?:so|hence|therefore|thus|consequently|as a result|"
    r"which is why|that is why|this is why|which means(?: that)?)\b,?\s*(?P<claim>\S.{8,})$",
    re.IGNORECASE | re.DOTALL,
)
_PEOPLE_DO = re.compile(
    rf"^(?:my (?:hunch|view|theory|guess|hypothesis) is that )?"
    rf"(?P<reason>{_PEOPLE}\b[^,;:.]{{3,160}}):\s*(?P<claim>\S.{{8,}})$",
    re.IGNORECASE | re.DOTALL,
)
_TRAILING = re.compile(
    rf"^(?P<claim>.{{8,}}?)[,;:]?\s+(?:because(?! of)|(?:due|owing|thanks) to|because of|on account of|as a result of|"
    rf"for the (?:simple )?reason that|the reason being(?: that)?|"
    rf"(?P<unsure>(?<!long )(?<!soon )(?<!far )(?<!much )(?:since|as|for|while)) (?={_PEOPLE}\b))"
    r"\s*(?P<reason>\S.{3,160})$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Claimed:
    """A text without its reason, and the reason in its own words (None where none is marked)."""

    claim: str
    reason: str | None = None
    sure: bool = True
    """False where the mark may as well open a condition ("as", "since", "while"): then a measure in it is a gate."""


def without_reason(text: str) -> Claimed:
    """`text` split into claim and reason; a text without a marked reason is all claim."""
    plain = _PROVERB.sub("", text.strip())
    for pattern in (_LEADING, _SO, _PEOPLE_DO, _TRAILING):
        found = pattern.match(plain)
        if found:
            unsure = pattern is _TRAILING and found["unsure"] is not None
            return Claimed(found["claim"].strip(), found["reason"].strip(" .,;"), not unsure)
    return Claimed(plain)
