"""Questions of a research, put to whoever sits at the terminal."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.drafters.port import Question


def can_ask() -> bool:
    """Whether somebody can answer: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: Question) -> str | None:
    """The answer: a number of those offered, words of one's own, or Enter for the first; None to leave it open."""
    from cli.output import stderr
    from cli.research_progress import paused

    out = stderr()
    with paused():
        out.print(f"\n{question.question}", style="bold", markup=False)
        if question.unread:
            out.print(f"not read: {', '.join(question.unread)}", markup=False)
        for number, offered in enumerate(question.defaults, 1):
            out.print(f"  {number}  {offered}{'   (Enter)' if number == 1 else ''}", markup=False)
        out.print("a number, words of your own, or q to leave it for later", style="dim")
        # A library's handler of Ctrl-C may let a read that it cut off begin again: then it would wait for Enter.
        signal.siginterrupt(signal.SIGINT, True)
        try:
            said = out.input("> ").strip()
        except EOFError:
            return None
    return chosen(said, question.defaults)


def chosen(said: str, offered: tuple[str, ...]) -> str | None:
    """What was meant by what was typed."""
    if said.lower() in ("q", "quit"):
        return None
    if not said:
        return offered[0] if offered else None
    return offered[int(said) - 1] if said.isdigit() and 1 <= int(said) <= len(offered) else said
