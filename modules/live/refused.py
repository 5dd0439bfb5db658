"""What a model of settings refused, in words: every file and option of the live system says it alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def refused(error: ValidationError, whole: str) -> str:
    """Each field with its rule, never its value, which may be a secret; `whole` names what is wrong as a whole."""
    faults = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or whole}: {fault['msg']}" for fault in faults)
