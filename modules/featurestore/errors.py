"""What the feature store refuses. `message` says what and where, `remedy` what to do about it."""

from __future__ import annotations

from pathlib import Path


class FeatureStoreError(RuntimeError):
    """The store cannot do what was asked."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}; {remedy}")


class NotStoredError(FeatureStoreError):
    """What was asked for is not in the store; the message names what is."""


class DamagedError(FeatureStoreError):
    """A file of the store is gone, cut short or changed. Everything in the store can be computed again."""

    def __init__(self, message: str, root: Path) -> None:
        super().__init__(message, f"bring {root} back from a copy, or delete it and build the features again")


def unwritable(what: str, root: Path, error: Exception) -> FeatureStoreError:
    """The error for a disk that is full, read-only, or not a folder."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error).split("\n", 1)[0]
    return FeatureStoreError(
        f"{what} cannot be written below {root} ({said}); what was stored before is unchanged",
        "free space on its disk or mend its permissions, or set CWS_HOME to a folder you may write, and build again",
    )
