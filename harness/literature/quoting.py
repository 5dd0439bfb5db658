"""What others wrote is data: cleaned and cut before anything else sees it.

Nothing read from a paper, a page or a file is ever run, parsed as a signal, or used as an address to call. It is shown
to people as plain text, and no drafter is given it.
"""

from __future__ import annotations

import unicodedata

CUT = "…"
_DROPPED = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})


def clean(text: str, limit: int) -> str:
    """One line of visible text, at most `limit` characters: no control, invisible, direction-changing or private-use
    characters, every run of white space one space. What is cut off is marked."""
    shown = unicodedata.normalize("NFC", text[: 8 * limit])
    kept = "".join(" " if c.isspace() else c for c in shown if c.isspace() or unicodedata.category(c) not in _DROPPED)
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + CUT
