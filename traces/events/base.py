"""What every event is made of: the base class, and numbers that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

JsonScalar: TypeAlias = str | int | float | bool | None
Setting: TypeAlias = JsonScalar | tuple[JsonScalar, ...]
"""A value of a module's settings: a scalar, or a flat list of them."""


def _finite_or_none(value: object) -> object:
    number = isinstance(value, Real) and not isinstance(value, int)  # Real: NumPy's float32 is no float
    return None if number and not math.isfinite(float(value)) else value  # type: ignore[arg-type]


def _finite_items(value: object) -> object:
    return {k: _finite_or_none(v) for k, v in value.items()} if isinstance(value, Mapping) else value


MaybeFloat = Annotated[float | None, BeforeValidator(_finite_or_none)]
Metrics = Annotated[Mapping[str, float | None], BeforeValidator(_finite_items)]
Texts = Annotated[Sequence[str], AfterValidator(tuple)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Seed = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
Seconds = Annotated[float, Field(ge=0.0)]


class EventBase(BaseModel):
    """Base of every event: frozen, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class Change(EventBase):
    """One setting of a patch: the value in force and the value proposed."""

    old: Setting
    new: Setting
