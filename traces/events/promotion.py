"""The lockbox and promotion."""

from __future__ import annotations

from typing import Literal

from traces.events.base import Count, EventBase, MaybeFloat, Metrics, Texts


class LockboxOpened(EventBase):
    """The last part of a data set is about to be read, for one strategy, in a human's name. `strategy` is the digest
    of its signal and settings. `earlier` counts the looks that other strategies had; `exposed_share` is how much of it
    lies open in other sets; `resumed` = an opening whose promotion was cut off before it was decided goes on."""

    kind: Literal["lockbox.opened"] = "lockbox.opened"
    run_id: str
    run_digest: str
    strategy: str
    data: str
    version: str
    data_digest: str
    purpose: Literal["promotion"]
    by: str
    earlier: Count
    exposed_share: MaybeFloat
    resumed: bool = False


class PromotionDecided(EventBase):
    """Whether a run may go to the next stage. `held` and `failed` name criteria; `opened` = the lockbox was read for
    it; `figures` maps criterion to what was found (None = no evidence); `record` is the digest of its record."""

    kind: Literal["promotion.decided"] = "promotion.decided"
    promotion_id: str
    run_id: str
    run_digest: str
    strategy: str
    to: Literal["paper", "micro", "scale"]
    decision: Literal["PROMOTE", "REFUSE"]
    held: Texts
    failed: Texts
    figures: Metrics
    opened: bool
    by: str
    record: str
