"""The feature store: what features were worth, when each value could be known, and by which computation.

    store = FeatureStore(Workspace.here().features)
    build(store, measured, asked)                      # computes what is not there, one atomic commit
    panel = store.read(wanted, source, as_of_ns=t)     # the bits that were written

A Delta table, readable with any Delta reader. Runs do not read it: they compute from bars, so that they replay.
"""

from modules.featurestore.availability import Measured, known_at, measured
from modules.featurestore.building import Built, build
from modules.featurestore.errors import DamagedError, FeatureStoreError, NotStoredError
from modules.featurestore.identity import Source, Wanted, computation_of, wanted
from modules.featurestore.log import Build, Commit
from modules.featurestore.piece import Piece
from modules.featurestore.store import Computed, FeatureStore, Written
from modules.featurestore.stored import Stored, long_table

__all__ = [
    "Build", "Built", "Commit", "Computed", "DamagedError", "FeatureStore", "FeatureStoreError", "Measured",
    "NotStoredError", "Piece", "Source", "Stored", "Wanted", "Written", "build", "computation_of", "known_at",
    "long_table", "measured", "wanted",
]  # fmt: skip
