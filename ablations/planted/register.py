"""Planted markets as registered data: rows like those of any file, versions like any other."""

from __future__ import annotations

from ablations.planted.markets import MARKETS
from modules.datastore import DataStore, DataVersion


def current(store: DataStore, name: str) -> DataVersion:
    """The version a bare name means; a planted market is simulated and registered on first use. Raises DataError."""
    if name in MARKETS and not store.has(name):
        from ablations.planted.registration import registration

        return store.register(registration(MARKETS[name]))
    return store.current(name)
