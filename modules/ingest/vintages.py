"""Vintages: the same bars downloaded again later. What changed is a restatement, known from that day on."""

from __future__ import annotations

import polars as pl

from modules.contract import TIME
from modules.ingest.layout import Layout
from modules.panel import ns

KNOWN_AT = "source_known_at"
_KEYS = ["symbol", "event_time"]


def with_restatements(rows: pl.DataFrame, layout: Layout) -> tuple[pl.DataFrame, int]:
    """Records from accepted rows, sorted by symbol, event_time, available_at; and how many are restated or late.

    The first vintage is taken as known bar by bar. In a later one, downloaded at `source_known_at`:
    a bar equal to what was known adds nothing; a bar that differs is known from the download on; a new
    bar that the previous vintage should already have had (it had ended by then) arrived late, and is
    known from the download on too; a newer bar is known when it ended.
    """
    fields = layout.delivered
    out = [*_KEYS, "available_at", *fields]
    if KNOWN_AT not in rows.columns or rows.get_column(KNOWN_AT).n_unique() <= 1:
        return rows.select(out).sort(*_KEYS, "available_at"), 0
    downloads = rows.get_column(KNOWN_AT).unique().sort(nulls_last=False).to_list()
    base = ns(layout.base_known_at) if layout.base_known_at else None
    known = rows.filter(pl.col(KNOWN_AT).eq_missing(pl.lit(downloads[0], TIME))).select(out)
    previous = downloads[0] if downloads[0] is not None or base is None else pl.Series([base]).cast(TIME)[0]
    parts, changed = [known], 0
    for download in downloads[1:]:
        now = rows.filter(pl.col(KNOWN_AT) == pl.lit(download, TIME)).select(out)
        joined = now.join(known, on=_KEYS, how="left", suffix=" before")
        joined = joined.with_columns(pl.col("available_at before").is_not_null().alias("seen"))
        same = pl.all_horizontal(pl.col(f).eq_missing(pl.col(f"{f} before")) for f in fields)
        late = pl.col("seen") | (pl.col("available_at") <= pl.lit(previous, TIME))
        after = pl.col("available_at before") + pl.duration(
            nanoseconds=1
        )  # a restatement is never as old as what it restates
        news = joined.filter(~(pl.col("seen") & same)).with_columns(
            pl.when(late)
            .then(pl.max_horizontal("available_at", pl.lit(download, TIME), after))
            .otherwise("available_at")
            .alias("available_at"),
            late.alias("late"),
        )
        changed += int(news.get_column("late").sum())
        parts.append(news.select(out))
        known = pl.concat([known, news.select(out)]).unique(_KEYS, keep="last", maintain_order=True)
        previous = download
    return pl.concat(parts).sort(*_KEYS, "available_at"), changed
