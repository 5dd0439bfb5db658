"""Data sets, features on disk, and what was measured on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from traces.events.base import Count, EventBase, Seed, Texts


class DataRegistered(EventBase):
    """An immutable version of a data set. `refused` maps each refusal rule to the rows it took, `exposed` each set of
    another name to the symbol-days of its lockbox that lie open in this one."""

    kind: Literal["data.registered"] = "data.registered"
    name: str
    version: str
    digest: str
    ingest: str
    rows: Count
    symbols: Count
    start: str
    end: str
    refused: Mapping[str, Count]
    exposed: Mapping[str, Count] = {}


class FeaturesStored(EventBase):
    """A commit of the feature store. `commit` is the digest of its file in the log, so that the ledger vouches for it;
    `features` were new by it."""

    kind: Literal["features.stored"] = "features.stored"
    data: str
    data_digest: str
    version: Count
    commit: str
    features: Texts
    files: Count


class FaultsPlanted(EventBase):
    """A cleaning module was tried on registered data into which faults were planted by `seed`. By kind of fault:
    `planted` and, of those, `found`. By rule: `alarms` on cells without a planted fault, and how many of these were
    `standing` on the same data before anything was planted. `cells` were looked at."""

    kind: Literal["faults.planted"] = "faults.planted"
    trial_id: str
    module: str
    code_digest: str
    settings_digest: str
    data_digest: str
    seed: Seed
    cells: Count
    planted: Mapping[str, Count]
    found: Mapping[str, Count]
    alarms: Mapping[str, Count]
    standing: Mapping[str, Count]


class FeaturesCompared(EventBase):
    """The members of a family of features, evaluated on registered data. `used` are in the settings in force; `alike`
    maps a pair, `first second`, to the mean rank correlation of their values, where its size is above `floor`."""

    kind: Literal["features.compared"] = "features.compared"
    comparison_id: str
    module: str
    code_digest: str
    settings_digest: str
    data_digest: str
    features: Texts
    used: Texts
    floor: float
    alike: Mapping[str, float]
