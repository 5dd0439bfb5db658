"""What the language says when it refuses: the rule, the remedy, and where in the text."""

from __future__ import annotations

_SHOWN = 100


class SignalError(ValueError):
    """A signal that cannot be read, checked or evaluated.

    `column` counts from 1 in `text`; both are None where the fault has no place in a text.
    """

    def __init__(self, message: str, text: str | None = None, column: int | None = None) -> None:
        self.message = message
        self.text = text
        self.column = column
        super().__init__(message if text is None or column is None else f"{message}\n{caret(text, column)}")


def caret(text: str, column: int) -> str:
    """Two lines: the text, cut around the column where it is long, and a caret below the column."""
    line = "".join(c if c.isprintable() else " " for c in text)
    begin = max(0, min(column - 1 - _SHOWN // 2, len(line) - _SHOWN))
    lead = "..." if begin else ""
    tail = "..." if begin + _SHOWN < len(line) else ""
    pointer = " " * (len(lead) + column - 1 - begin) + "^"
    return f"  {lead}{line[begin : begin + _SHOWN]}{tail}\n  {pointer} column {column}"
