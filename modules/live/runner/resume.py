"""Where a runner that ended goes on: from its last tape, or from what the venue has."""

from __future__ import annotations

from pathlib import Path

from modules.live.runner.replay import Replayed, replay
from modules.live.runner.tape import TapeError, is_begun

SUFFIX = ".tape"


class ResumeError(RuntimeError):
    """The last tape cannot be gone on from; says why and the remedy."""


def tapes(folder: Path) -> list[Path]:
    """The tapes of an account, oldest day first; those that were never begun are left out."""
    return sorted(p for p in folder.glob(f"*{SUFFIX}") if not p.name.startswith(".") and is_begun(p))


def resume(folder: Path, strategy: str) -> Replayed | None:
    """The account and the records as they stood when the last process ended; None where there is no tape.

    Raises ResumeError where the last day was decided otherwise than today's code decides it, or on another strategy:
    what is held then is not what this programme would hold.
    """
    found = tapes(folder)
    if not found:
        return None
    last = found[-1]
    try:
        made = replay(last)
    except TapeError as error:
        raise ResumeError(
            f"{error}; remedy: move {last} away, and the runner begins from what the venue has"
        ) from error
    if made.began.strategy != strategy:
        raise ResumeError(
            f"the last tape {last} is of strategy {made.began.strategy}, asked is {strategy}; one account trades one "
            "strategy: use another account, or move the tapes away once the account is flat"
        )
    differences = made.differences
    if differences:
        raise ResumeError(
            f"{last}: {len(differences)} decisions would be others today, first: {differences[0].sentence}; remedy: "
            "`cws replay-day` lists them; check out the code that made it, or move the tape away to begin from what "
            "the venue has"
        )
    return made
