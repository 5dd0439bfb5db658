"""Which builds a read is of, and what to say where one is not there."""

from __future__ import annotations

from collections.abc import Sequence

from modules.featurestore.errors import NotStoredError
from modules.featurestore.identity import Source, Wanted
from modules.featurestore.log import Build, Key, State


def key_of(wanted: Wanted, source: Source) -> Key:
    """The key of a build."""
    return Key(wanted.feature, wanted.computation, source.data, source.version, source.bars)


def asked_builds(state: State, features: Sequence[Wanted], source: Source) -> list[Build]:
    """The build of each feature. An empty `source.bars` stands for the bars built last."""
    found: list[Build] = []
    for item in features:
        fits = [b for b in state.builds.values() if _fits(b, item, source)]
        if not fits:
            raise NotStoredError(
                _absent(state, item, source), f"`cws feature build {item.feature} --data {source.data}` stores it"
            )
        found.append(fits[-1])
    return found


def _fits(build: Build, item: Wanted, source: Source) -> bool:
    key = build.key
    asked = (item.feature, item.computation, source.data, source.version)
    return (key.feature, key.computation, key.data, key.data_version) == asked and source.bars in ("", key.bars)


def _absent(state: State, item: Wanted, source: Source) -> str:
    """What is not there, and the nearest that is."""
    what = f"{item} of {source.data} ({source.version[:12]}) is not stored"
    same = [b.key for b in state.builds.values() if b.key.feature == item.feature]
    if not state.builds:
        return f"{what}: the store is empty"
    if not same:
        have = sorted({b.key.feature for b in state.builds.values()})
        return f"{what}; stored are {len(have)} features: {', '.join(have[:5])}{' ...' if len(have) > 5 else ''}"
    of_data = [k for k in same if (k.data, k.data_version) == (source.data, source.version)]
    if of_data and any(k.computation == item.computation for k in of_data):
        return f"{what} for these bars, which the data's cleaning made otherwise before"
    if of_data:
        return f"{what}; stored are the computations {', '.join(sorted({k.computation[:12] for k in of_data}))}"
    have = sorted({f"{k.data} ({k.data_version[:12]})" for k in same})
    return f"{what}; it is stored for {', '.join(have[:5])}"
