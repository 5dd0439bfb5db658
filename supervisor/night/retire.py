"""What has stopped earning: a feature is proposed for removal from its family, a strategy is named to a human.

A family's `members` are a setting, so leaving one out is a patch like any other and goes before the same gate. A
strategy stands in `pipeline.yaml`, which no patch may touch: that it decayed is a finding, and a human decides.

The comparison on mining data looks at its last third alone: over the whole of it a feature that used to earn still
looks good. Every look is counted as a trial.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablations.compared import objective_series
from ablations.floor import Series, measure
from ablations.patch import Change, Patch
from modules.artifacts import ArtifactStore
from modules.canonical import digest_json
from modules.contract import STAGES, ContractError
from modules.manifest import Manifest
from modules.registry import load_module
from supervisor.bench import Bench
from supervisor.finding import Finding
from supervisor.night.decay import Decay, decay, late_from
from supervisor.proposers.port import Desk, Proposal
from supervisor.screen import SCREEN_LEVEL, Screened
from traces.events import Claim, TrialRecorded

NAME = "retire"
MEMBERS = "members"
MOST_MEMBERS = 12
"""Members that are looked at in one pull; which ones is drawn by the desk's seed."""


@dataclass(frozen=True)
class Retire:
    """Leaves out members of a family whose rolling evidence has decayed, the deepest fall first."""

    bench: Bench
    name: str = NAME

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk) -> Proposal | None:
        """See `Proposer.propose`. None where nothing decayed, or there is nothing to leave out."""
        members = members_of(desk, module)
        if len(members) < 2:
            return None
        order = np.random.Generator(np.random.PCG64(desk.seed)).permutation(len(members))[:MOST_MEMBERS]
        fallen: list[tuple[str, Decay]] = []
        for member in (members[i] for i in sorted(order)):
            if desk.seconds_left <= 0.0:
                break
            found = self.evidence(module, members, member)
            if found is not None and found.decayed:
                fallen.append((member, found))
        if not fallen:
            return None
        fallen.sort(key=lambda row: (-row[1].errors, row[0]))
        candidates = tuple(_without(module, members, member) for member, _ in fallen)
        words = "; ".join(f"{m} earned {d.early:+.2f} Sharpe a year, and lately {d.late:+.2f}" for m, d in fallen)
        return Proposal(module, tuple(findings), candidates, self.name, f"rolling evidence has decayed: {words}")

    def evidence(self, module: str, members: tuple[str, ...], member: str) -> Decay | None:
        """What `member` alone earned on the suite's tasks, early and late; None where it cannot be run alone."""
        alone = Patch(module=module, changes={MEMBERS: Change(old=members, new=(member,))})
        self.bench.emit(_trial(self.bench, alone, "alone"))
        objective = _objective(module)
        try:
            arms = [self.bench.measure(task, alone, objective) for task in self.bench.tasks(module)]
        except ContractError:
            return None  # the trace holds the refusal
        return decay(np.mean([arm.values for arm in arms], axis=0), arms[0].bars_per_year)


def compare_lately(bench: Bench, patches: Sequence[Patch], until_s: float) -> list[Screened]:
    """As `supervisor.screen.screen`, over the last third of the mining period."""
    found = []
    for patch in patches:
        if time.monotonic() > until_s:
            break
        objective = _objective(patch.module)
        bench.emit(_trial(bench, patch, "lately"))
        before = bench.baseline(patch.module, objective)
        try:
            after = [bench.measure(task, patch, objective).values for task in bench.tasks(patch.module)]
        except ContractError:
            continue
        at = late_from(after[0].size)
        arms = np.stack([arm.values[at:] for arm in before]), np.stack([values[at:] for values in after])
        floor = measure(Series(*arms, before[0].bars_per_year), SCREEN_LEVEL, bench.suite.seed)
        if floor is not None:
            found.append(Screened(patch, floor.delta, floor.lower_bound))
    return sorted(found, key=lambda s: (-s.lower_bound, s.patch.digest))


def strategy_finding(module: str, manifest: Manifest, store: ArtifactStore) -> Finding | None:
    """What a human is told of a strategy that has decayed: the feature module `module`, as `manifest` shows it on the
    mining period. None where it has not."""
    objective = _objective(f"execute/{manifest.stage('execute').module}")
    values = objective_series(manifest, objective, store)[1]
    found = decay(values, manifest.metrics.get("bars_per_year", 252.0))
    if found is None or not found.decayed:
        return None
    return Finding(
        miner=NAME,
        module=module,
        pattern="a strategy whose evidence has decayed",
        statement=(
            f"{module} earned {found.early:+.2f} Sharpe a year on {manifest.task.data}, and {found.late:+.2f} in the "
            f"last third of the mining period, a fall of {found.errors:.1f} standard errors: nothing is lost without "
            "it. Take it out of pipeline.yaml, or let it rest"
        ),
        size=found.early - found.late,
        unit="Sharpe a year",
        occurrences=1,
        evidence=(manifest.run_id,),
        claim=Claim(metric="net_sharpe of the last third", direction="raise", least=0.0, over="finding"),
    )


def members_of(desk: Desk, module: str) -> tuple[str, ...]:
    """The members of a family in force; () for a module that is none."""
    if module.split("/")[0] not in STAGES:
        return ()
    found = desk.settings(module).get(MEMBERS)
    return tuple(str(m) for m in found) if isinstance(found, list) else ()


def _without(module: str, members: tuple[str, ...], member: str) -> Patch:
    rest = tuple(m for m in members if m != member)
    return Patch(module=module, changes={MEMBERS: Change(old=members, new=rest)})


def _objective(module: str) -> str:
    stage, _, name = module.partition("/")
    return load_module(stage, name).contract.objective_series


def _trial(bench: Bench, patch: Patch, look: str) -> TrialRecorded:
    """The same look at the same data is the same trial, however often it is made."""
    identity = digest_json([patch.digest, bench.suite.digest, bench.version.digest, look])
    words = f"{patch.module} {look}, members {', '.join(map(str, _new(patch)))}"
    return TrialRecorded(
        trial_id=f"retire-{identity[:16]}", family="screen", subject=words[:500], data_digest=bench.version.digest
    )


def _new(patch: Patch) -> tuple[object, ...]:
    value = patch.changes[MEMBERS].new
    return value if isinstance(value, tuple) else (value,)
