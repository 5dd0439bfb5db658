"""Why a request is not merged, or a rollback not opened: named, in the order in which it is asked."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """In order of precedence."""

    NO_REQUEST = "NO_REQUEST"
    NOT_MERGED = "NOT_MERGED"
    ALREADY_ROLLED_BACK = "ALREADY_ROLLED_BACK"
    ALREADY_MERGED = "ALREADY_MERGED"
    ALREADY_REJECTED = "ALREADY_REJECTED"
    NO_NAME = "NO_NAME"
    NOT_A_HUMAN = "NOT_A_HUMAN"
    NO_REASON = "NO_REASON"
    NO_BRANCH_CHECKED_OUT = "NO_BRANCH_CHECKED_OUT"
    WORKING_TREE_NOT_CLEAN = "WORKING_TREE_NOT_CLEAN"
    PATH_NOT_ALLOWED = "PATH_NOT_ALLOWED"
    NOT_TRACED = "NOT_TRACED"
    CHANGED_AFTER_OPENING = "CHANGED_AFTER_OPENING"
    NO_RECORD = "NO_RECORD"
    RECORD_CONTRADICTS_ITSELF = "RECORD_CONTRADICTS_ITSELF"
    RECORD_DIFFERS_FROM_TRACE = "RECORD_DIFFERS_FROM_TRACE"
    NOT_SHIPPED = "NOT_SHIPPED"
    BASE_IS_STALE = "BASE_IS_STALE"
    NOT_THE_PATCH = "NOT_THE_PATCH"
    CERTIFICATE_IS_STALE = "CERTIFICATE_IS_STALE"
    CONFLICT = "CONFLICT"


class ReviewError(RuntimeError):
    """A request that was refused. `reason` names the rule, the message what broke it and the remedy."""

    def __init__(self, reason: Refusal, what: str, remedy: str) -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{reason}: {what}; remedy: {remedy}")
