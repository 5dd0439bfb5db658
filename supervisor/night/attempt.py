"""One pull of an arm: a proposal pursued, a market looked at again, or a strategy whose evidence is weighed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from modules.artifacts import ArtifactStore
from supervisor.finding import Finding, Miner
from supervisor.night.bandit import Arm, seed_of
from supervisor.night.memory import Tonight
from supervisor.night.plan import LEAST_PULL_S, PULL_SHARE
from supervisor.night.relook import MARKET, RELOOK, look_at_market
from supervisor.night.retire import NAME as RETIRE
from supervisor.night.retire import Retire, compare_lately, members_of, strategy_finding
from supervisor.proposers.desk import desk_over
from supervisor.proposers.port import Proposer
from supervisor.proposers.rules import by_module
from supervisor.pursuit import Pursued, pursue
from supervisor.screen import screen
from supervisor.workshop import Workshop


@dataclass
class Attempt:
    """What pulling needs, and the findings so far: looking at a market may add to them."""

    shop: Workshop
    proposers: tuple[Proposer, ...]
    miners: tuple[Miner, ...]
    findings: list[Finding] = field(default_factory=list)

    def mine(self, until_s: float) -> int:
        """Ask every miner; how many findings are new to this night. `until_s`: of time.monotonic, for what is measured
        first."""
        known = {f.finding_id for f in self.findings}
        self.findings = self.shop.mine(self.miners, until_s)
        return sum(f.finding_id not in known for f in self.findings)

    def at(self, arm: Arm, tonight: Tonight, left_s: float) -> Pursued:
        """Pull `arm` with `left_s` seconds of the night left. Raises what a run or a proposer raises."""
        if arm.module.startswith(MARKET):
            return self._look_at_market(arm.module.removeprefix(MARKET), left_s)
        until_s = time.monotonic() + max(LEAST_PULL_S, PULL_SHARE * left_s)
        bench = self.shop.bench(arm.module)
        seed = seed_of(arm, tonight.started.seed, tonight.started.number, tonight.next_pull)
        desk = desk_over(bench, self.shop.history(), deadline_s=until_s, seed=seed, note=self.shop.note)
        if arm.proposer == RETIRE and not members_of(desk, arm.module):
            return self._look_at_strategy(arm.module)
        clock = time.monotonic()
        proposer = self._proposer(arm)
        proposal = proposer.propose(arm.module, by_module(self.findings).get(arm.module, ()), desk)
        if proposal is None:
            return Pursued("nothing", (), "nothing to propose")
        self.shop.grouped(proposal.event(time.monotonic() - clock, seed))
        compare = compare_lately if arm.proposer == RETIRE else screen
        # What a proposer compared itself is known already; what it did not is compared in the time it left.
        until_s = max(until_s, time.monotonic() + LEAST_PULL_S)
        return pursue(self.shop, proposal, until_s=until_s, compare=compare)

    def _proposer(self, arm: Arm) -> Proposer:
        if arm.proposer == RETIRE:
            return Retire(self.shop.bench(arm.module))
        if arm.proposer == RELOOK.name:
            return RELOOK
        return next(p for p in self.proposers if p.name == arm.proposer)

    def _look_at_market(self, name: str, left_s: float) -> Pursued:
        """Run the canonical pipeline on the mining period of a data set, and ask the miners what they see there."""
        look_at_market(self.shop, self.shop.data.current(name))
        new = self.mine(time.monotonic() + left_s)
        return Pursued("nothing", (), f"{name} was run on its mining period: {new} new findings")

    def _look_at_strategy(self, module: str) -> Pursued:
        """Whether a strategy, as the pipeline would run it, still earns; that it does not is a finding for a human."""
        version = self.shop.data.current(self.shop.spec.data)
        manifest = look_at_market(self.shop, version, {"feature": module.split("/")[1]})
        finding = strategy_finding(module, manifest, ArtifactStore(self.shop.workspace.artifacts))
        if finding is None:
            return Pursued("nothing", (), "its evidence has not decayed")
        self.shop.grouped(finding.event())
        self.findings.append(finding)
        return Pursued("nothing", (), finding.statement)
