"""Requests: opened, decided by humans, watched after the merge, taken back."""

from __future__ import annotations

from typing import Literal

from traces.events.base import EventBase, MaybeFloat, Seconds


class ReviewOpened(EventBase):
    """A branch awaits a human. `ablation_id` is None for a module that research wrote."""

    kind: Literal["review.opened"] = "review.opened"
    branch: str
    ablation_id: str | None
    commit: str


class MergeBegun(EventBase):
    """Everything was checked and a human said yes: `commit` is about to be merged onto `base`. Without it a merge that
    git holds is nobody's; with it, a merge that a crash cut off from its `review.approved` is known again."""

    kind: Literal["merge.begun"] = "merge.begun"
    branch: str
    by: str
    commit: str
    base: str


class ReviewApproved(EventBase):
    """A human merged the branch."""

    kind: Literal["review.approved"] = "review.approved"
    branch: str
    by: str
    merge_commit: str


class ReviewRejected(EventBase):
    """A human turned the branch down."""

    kind: Literal["review.rejected"] = "review.rejected"
    branch: str
    by: str
    reason: str


class PatchWatched(EventBase):
    """The benefit of a merged patch was measured again, by taking it back over the suite's tasks: `benefit` in the unit
    of its verdict (None: its tasks no longer run), `bound` the lower bound on which it shipped. `later` = on bars that
    no gate had seen; `question` is the digest of all that the answer depends on; `decayed` = the benefit fell below
    its bound."""

    kind: Literal["patch.watched"] = "patch.watched"
    ablation_id: str
    question: str
    data_digest: str
    start: str
    end: str
    later: bool
    benefit: MaybeFloat
    lower_bound: MaybeFloat
    upper_bound: MaybeFloat
    bound: float
    decayed: bool
    seconds: Seconds
    note: str = ""


class RollbackProposed(EventBase):
    """Somebody asks to take a merged patch back: a request on `branch`. `question`: of the measurement behind it, ""
    for a human's own wish."""

    kind: Literal["rollback.proposed"] = "rollback.proposed"
    ablation_id: str
    branch: str
    commit: str
    by: str
    reason: str
    question: str = ""


class PatchRolledBack(EventBase):
    """A human took a merged patch back. `branch` is that of the patch; it counts as turned down."""

    kind: Literal["patch.rolled_back"] = "patch.rolled_back"
    ablation_id: str
    branch: str
    by: str
    reason: str
    merge_commit: str
