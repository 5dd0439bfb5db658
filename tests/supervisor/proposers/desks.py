"""A desk whose mining data are a formula: what a proposer finds can be checked against the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ablations.patch import Patch
from modules.canonical import digest_json
from supervisor.finding import Finding, Lever
from supervisor.history import History
from supervisor.proposers.port import Desk
from supervisor.screen import Screened, changes_of
from traces.events import AblationFinished, AblationStarted, Change, Event, PatchScreened

SUITE = "5" * 64
Formula = Callable[[dict[str, object]], float | None]
"""Values in force with the patch's in their place to a gain; None = the patch moves no bit."""


@dataclass
class Formulas:
    """Compares by a formula, counts its looks, and remembers them as the ledger would."""

    formula: Formula
    looks: list[PatchScreened] = field(default_factory=list)
    in_force: dict[str, object] = field(default_factory=dict)

    def compare(self, patches: Sequence[Patch]) -> list[Screened]:
        """Each candidate once; a question that was asked before is answered from memory."""
        found = []
        for patch in patches:
            look = next((x for x in self.looks if x.patch_digest == patch.digest), None) or self._look(patch)
            if look.delta is not None and look.lower_bound is not None:
                found.append(Screened(patch, look.delta, look.lower_bound))
        return sorted(found, key=lambda s: -s.lower_bound)

    def _look(self, patch: Patch) -> PatchScreened:
        gain = self.formula({**self.in_force, **patch.new_values()})
        look = PatchScreened(
            question=digest_json(["formula", patch.digest]),
            trial_id=f"screen-{patch.digest[:8]}",
            module=patch.module,
            patch_digest=patch.digest,
            changes=changes_of(patch),
            suite_digest=SUITE,
            outcome="idle" if gain is None else "measured",
            delta=gain,
            lower_bound=None if gain is None else gain - 0.01,
        )
        self.looks.append(look)
        return look

    def desk(self, events: Iterable[Event] = (), *, seed: int = 0, module: str, seconds: float = 600.0) -> Desk:
        """A desk over these mining data and that ledger."""
        desk = Desk(
            History(events),
            SUITE,
            self.compare,
            time.monotonic() + seconds,
            seed,
            looked=lambda asked: [look for look in self.looks if look.module == asked],
        )
        self.in_force = dict(desk.settings(module))
        return desk


def finding(module: str, *levers: Lever) -> Finding:
    """A finding that asks for these levers."""
    return Finding("m", module, "p", "s", 1.0, "u", 1, ("run",), levers)


def judged(
    patch: Patch, ablation_id: str, reason: str, *, delta: float | None = 0.1, suite: str = SUITE
) -> list[Event]:
    """An ablation as the ledger has it; reason "" = it shipped."""
    changes = {k: Change(old=c.old, new=c.new) for k, c in changes_of(patch).items()}
    started = AblationStarted(
        ablation_id=ablation_id, module=patch.module, patch=changes, suite="fast", suite_digest=suite
    )
    finished = AblationFinished(
        ablation_id=ablation_id,
        module=patch.module,
        verdict="REJECT" if reason else "SHIP",
        reason=reason,
        delta=delta,
        lower_bound=delta,
        p_value=0.001,
        level=0.002,
        seconds=1.0,
    )
    return [started, finished]
