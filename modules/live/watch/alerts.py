"""Which alerts stand: each is told once when it begins and once when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from modules.live.units import SECOND_NS
from modules.live.watch.rules import RULES, AlertRule, Severity
from modules.live.watch.seen import Seen

MOST_STANDING: Final = 500
"""Alerts beyond it are counted in one of their own: a flood tells nothing."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `since_ns`: when it was first seen; `ended_ns`: None = it stands."""

    rule: str
    severity: Severity
    subject: str
    sentence: str
    remedy: str
    account: str
    mode: str
    since_ns: int
    ended_ns: int | None = None

    @property
    def line(self) -> str:
        """For the log and the screen."""
        how = "ended" if self.ended_ns is not None else self.severity
        return f"{self.mode} {self.account} {how.upper()} {self.rule}: {self.sentence}"


@dataclass
class _Pending:
    alert: Alert
    is_told: bool = False


@dataclass
class Alerts:
    """The state of all rules for one account."""

    rules: Sequence[AlertRule] = RULES
    standing: tuple[Alert, ...] = ()
    """What was told and has not ended, the worst first, then the newest. May be read from any thread."""
    _standing: dict[tuple[str, str], _Pending] = field(default_factory=dict)

    def look(self, seen: Seen) -> list[Alert]:
        """What began or ended with this look, to be told."""
        told: list[Alert] = []
        found: set[tuple[str, str]] = set()
        for rule in self.rules:
            for subject, sentence in rule.find(seen):
                key = (rule.name, subject)
                if key not in self._standing and len(self._standing) >= MOST_STANDING:
                    key, sentence = ("REMARK", "flood"), f"more than {MOST_STANDING} alerts stand; the rest is not told"
                found.add(key)
                told += self._take(key, rule, sentence, seen)
        for key in [k for k in self._standing if k not in found]:
            pending = self._standing.pop(key)
            if pending.is_told:
                told.append(msgspec.structs.replace(pending.alert, ended_ns=seen.at_ns))
        stand = [p.alert for p in self._standing.values() if p.is_told]
        self.standing = tuple(sorted(stand, key=lambda a: (a.severity != "critical", -a.since_ns)))
        return told

    def _take(self, key: tuple[str, str], rule: AlertRule, sentence: str, seen: Seen) -> list[Alert]:
        pending = self._standing.get(key)
        if pending is None:
            alert = Alert(
                rule=key[0],
                severity=rule.severity,
                subject=key[1],
                sentence=sentence,
                remedy=rule.remedy,
                account=seen.account,
                mode=seen.mode,
                since_ns=seen.at_ns,
            )
            pending = self._standing[key] = _Pending(alert)
        else:
            pending.alert = msgspec.structs.replace(pending.alert, sentence=sentence)
        if pending.is_told or seen.at_ns - pending.alert.since_ns < rule.hold_s * SECOND_NS:
            return []
        self._standing[key] = replace(pending, is_told=True)
        return [pending.alert]
