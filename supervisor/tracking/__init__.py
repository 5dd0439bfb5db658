"""Runs, ablations and certificates in MLflow, copied from the ledger afterwards: nothing here is on a run's path."""

from supervisor.tracking.tell import DEFAULT_SECONDS, Tracked, track

__all__ = ["DEFAULT_SECONDS", "Tracked", "track"]
