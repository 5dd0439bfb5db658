"""The kill switch from outside: it works with the desk dead, the risk core dead, or the risk core hanging.

1. The latch is written first: whatever runs, or starts, obeys it before its next order.
2. A risk core that answers cancels (and closes) everything itself.
3. One that holds the account and does not answer is ended (SIGKILL); then the venue is opened here, in this process,
   for nothing but cancelling and closing.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from modules.live.journal.opening import open_journal
from modules.live.journal.port import Journal, JournalError
from modules.live.messages import AnyMessage, Ask, Hello, Kill, Report, Ruled, Status
from modules.live.risk.rules import Answer, Rule
from modules.live.riskd.client import RiskClient, RiskSilentError, RiskUnavailableError
from modules.live.riskd.config import JOURNAL, SOCKET, RiskdConfig, load_config
from modules.live.riskd.flatten import Flattening
from modules.live.riskd.inbox import Inbox
from modules.live.riskd.latch import Latch, LatchError
from modules.live.riskd.start import StartError, account_lock, holder
from modules.live.venues.port import Venue, VenueError

CONNECT_S: Final = 2.0
_LOOK_S: Final = 0.2
_END_S: Final = 5.0

OpenVenue = Callable[[RiskdConfig, Path], Venue]


@dataclass
class Killed:
    """What a kill came to. `by_riskd`: a running risk core did it. `clear`: nothing is open, and flat where asked."""

    latched: bool = False
    by_riskd: bool = False
    ended: int | None = None
    """The process that did not answer and was ended."""
    open_orders: tuple[str, ...] = ()
    positions: dict[str, int] = field(default_factory=dict)
    clear: bool = False
    trouble: list[str] = field(default_factory=list)


class ResetError(RuntimeError):
    """The latch stays shut; says why and what to do."""


def kill(folder: Path, by: str, reason: str, *, flatten: bool, open_venue: OpenVenue, wait_s: float) -> Killed:
    """Latch, cancel, close. Goes on past every trouble, and tells them; waits up to `wait_s` for the venue."""
    done = Killed()
    try:
        Latch(folder).kill(by, reason, time.time_ns(), flatten=flatten)
        done.latched = True
    except LatchError as error:
        done.trouble.append(str(error))
    deadline = time.monotonic() + wait_s
    try:
        _through_riskd(done, folder, Kill(by, reason, flatten), deadline)
        return done
    except (RiskUnavailableError, RiskSilentError) as error:
        done.by_riskd = False
        done.trouble.append(str(error))
    try:
        _end_the_hanging(done, folder)
        _here(done, folder, Kill(by, reason, flatten), open_venue, max(deadline, time.monotonic() + _END_S))
    except Exception as error:  # noqa: BLE001 - whatever it is, whoever kills must read it and what was done
        done.trouble.append(f"{type(error).__name__}: {error}")
    return done


def _through_riskd(done: Killed, folder: Path, message: Kill, deadline: float) -> None:
    client = RiskClient.connect(folder / SOCKET, Hello("kill", "paper", "", folder.name), CONNECT_S)
    try:
        status = client.kill(message.by, message.reason, message.flatten)
        done.by_riskd = True
        done.latched = done.latched or status.killed is not None
        while not _clear(done, status, message.flatten) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            client.news(0.0)
            status = client.status()
        if status.refusing:
            done.trouble.append(status.refusing)
    finally:
        client.close()


def _clear(done: Killed, status: Status, flatten: bool) -> bool:
    done.open_orders = status.open_orders
    done.positions = {p.symbol: p.lots for p in status.positions if p.lots}
    done.clear = not done.open_orders and not (flatten and done.positions)
    return done.clear


def _end_the_hanging(done: Killed, folder: Path) -> None:
    """End a risk core that holds the account and does not answer. The kernel says who it is, no file."""
    pid = holder(folder)
    if pid is None:
        return
    os.kill(pid, signal.SIGKILL)
    done.ended = pid
    deadline = time.monotonic() + _END_S
    while holder(folder) is not None:
        if time.monotonic() > deadline:
            raise StartError(f"process {pid} holds the account and does not end; end it")
        time.sleep(0.02)


def _here(done: Killed, folder: Path, message: Kill, open_venue: OpenVenue, deadline: float) -> None:
    """Open the venue in this process, for cancelling and closing only."""
    config = load_config(folder)
    with ExitStack() as stack:
        stack.enter_context(account_lock(folder))
        journal: Journal | None = None
        try:
            journal = stack.enter_context(open_journal(folder / JOURNAL, f"{config.account}-riskd", config.journal))
        except JournalError as error:
            done.trouble.append(f"not recorded: {error}")
        inbox = Inbox()
        stack.callback(inbox.close)
        venue = open_venue(config, folder)
        stack.callback(venue.close)
        venue.open(inbox.hear)

        def record(*messages: AnyMessage) -> None:
            if journal is not None:
                try:
                    journal.append(*messages)
                except JournalError as error:
                    done.trouble.append(f"not recorded: {error}")

        def send(ask: Ask, lots: int) -> None:
            rule, now = int(Rule.KILLED), time.time_ns()
            record(ask, Ruled(ask.client_id, int(Answer.FLATTEN), rule, lots, None, None, now))
            venue.submit(ask, lots)

        record(message)
        venue.cancel_all()
        closing = Flattening(venue, config.account, config.mode, "kill", send) if message.flatten else None
        while True:
            while (news := inbox.take()) is not None:
                record(news)
            report = _look(done, venue)
            if report is not None and not done.open_orders and (closing is None or not done.positions):
                done.clear = True
                return
            if time.monotonic() > deadline:
                return
            if closing is not None:
                closing.step(time.monotonic_ns(), time.time_ns())
            elif done.open_orders:
                venue.cancel_all()
            time.sleep(_LOOK_S)


def _look(done: Killed, venue: Venue) -> Report | None:
    try:
        report = venue.report()
    except VenueError as error:
        done.trouble.append(str(error))
        return None
    if not report.complete:
        return None
    done.open_orders = tuple(o.client_id for o in report.orders if o.ended is None)
    done.positions = {symbol: lots for symbol, lots in report.positions.items() if lots}
    return report


def reset(folder: Path, by: str, reason: str) -> Status | None:
    """Open the latch in the name of a human; None where no risk core runs. Raises ResetError."""
    try:
        client = RiskClient.connect(folder / SOCKET, Hello("kill", "paper", "", folder.name), CONNECT_S)
    except RiskUnavailableError as error:
        pid = holder(folder)
        if pid is not None:
            raise ResetError(f"process {pid} holds the account and does not answer: {error}; end it first") from error
        try:
            Latch(folder).open(by, reason, time.time_ns())
        except LatchError as failed:
            raise ResetError(str(failed)) from failed
        return None
    try:
        return client.reset(by, reason)
    except (RiskUnavailableError, RiskSilentError) as error:
        raise ResetError(f"the latch stays shut: {error}") from error
    finally:
        client.close()
