"""Why there is no sheet."""

from __future__ import annotations


class SheetError(ValueError):
    """A signal or data set of which no sheet can be made: what was found, the rule, and the remedy."""

    def __init__(self, message: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")
