"""From an account's folder to a serving risk core: what must hold is asserted before a venue is opened."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from modules.live.journal.opening import open_journal
from modules.live.messages import Mode
from modules.live.risk import limits as constants
from modules.live.risk.core import Instrument, Intent, RiskCore
from modules.live.risk.limits import FILE, LiveLimits
from modules.live.riskd.config import JOURNAL, LOCK, LOG, SOCKET, RiskdConfig
from modules.live.riskd.inbox import Inbox
from modules.live.riskd.latch import Latch
from modules.live.riskd.rulings import Rulings
from modules.live.riskd.server import Server
from modules.live.venues.port import Venue

_LOG = logging.getLogger("riskd")
_LONGEST_PATH_BYTES = 107
_LOCK_LAYOUT = "hhqqi4x"


class StartError(RuntimeError):
    """The risk core does not start; says why and what to do. No venue was opened."""


@contextmanager
def account_lock(folder: Path) -> Iterator[None]:
    """Be the only risk core of an account, until the process ends. Raises StartError naming who is."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartError(
                f"a risk core of {folder.name} runs as process {holder(folder)}; end it, or kill by `cws kill`"
            ) from error
        yield
    finally:
        os.close(fd)


def holder(folder: Path) -> int | None:
    """The process that is this account's risk core; None = there is none. Not to be asked by that process itself."""
    try:
        fd = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        asked = struct.pack(_LOCK_LAYOUT, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_LOCK_LAYOUT, fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    finally:
        os.close(fd)
    return None if kind == fcntl.F_UNLCK else int(pid)


def checked_limits(config: RiskdConfig, file: Path = FILE) -> LiveLimits:
    """The limits in force, with the venue as the only one. Raises LimitsError, StartError."""
    for name, most in (
        ("HARD_MAX_INSTRUMENT_NAV", 0.05), ("HARD_MAX_SECTOR_NAV", 0.25), ("HARD_MAX_DAILY_LOSS", 0.05),
        ("HARD_MAX_TRADE_RISK", 0.01),
    ):  # fmt: skip
        if not 0.0 < getattr(constants, name) <= most:
            raise StartError(
                f"{name} is {getattr(constants, name)}, above {most}: this is not the code that was reviewed"
            )
    limits = config.in_force(file)
    if config.venue.name not in limits.venues:
        raise StartError(f"venue {config.venue.name} is not in limits.yaml's venues {sorted(limits.venues)}")
    return limits.model_copy(update={"venues": frozenset({config.venue.name})})


def digest_of(limits: LiveLimits) -> str:
    """Names the limits in force."""
    return hashlib.sha256(limits.model_dump_json().encode()).hexdigest()


def warm_up(limits: LiveLimits, mode: Mode, build: str) -> None:
    """Have everything compiled before the first order: a core that nobody uses rules once."""
    both = limits.model_copy(update={"strategies": {"warm": 1e6}, "total_capital_usd": 1e6})
    core = RiskCore(
        both, [Instrument("A", "a", sigma_day=0.01, adv_lots=10**6)], cash_micros=10**12, mode=mode, build=build
    )
    core.mark("A", 10.0, 1)
    venue = min(limits.venues)
    for number in range(3):
        ask = Intent(f"w{number}", "warm", "A", 10, venue, mode, build, 1, order_type=min(limits.order_types),
                     time_in_force=min(limits.times_in_force), limit_price=10.0)  # fmt: skip
        if core.ask(ask).goes_out:
            core.filled(ask.client_id, 5, 10.0)
            core.done(ask.client_id)
    core.moved(1, is_flow=False)


@contextmanager
def prepared(
    folder: Path, config: RiskdConfig, venue: Venue, build: str, *, limits_file: Path = FILE
) -> Iterator[tuple[Rulings, Inbox, LiveLimits]]:
    """Everything up to an open venue, in the order in which it must hold; let go of on the way out.

    Raises StartError, LimitsError, JournalError, LatchError before the venue is opened, VenueError when it is.
    """
    limits = checked_limits(config, limits_file)
    if not build:
        raise StartError("the build has no name: run from a git checkout")
    if venue.name != config.venue.name:
        raise StartError(f"the adapter is {venue.name}, the account's venue {config.venue.name}")
    with ExitStack() as stack:
        stack.enter_context(account_lock(folder))
        warm_up(limits, config.mode, build)
        journal = stack.enter_context(open_journal(folder / JOURNAL, f"{config.account}-riskd", config.journal))
        latch = Latch(folder)
        if not latch.exists() and next(iter(journal.read()), None) is None:
            latch.open("riskd", "first start", 0)
        core = RiskCore(limits, config.traded, cash_micros=0, mode=config.mode, build=build)
        rulings = Rulings(core, venue, journal, latch, config.account, is_recorded=config.clock == "venue")
        _LOG.info("%s %s: %d entries recalled", config.mode.upper(), config.account, rulings.recall())
        _LOG.info("latch %s", rulings.killed or "open")
        inbox = Inbox()
        stack.callback(inbox.close)
        stack.callback(venue.close)
        stack.callback(rulings.close)
        venue.open(inbox.hear)
        while (news := inbox.take()) is not None:
            rulings.hear(news)
        rulings.start()
        yield rulings, inbox, limits


@contextmanager
def served(
    folder: Path, config: RiskdConfig, venue: Venue, build: str, *, limits_file: Path = FILE
) -> Iterator[Server]:
    """A server that is ready to `run`. Raises as `prepared` does."""
    path = folder / SOCKET
    if len(os.fsencode(path)) > _LONGEST_PATH_BYTES:
        raise StartError(f"{path} is longer than {_LONGEST_PATH_BYTES} bytes, a socket's most; move CWS_HOME")
    with prepared(folder, config, venue, build, limits_file=limits_file) as (rulings, inbox, limits):
        yield Server(rulings, inbox, path, digest_of(limits), spin_s=config.spin_ms / 1_000.0)


def log_to(folder: Path, mode: Mode, account: str) -> None:
    """The process's log: its own file, PAPER or LIVE in every line."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(folder / LOG, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    handler = logging.FileHandler(folder / LOG, encoding="utf-8")
    handler.setFormatter(logging.Formatter(f"%(asctime)s {mode.upper()} {account} %(levelname)s %(message)s"))
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
