"""The paper venue as an account's file asks for it: against a recording of bars, or a live feed of a venue."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, ValidationError, model_validator

from modules.engine.settings import Costs
from modules.live.feeds.opening import FeedOptions, make_feed
from modules.live.feeds.port import Feed
from modules.live.feeds.recorded import RecordedFeed, bars_of
from modules.live.refused import refused
from modules.live.venues.paper.matching import PaperMatching
from modules.live.venues.paper.venue import PaperVenue
from modules.live.venues.port import VenueError
from modules.live.venues.registry import Options, VenueConfig, options

_DEFAULT = Costs()


class PaperOptions(Options):
    """`feed` recorded: `records` is a Parquet file of a data set's records; without `speed` its moments wait for
    whoever trades. A venue's name: its public market data at `url` (and, for binance, snapshots at `snapshots`)."""

    feed: Literal["recorded", "binance", "bybit"] = "recorded"
    records: str | None = None
    speed: float | None = Field(default=None, gt=0.0, description="times as fast as it came")
    url: str | None = None
    snapshots: str | None = None
    cash_usd: float = Field(default=1_000_000.0, ge=1_000.0, le=1e9)
    half_spread_bps: float = Field(default=_DEFAULT.half_spread_bps, ge=0.0, le=200.0)
    commission_bps: float = Field(default=_DEFAULT.commission_bps, ge=0.0, le=100.0)
    impact_k: float = Field(default=_DEFAULT.impact_k, ge=0.0, le=3.0)
    borrow_bps_year: float = Field(default=_DEFAULT.borrow_bps_year, ge=0.0, le=5_000.0)

    @model_validator(mode="after")
    def _has_a_source(self) -> PaperOptions:
        wanted = "records" if self.feed == "recorded" else "url"
        if getattr(self, wanted) is None:
            raise ValueError(f"feed {self.feed} needs {wanted}")
        return self


def open_paper(config: VenueConfig) -> PaperVenue:
    """The venue, not opened. Raises VenueError."""
    chosen = options(PaperOptions, "paper", config)
    costs = Costs(chosen.half_spread_bps, chosen.commission_bps, chosen.impact_k, chosen.borrow_bps_year)
    matching = PaperMatching(config.instruments, costs, cash_micros=round(chosen.cash_usd * 1e6))
    steps = chosen.feed == "recorded" and chosen.speed is None
    return PaperVenue(matching, _feed(chosen, matching.symbols), config.folder / "paper", steps=steps)


def _feed(chosen: PaperOptions, symbols: tuple[str, ...]) -> Feed:
    try:
        if chosen.feed != "recorded":
            shown = FeedOptions(venue=chosen.feed, url=chosen.url or "", snapshots=chosen.snapshots)
            return make_feed(chosen.feed, shown, symbols)
        path = Path(chosen.records or "")
        return RecordedFeed(path.stem, bars_of(pl.read_parquet(path)), speed=chosen.speed)
    except ValidationError as error:
        raise VenueError(f"venue paper, feed {chosen.feed}: {refused(error, 'feed')}") from None
    except (OSError, pl.exceptions.PolarsError) as error:  # a feed that refuses is an OSError
        raise VenueError(f"venue paper, feed {chosen.feed}: {error}") from error
