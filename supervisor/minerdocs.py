"""`python -m supervisor.minerdocs > docs/miners.md`: the page of miners and probes, made of their docstrings."""

from __future__ import annotations

import inspect
import sys
import textwrap
from dataclasses import MISSING, fields, is_dataclass

from supervisor.finding import Miner
from supervisor.miners import MINERS
from supervisor.probes import PROBES

_TURNS = {
    1: ("Money that is lost now", "Pursued first."),
    2: ("Quality, and what the result hides", "Pursued when the first are done."),
    3: ("What makes people and machines wait", "Shown; most have no lever, because no setting mends them."),
}
_HEAD = """# Miners

A miner asks the traces one question and answers with findings. It reads what ended before judging begins
(`supervisor/mined.py`), of what is in force now; it never writes, runs or proposes. A finding holds its pattern, the
module, its size, how often it was seen, the ids that show it, and a **claim**: what a patch must change, so that an
ablation or the next mining can refute it. Levers name the settings that may mend it, and the way; what ships is decided
elsewhere (`docs/gate.md`).

**A new miner** is a file in `supervisor/miners/` that sets `MINER`: a class with `name` (the file's), `reads` (the
kinds of events that may change its answer: without a new one it is not asked again), `turn` and `mine(traces)`. Names
of helpers' files begin with `_`. This page is made of their docstrings by `python -m supervisor.minerdocs`; a test
compares.

What a human turned down is not asked again: levers that would move the same setting the same way from the same value
are taken out of findings, and the reason stands in their statement (`supervisor/heeding.py`).
"""
_PROBES = """## Probes

What miners need and no run says is measured by probes (`supervisor/probes/`), on artifacts of mined runs, and recorded
as events; what was measured is not measured again.
"""


def page() -> str:
    """The page, in Markdown."""
    parts = [_HEAD]
    for turn, (title, words) in _TURNS.items():
        parts.append(f"## {title}\n\n{words}\n")
        parts += [_about(miner) for miner in MINERS if miner.turn == turn]
    parts.append(_PROBES)
    parts += [
        _wrapped(f"**{probe.name}**: {_flat(inspect.getdoc(inspect.getmodule(type(probe))))}") for probe in PROBES
    ]
    return "\n".join(parts)


def _about(miner: Miner) -> str:
    limits = _limits(miner)
    reads = ", ".join(f"`{kind}`" for kind in sorted(miner.reads))
    told = (
        f"### {miner.name}\n",
        inspect.cleandoc(inspect.getmodule(type(miner)).__doc__ or "") + "\n",
        _wrapped(f"*Finds*: {_flat(type(miner).__doc__)} {_flat(type(miner).mine.__doc__)}"),
        _wrapped((f"*Thresholds*: {limits}. " if limits else "") + f"*Reads*: {reads}."),
    )
    return "\n".join(told)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"


def _limits(miner: Miner) -> str:
    if not is_dataclass(miner):
        return ""
    shown = [
        f"`{f.name}` {f.default:,g}"
        for f in fields(miner)
        if f.name not in ("name", "turn") and f.default is not MISSING and isinstance(f.default, int | float)
    ]
    return ", ".join(shown)


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    sys.stdout.write(page())
