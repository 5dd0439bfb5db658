"""How an algorithm is asked for: its name and its figures, bounds checked, and the object made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from modules.live.algorithms import almgren
from modules.live.algorithms.algorithm import Algorithm, Placing, Style
from modules.live.algorithms.kinds import Iceberg, Participation, Scheduled
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.routing import PPM, Terms
from modules.live.algorithms.schedule import along, evenly, rounded, window
from modules.live.algorithms.volume import VolumeCurve
from modules.live.units import DAY_NS, SECOND_NS


class _Settings(BaseModel):
    """What all have. `slice_s`: how often the schedule moves on, at least."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slice_s: float = Field(default=60.0, ge=0.001, le=86_400.0)
    style: Style = "take"
    retry_s: float = Field(default=1.0, ge=0.001, le=3_600.0)
    least_lots: int = Field(default=1, ge=1)
    most_lots: int = Field(default=0, ge=0)

    @property
    def slice_ns(self) -> int:
        """The slice in ns."""
        return round(self.slice_s * SECOND_NS)

    def placing(self, terms: Mapping[str, Terms]) -> Placing:
        """How children are placed."""
        return Placing(self.style, round(self.retry_s * SECOND_NS), self.least_lots, self.most_lots, dict(terms))


class Twap(_Settings):
    """In step with the clock."""

    name: Literal["twap"] = "twap"


class Vwap(_Settings):
    """In step with the volume that is usual at each time of the day; needs a curve."""

    name: Literal["vwap"] = "vwap"


class Pov(_Settings):
    """A share of the volume that trades. `counts_own`: whether the volume heard of has our own fills in it."""

    name: Literal["pov"] = "pov"
    rate: float = Field(default=0.05, gt=0.0, le=0.5)
    counts_own: bool = True


class Shortfall(_Settings):
    """Implementation shortfall (Almgren and Chriss 2000): early where risk weighs more than impact.

    `risk_aversion` is lambda, one over the currency; `price`, `sigma_day`, `adv_lots`, `spread` calibrate impact as the
    paper does.
    """

    name: Literal["shortfall"] = "shortfall"
    risk_aversion: float = Field(default=1e-6, ge=0.0, le=1.0)
    price: float = Field(gt=0.0)
    sigma_day: float = Field(gt=0.0, le=2.0)
    adv_lots: float = Field(gt=0.0)
    spread: float = Field(gt=0.0)


class Ice(_Settings):
    """A limit order of which a part is shown."""

    name: Literal["iceberg"] = "iceberg"
    style: Style = "make"
    display_lots: int = Field(default=100, ge=1)


AlgorithmSettings: TypeAlias = Annotated[Twap | Vwap | Pov | Shortfall | Ice, Field(discriminator="name")]


def build(
    parent: Parent,
    settings: Twap | Vwap | Pov | Shortfall | Ice,
    *,
    terms: Mapping[str, Terms] | None = None,
    curve: tuple[VolumeCurve, int] | None = None,
) -> Algorithm:
    """The algorithm at the beginning of its work. `curve`: a volume curve and the open of the session, for VWAP.

    Raises AlgorithmError for what does not fit the parent.
    """
    slices, placing = window(parent, settings.slice_ns), settings.placing(terms or {})
    if isinstance(settings, Pov):
        return Participation(parent, slices, placing, round(settings.rate * PPM), counts_own=settings.counts_own)
    if isinstance(settings, Ice):
        return Iceberg(parent, slices, placing, settings.display_lots)
    if isinstance(settings, Twap):
        targets = evenly(parent.total, slices)
    elif isinstance(settings, Vwap):
        if curve is None:
            raise AlgorithmError(
                f"vwap of {parent.symbol} has no volume curve; give one of its days before, or use twap"
            )
        done: Callable[[int], float] = curve[0].of(parent, curve[1])
        targets = along(parent.total, slices, done)
    else:
        impact = almgren.impact_of(settings.price, settings.sigma_day, settings.adv_lots, settings.spread)
        left = almgren.held(
            slices.count, (parent.end_ns - parent.begin_ns) / slices.count / DAY_NS, impact, settings.risk_aversion
        )
        targets = rounded(parent.total, [1.0 - share for share in left[1:]])
    return Scheduled(settings.name, parent, slices, placing, targets)
