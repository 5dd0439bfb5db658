"""The rows of the board's tables, from the fold: the newest or the weightiest, never more than a page can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from supervisor.board.facts import (
    ArmLine,
    Fate,
    FindingLine,
    FindingState,
    ModuleGain,
    NightLine,
    QueueLine,
    SpendLine,
    VerdictRow,
)
from supervisor.board.fold import Fold, Found, Trial, change_text


def judged(fold: Fold) -> list[Trial]:
    """Ablations with a verdict, in the order in which the verdicts stand."""
    return sorted((t for t in fold.trials.values() if t.finished is not None), key=lambda t: t.seq)


def verdicts(fold: Fold, trials: Sequence[Trial], most: int) -> tuple[VerdictRow, ...]:
    """The newest first."""
    first = max(0, len(trials) - most)
    rows = [_verdict(fold, trial, place) for place, trial in enumerate(trials[first:], first + 1)]
    return tuple(reversed(rows))


def reasons(trials: Sequence[Trial]) -> dict[str, int]:
    """Why verdicts refused, the commonest first; a guard's name is left off."""
    found = Counter(t.finished.reason.partition("(")[0] for t in trials if t.finished and t.finished.verdict != "SHIP")
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def findings(fold: Fold, trials: Sequence[Trial], most: int) -> tuple[FindingLine, ...]:
    """The newest first."""
    newest = sorted(fold.findings.values(), key=lambda f: -f.seq)[:most]
    last = _last_verdicts(trials)
    return tuple(
        FindingLine(
            finding_id=found.event.finding_id,
            ts_ns=found.ts_ns,
            miner=found.event.miner,
            module=found.event.module,
            statement=found.event.statement,
            size=found.event.size,
            occurrences=found.event.occurrences,
            state=_state(found, last.get(found.event.module)),
        )
        for found in newest
    )


def queue(fold: Fold, trials: Sequence[Trial], most: int) -> tuple[QueueLine, ...]:
    """A row a module with findings on which no verdict was reached since: what is under way first, then by deadline,
    then what waits longest."""
    last = _last_verdicts(trials)
    under_way = {pull.module: pull for pull in fold.under_way.values()}
    waiting: dict[str, list[Found]] = {}
    for found in fold.findings.values():
        if _state(found, last.get(found.event.module)) in ("new", "proposed"):
            waiting.setdefault(found.event.module, []).append(found)
    rows = []
    for module in {*waiting, *under_way}:
        mine = waiting.get(module, [])
        pull = under_way.get(module) or fold.pulled.get(module)
        proposal, seq = fold.proposals.get(module, (None, -1))
        pending = proposal is not None and (module not in last or last[module].seq < seq)
        rows.append(
            QueueLine(
                module=module,
                findings=len(mine),
                statement=mine[0].event.statement if mine else "",
                waits_since_ns=min((f.ts_ns for f in mine), default=fold.last_ns),
                state="under way" if module in under_way else "proposed" if pending else "found",
                proposer=under_way[module].proposer
                if module in under_way
                else proposal.proposer
                if proposal is not None and pending
                else "",
                due=pull.due if pull is not None else "",
            )
        )
    return tuple(sorted(rows, key=lambda r: (r.state != "under way", r.due or "~", r.waits_since_ns, r.module))[:most])


def gains(trials: Sequence[Trial]) -> tuple[ModuleGain, ...]:
    """A row a module that was judged, the largest gain first."""
    by_module: dict[str, list[Trial]] = {}
    for trial in trials:
        by_module.setdefault(trial.started.module, []).append(trial)
    rows = [_gain(module, mine) for module, mine in by_module.items()]
    return tuple(sorted(rows, key=lambda r: (-r.gain, -r.shipped, r.module)))


def nights(fold: Fold, most: int) -> tuple[NightLine, ...]:
    """The newest first."""
    newest = sorted(fold.nights.values(), key=lambda n: -n.ts_ns)[:most]
    return tuple(
        NightLine(
            night_id=n.started.night_id,
            number=n.started.number,
            ts_ns=n.ts_ns,
            seed=n.started.seed,
            budget_s=n.started.seconds,
            seconds=n.finished.seconds if n.finished else None,
            pulls=n.finished.pulls if n.finished else n.pulls,
            ablations=n.finished.ablations if n.finished else n.judged,
            shipped=n.finished.shipped if n.finished else n.shipped,
            reason=n.finished.reason if n.finished else "",
        )
        for n in newest
    )


def arms(fold: Fold, most: int) -> tuple[ArmLine, ...]:
    """What pays best first."""
    rows = [
        ArmLine(
            module=module,
            proposer=proposer,
            pulls=arm.pulls,
            shipped=arm.shipped,
            gain=arm.gain,
            seconds=arm.seconds,
            rate=arm.gain / arm.seconds * 3600 if arm.seconds > 0 else None,
        )
        for (module, proposer), arm in fold.arms.items()
    ]
    return tuple(sorted(rows, key=lambda r: (-(r.rate or 0.0), -r.shipped, -r.pulls, r.module, r.proposer))[:most])


def spending(fold: Fold) -> tuple[SpendLine, ...]:
    """What cost most first."""
    rows = [
        SpendLine(
            who=who,
            calls=s.calls,
            replayed=s.replayed,
            input_tokens=s.input_tokens,
            output_tokens=s.output_tokens,
            cost_usd=s.cost_micro_usd / 1e6,
            unpriced=s.unpriced,
            last_ns=s.last_ns,
        )
        for who, s in fold.spent.items()
    ]
    return tuple(sorted(rows, key=lambda r: (-r.cost_usd, -r.calls, r.who)))


def _verdict(fold: Fold, trial: Trial, place: int) -> VerdictRow:
    end = trial.finished
    assert end is not None, "only what was judged has a row"
    return VerdictRow(
        place=place,
        ts_ns=trial.ts_ns,
        ablation_id=end.ablation_id,
        module=end.module,
        change=change_text(trial.started.patch),
        suite=trial.started.suite,
        proposer=fold.proposers.get(end.ablation_id, ""),
        shipped=trial.shipped,
        reason=end.reason,
        delta=end.delta,
        lower_bound=end.lower_bound,
        p_value=end.p_value,
        level=end.level,
        seconds=end.seconds,
        fate=_fate(trial),
        by=trial.by,
        benefit=trial.watched.benefit if trial.watched else None,
        decayed=trial.watched is not None and trial.watched.decayed,
    )


def _fate(trial: Trial) -> Fate:
    if trial.rolled_back:
        return "rolled back"
    if trial.merged_ns is not None:
        return "merged"
    if trial.turned_down:
        return "turned down"
    return "waiting" if trial.shipped else "refused"


def _last_verdicts(trials: Sequence[Trial]) -> dict[str, Trial]:
    """The newest verdict on each module."""
    return {trial.started.module: trial for trial in trials}


def _state(found: Found, last: Trial | None) -> FindingState:
    if last is not None and last.seq > found.seq:
        return "merged" if last.stands else "judged"
    return "proposed" if found.proposed else "new"


def _gain(module: str, trials: Sequence[Trial]) -> ModuleGain:
    merged = [t.finished for t in trials if t.stands and t.finished is not None]
    benefits = [t.watched.benefit for t in trials if t.stands and t.watched is not None]
    measured = [benefit for benefit in benefits if benefit is not None]
    return ModuleGain(
        module=module,
        judged=len(trials),
        shipped=sum(t.shipped for t in trials),
        merged=len(merged),
        gain=sum(end.delta or 0.0 for end in merged),
        at_least=sum(end.lower_bound or 0.0 for end in merged),
        measured=len(measured),
        now=sum(measured),
        seconds=sum(t.finished.seconds for t in trials if t.finished is not None),
    )
