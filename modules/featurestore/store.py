"""The feature store itself.

    root/_delta_log/0…7.json    one commit each (`log.py`)
    root/pieces/ab/abcd….parquet rows (`piece.py`)
    root/head.json              the last commit that was acknowledged
    root/.lock                  held while a commit is made

A row is `event_time, available_at, symbol, feature (name@version), value, computation, data, data_version`. The version
of the data is the one that first brought the row: a later version with the same bars stands on the same files and
adds its own. Which rows make up a build stands in its commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modules.featurestore import piece as pieces
from modules.featurestore import table
from modules.featurestore.errors import FeatureStoreError, NotStoredError, unwritable
from modules.featurestore.finding import asked_builds, key_of
from modules.featurestore.identity import Source, Wanted
from modules.featurestore.log import (
    Build,
    BuildRecord,
    CommitRecord,
    Key,
    State,
    load,
    load_locked,
    locked,
    write_head,
)
from modules.featurestore.piece import Block
from modules.featurestore.sharing import base_of, matching
from modules.featurestore.stored import Stored
from modules.panel import FloatArray, IntArray, Panel, iso

_ABANDONED_S = 7 * 86_400


@dataclass(frozen=True)
class Computed:
    """Values of a feature `[T, N]` and when each could be known."""

    wanted: Wanted
    values: FloatArray
    available: IntArray


@dataclass(frozen=True)
class Written:
    """What a write changed: `version` is the store's version after it."""

    new: tuple[Wanted, ...]
    there: tuple[Wanted, ...]
    files: int
    version: int


@dataclass(frozen=True)
class _Planned:
    wanted: Wanted
    key: Key
    record: BuildRecord


class FeatureStore:
    """Features below `root`. Readers and writers may be many; commits follow one another."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    # --- reading ---------------------------------------------------------------------------------

    def state(self, version: int | None = None) -> State:
        """What is stored, now or at a version of the table.

        Raises DamagedError where the log was changed, NotStoredError where there is no such version.
        """
        state = load(self.root, version)
        if version is not None and not 0 <= version < len(state.commits):
            raise NotStoredError(
                f"the feature store has no version {version}; its last is {len(state.commits) - 1}",
                "`cws feature history` lists them",
            )
        return state

    def read(
        self,
        features: Sequence[Wanted],
        source: Source,
        *,
        as_of_ns: int | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        version: int | None = None,
    ) -> Panel:
        """As `load`, as a panel with a field for each feature."""
        return self.load(features, source, as_of_ns=as_of_ns, start_ns=start_ns, end_ns=end_ns, version=version).panel()

    def load(
        self,
        features: Sequence[Wanted],
        source: Source,
        *,
        as_of_ns: int | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        version: int | None = None,
    ) -> Stored:
        """The values of `features` that could be known at `as_of_ns` (inclusive), for bars from `start_ns` to
        `end_ns` (both inclusive); `version` reads the store as it was. The bits are those that were written.

        Raises NotStoredError naming what is stored instead, DamagedError naming the file at fault.
        """
        if not features:
            raise FeatureStoreError("no feature was asked for", "name at least one")
        builds = asked_builds(self.state(version), features, source)
        blocks = [self._block(b, start_ns, end_ns) for b in builds]
        first = blocks[0]
        names = [b.key.feature for b in builds]
        if any(b.symbols != first.symbols or not np.array_equal(b.ts, first.ts) for b in blocks):
            raise FeatureStoreError("features of one source stand on different bars", "read them one by one")
        if as_of_ns is None:
            known = [np.ones(b.values.shape, dtype=np.bool_) for b in blocks]
        else:
            known = [b.available <= as_of_ns for b in blocks]
        rows = np.logical_or.reduce([k.any(axis=1) for k in known])
        if first.ts.size and not rows.any() and as_of_ns is not None:
            earliest = min(int(b.available.min()) for b in blocks)
            raise NotStoredError(
                f"nothing of {', '.join(names[:3])} in that period was known by {iso(as_of_ns)}; the first values were "
                f"known at {iso(earliest)}",
                "ask for a later moment",
            )
        values = {n: np.where(k, b.values, np.nan)[rows] for n, b, k in zip(names, blocks, known, strict=True)}
        available = {n: b.available[rows] for n, b in zip(names, blocks, strict=True)}
        return Stored(first.ts[rows], first.symbols, values, available)

    def verify(self, version: int | None = None) -> int:
        """Read every file that a build stands on; the number of files. Raises DamagedError."""
        seen: set[str] = set()
        for build in self.state(version).builds.values():
            for part in build.pieces:
                if part.sum not in seen:
                    pieces.get(self.root, part)
                    seen.add(part.sum)
        return len(seen)

    def _block(self, build: Build, start_ns: int | None, end_ns: int | None) -> Block:
        low = np.iinfo(np.int64).min if start_ns is None else start_ns
        high = np.iinfo(np.int64).max if end_ns is None else end_ns
        parts = [p for p in build.pieces if p.end_ns >= low and p.start_ns <= high]
        if not parts:
            raise NotStoredError(
                f"{build.key.feature} has no bar in that period; it reaches from {iso(build.pieces[0].start_ns)} to "
                f"{iso(build.pieces[-1].end_ns)}",
                "ask for a period within",
            )
        blocks = [pieces.get(self.root, p) for p in parts]
        whole = Block(
            ts=np.concatenate([b.ts for b in blocks]),
            symbols=blocks[0].symbols,
            available=np.concatenate([b.available for b in blocks]),
            values=np.concatenate([b.values for b in blocks]),
        )
        lo, hi = np.searchsorted(whole.ts, low, side="left"), np.searchsorted(whole.ts, high, side="right")
        return whole.rows(int(lo), int(hi))

    # --- writing ---------------------------------------------------------------------------------

    def write(self, source: Source, bars: Panel, computed: Iterable[Computed]) -> Written:
        """Store features of one source in one commit: all of them or none. `computed` is taken one by one, so that
        it may be made as it goes. What is there already is left as it is.

        Raises FeatureStoreError where the disk does not take it, where a bar lies in the lockbox, and where the same
        computation of the same source gave other bits before.
        """
        if bars.shape[0] == 0 or bars.shape[1] == 0:
            raise FeatureStoreError(f"the bars of {source.data} are empty: {bars.shape}", "give bars")
        if int(bars.ts[-1]) >= source.lockbox_ns:
            raise FeatureStoreError(
                f"a bar at {iso(int(bars.ts[-1]))} lies in the lockbox of {source.data}, which begins at "
                f"{iso(source.lockbox_ns)}",
                "store bars before it",
            )
        before = self.state()
        planned: list[_Planned] = []
        there: list[Wanted] = []
        try:
            for item in computed:
                block = Block(bars.ts, bars.symbols, item.available, item.values)
                plan = self._plan(before, source, item.wanted, block)
                there += [item.wanted] if plan is None else []
                planned += [] if plan is None else [plan]
            return self._commit(source, planned, there)
        except OSError as error:
            raise unwritable("the feature store", self.root, error) from error

    def missing(self, source: Source, features: Iterable[Wanted]) -> list[Wanted]:
        """Those of `features` that are not stored for this source."""
        known = self.state().builds
        return [w for w in features if key_of(w, source).name not in known]

    def _plan(self, state: State, source: Source, wanted: Wanted, block: Block) -> _Planned | None:
        """What to write of a feature, its files written; None where it is there."""
        if block.values.shape != (block.ts.size, len(block.symbols)) or block.available.shape != block.values.shape:
            raise FeatureStoreError(
                f"{wanted.feature} has shape {block.values.shape}, its times {block.available.shape}, the bars "
                f"{(block.ts.size, len(block.symbols))}",
                "give [T, N] on the rows and symbols of the bars",
            )
        key = key_of(wanted, source)
        found = state.builds.get(key.name)
        if found is not None:
            if matching(found.pieces, block) != len(found.pieces) or found.pieces[-1].end_ns != block.ts[-1]:
                raise FeatureStoreError(
                    f"{wanted} gave other bits for the same bars of {source.data} than it did in commit {found.commit}",
                    "the computation is not deterministic, or its digest misses what changed; report this",
                )
            return None
        base, keep = base_of(state, key, block)
        start = sum(p.bars for p in base.pieces[:keep]) if base is not None else 0
        spans = pieces.cuts(block.ts, len(block.symbols), start)
        own = tuple(pieces.put(self.root, block.rows(a, b), wanted, source) for a, b in spans)
        record = BuildRecord(
            feature=wanted.feature,
            computation=wanted.computation,
            expr=wanted.expr,
            base=base.key.name if base is not None and keep else None,
            keep=keep,
            pieces=own,
        )
        return _Planned(wanted, key, record)

    def _commit(self, source: Source, planned: Sequence[_Planned], there: list[Wanted]) -> Written:
        with locked(self.root):
            state = load_locked(self.root)
            if not state.acknowledged:
                write_head(self.root, state.version)  # of a process that died between its commit and the head
            late = [p for p in planned if p.key.name in state.builds]
            new = [p for p in planned if p.key.name not in state.builds]
            there = [*there, *(p.wanted for p in late)]
            if not new:
                return Written((), tuple(there), 0, state.version)
            if state.version < 0:
                table.create(self.root, CommitRecord(previous=""))
                write_head(self.root, 0)
                state = load_locked(self.root)
            record = CommitRecord(
                previous=state.sum,
                data=source.data,
                data_version=source.version,
                bars=source.bars,
                builds=tuple(p.record for p in new),
            )
            live = state.pieces()
            files = [(p.wanted, piece) for p in new for piece in p.record.pieces if piece.sum not in live]
            version = table.commit(self.root, record, [table.Added(p, w, source) for w, p in files])
            write_head(self.root, version)
            self._sweep(live | {p.sum for _, p in files})
        return Written(tuple(p.wanted for p in new), tuple(there), len(files), version)

    def _sweep(self, live: set[str]) -> None:
        """Remove files of writers that died before their commit, a week after; younger ones may be of one at work."""
        limit = time.time() - _ABANDONED_S
        for path in (self.root / pieces.FOLDER).glob("*/*"):
            if path.stem not in live and path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
