"""Asking again where waiting may help: exponential back-off with a deadline for all attempts together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.llm.port import PASSING, Model, ModelError, Reply, Request


@dataclass(frozen=True)
class Patience:
    """How often and how long. Waits grow by `factor` from `first_wait_s`; a server that names a wait is obeyed."""

    attempts: int = 5
    first_wait_s: float = 0.5
    factor: float = 2.0
    longest_wait_s: float = 30.0
    deadline_s: float = 600.0

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Seconds before attempt `attempt + 1` (attempts count from 1)."""
        own = min(self.first_wait_s * self.factor ** (attempt - 1), self.longest_wait_s)
        return own if asked_s is None else max(own, asked_s)


@dataclass(frozen=True)
class Retrying:
    """A model that is asked again after a failure that may pass. No chance in it: a tape needs none, one asker no
    jitter."""

    model: Model
    patience: Patience = Patience()
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    waiting: Callable[[str], None] = lambda words: None

    @property
    def name(self) -> str:
        """The model's own name."""
        return self.model.name

    def complete(self, request: Request) -> Reply:
        """The first reply. Raises the last ModelError, saying how often was asked."""
        began = self.clock()
        for attempt in range(1, self.patience.attempts + 1):
            try:
                return self.model.complete(request)
            except ModelError as error:
                if error.reason not in PASSING:
                    raise
                wait_s = self.patience.wait_s(attempt, error.wait_s)
                left_s = self.patience.deadline_s - (self.clock() - began)
                if attempt == self.patience.attempts or wait_s > left_s:
                    raise ModelError(
                        error.reason, f"{error} (asked {attempt} times in {self.clock() - began:.0f} s)"
                    ) from error
                self.waiting(f"{self.name}: {error.reason.replace('_', ' ')}, asking again in {wait_s:.1f} s")
                self.sleep(wait_s)
        raise AssertionError("a loop that returns or raises in every turn has ended")
