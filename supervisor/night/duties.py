"""What a night may be asked to do before it spends on arms."""

from __future__ import annotations

import time

from ablations.ablate import certificate_for, certify
from ablations.certificate import CertificateError
from ablations.suite import load_suite, suite_names
from modules.engine.accounting import EngineError
from modules.live.runner.decide import DecideError
from modules.live.runner.drift import drift
from modules.live.runner.tape import TapeError
from modules.registry import RegistryError
from supervisor.aftercare import watch
from supervisor.daywatch import replayed, tape_of
from supervisor.demotion import propose
from supervisor.standing import unreviewed
from supervisor.workshop import Workshop
from traces.reader import read

WATCH_SHARE = 0.25
"""Of the time that is left, what measuring merged patches again may take."""


def watch_merged(shop: Workshop, until_s: float) -> list[str]:
    """Measure again what humans merged, where something it depends on changed; propose a rollback where the benefit
    fell below its bound."""
    now = time.monotonic()
    shop.grouped.flush()
    found = watch(
        shop.workspace,
        shop.forge,
        shop.grouped,
        executor=shop.executor,
        deadline_s=now + WATCH_SHARE * max(0.0, until_s - now),
        progress=shop.progress,
    )
    shop.grouped.flush()
    said = []
    for one in found:
        benefit = "its tasks no longer run" if one.event.benefit is None else f"{one.event.benefit:+.3f} Sharpe a year"
        if one.event.decayed:
            asked = f"; {one.rollback} asks to take it back" if one.rollback else ""
            said.append(f"merged patch {one.event.ablation_id} no longer holds its bound: {benefit}{asked}")
        elif one.fresh:
            said.append(f"merged patch {one.event.ablation_id} was measured again and holds: {benefit}")
    return said


def name_unreviewed(shop: Workshop, until_s: float) -> list[str]:
    """What of the engine's work is checked out here without a human's yes: a reader must know before all else."""
    events = (envelope.event for envelope in read(shop.workspace.ledger))
    return [f"not reviewed: {one}" for one in unreviewed(shop.repo, events)]


def replay_days(shop: Workshop, until_s: float) -> list[str]:
    """Make the last day of each live account again from its tape, and look whether it drifts from its backtest."""
    said = []
    for folder in sorted((shop.workspace.home / "live").glob("*/tape")):
        name = folder.parent.name
        path = tape_of(folder, "last")
        if path is None:
            continue
        if time.monotonic() > until_s:
            said.append(f"{name} {path.stem} was not replayed: the time was spent")
            continue
        shop.progress(f"account {name}: {path.stem} from its tape")
        try:
            day = replayed(shop.workspace, path)
            drifted = drift(folder)
        except (TapeError, RegistryError, EngineError, DecideError) as error:
            said.append(f"{name} {path.stem} cannot be replayed: {error}")
            continue
        word = f"{day.began.mode.upper()} {name} {day.day}"
        if day.differences:
            said.append(f"{word}: {len(day.differences)} decisions differ, first: {day.differences[0].sentence}")
        else:
            said.append(f"{word}: {day.bars} bars, {day.orders} orders, equal to the last bit")
        if drifted is not None and not drifted.holds:
            propose(folder.parent, drifted)
            beyond = "; ".join(m.sentence for m in drifted.measures if not m.holds)
            said.append(f"{word}: demotion of {drifted.strategy} is proposed: {beyond}")
    return said


def renew_certificates(shop: Workshop, until_s: float) -> list[str]:
    """Make the certificates anew that have gone stale or were never made, of the suites that may judge tonight."""
    said = []
    suites = (shop.only,) if shop.only is not None else tuple(map(load_suite, suite_names()))
    for suite in suites:
        shop.bench_over(suite)  # registers its data
        before = certificate_for(suite, shop.workspace).state
        if before == "CURRENT":
            continue
        if time.monotonic() > until_s:
            said.append(f"the certificate of suite {suite.name} is {before}: the time to make it anew was spent")
            continue
        shop.progress(f"suite {suite.name}: sending worthless patches through the gate")
        shop.grouped.flush()
        try:
            made = certify(suite, shop.workspace, shop.grouped, executor=shop.executor)
        except CertificateError as error:
            said.append(str(error))
        else:
            said.append(f"the certificate of suite {suite.name} was {before}: {made.certificate_id} was made")
    return said
