"""One account of the risk core: `riskd.yaml` in its folder. It can only tighten what the limits' file allows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modules.live.journal.opening import Store
from modules.live.messages import Mode
from modules.live.place import RISKD_SOCKET
from modules.live.refused import refused
from modules.live.risk.core import Instrument
from modules.live.risk.limits import FILE, LimitsError, LiveLimits, Name, load_limits

NAME: Final = "riskd.yaml"
SOCKET: Final = RISKD_SOCKET
LOCK: Final = "riskd.lock"
JOURNAL: Final = "riskd/journal"
LOG: Final = "riskd.log"
RECORDED: Final = ("sim", "paper")
"""Venues that can play recorded data, and so can give the time."""

Account = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Scalar = str | int | float | bool


class ConfigError(ValueError):
    """An account's file that is refused; names field, value, rule and remedy."""


class InstrumentRow(BaseModel):
    """`Instrument`, as written in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field(min_length=1, max_length=64)
    sector: str
    lot_size: float = Field(default=1.0, gt=0.0)
    tick: float = Field(default=0.01, gt=0.0)
    sigma_day: float = math.nan
    beta: float = 1.0
    adv_lots: int = Field(default=0, ge=0, lt=2**53)
    located_lots: int = Field(default=0, ge=0, lt=2**53)
    max_long_lots: int = Field(default=2**53, ge=0, le=2**53)
    max_short_lots: int = Field(default=2**53, ge=0, le=2**53)


class VenueRow(BaseModel):
    """The venue by name, and what its adapter wants to know beside the credentials."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    options: dict[str, Scalar] = Field(default_factory=dict)


class RiskdConfig(BaseModel):
    """One account. `clock` "venue": the time is that of the venue's last news, for recorded data in paper mode only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Account
    mode: Mode
    venue: VenueRow
    instruments: tuple[InstrumentRow, ...] = Field(min_length=1, max_length=10_000)
    clock: Literal["wall", "venue"] = "wall"
    spin_ms: float = Field(default=0.0, ge=0.0, le=1_000.0, description="look on without sleeping after each order")
    limits: dict[str, object] = Field(default_factory=dict, description="tighter than limits.yaml, or strategies")
    journal: Store = Field(default=Store(), description="where this account's journals are, the desk's too")

    @model_validator(mode="after")
    def _only_recorded_data_gives_the_time(self) -> RiskdConfig:
        if self.clock == "venue" and (self.mode == "live" or self.venue.name not in RECORDED):
            raise ValueError(
                f"clock = venue with mode {self.mode} on {self.venue.name}: only recorded data on paper gives the "
                "time; write clock: wall"
            )
        return self

    @property
    def traded(self) -> tuple[Instrument, ...]:
        """The instruments as the risk core takes them."""
        return tuple(Instrument(**row.model_dump()) for row in self.instruments)

    def in_force(self, file: Path = FILE) -> LiveLimits:
        """The limits' file, tightened by this account. Raises LimitsError where this account would loosen one."""
        base = load_limits(file)
        for name, value in self.limits.items():
            held = getattr(base, name, None)
            if name == "strategies" and not held:
                continue
            if isinstance(held, frozenset):
                wider = name != "restricted" and not (isinstance(value, list | tuple) and set(value) <= held)
                fewer = name == "restricted" and not (isinstance(value, list | tuple) and set(value) >= held)
                if wider or fewer:
                    raise LimitsError(
                        f"limits.{name} = {value} of account {self.account} allows more than {sorted(held)} of "
                        f"{file.name}; an account may only allow less"
                    )
            elif isinstance(held, dict):
                given = value if isinstance(value, dict) else {"": math.inf}
                loose = [k for k, v in given.items() if k not in held or not v <= held[k]]
                if loose:
                    raise LimitsError(
                        f"limits.{name} of account {self.account}: {loose} is not in {file.name}, or above it; give "
                        "less"
                    )
            elif not (isinstance(value, int | float) and held is not None and value <= held):
                raise LimitsError(
                    f"limits.{name} = {value} of account {self.account} is looser than {held} of {file.name}, or no "
                    "limit; an account may only tighten"
                )
        try:
            return LiveLimits.model_validate({**base.model_dump(), **self.limits})
        except ValidationError as error:
            raise LimitsError(f"limits of account {self.account}: {refused(error, 'file')}") from error


def load_config(folder: Path) -> RiskdConfig:
    """The account in a folder. Raises ConfigError naming field, value, rule and remedy."""
    path = folder / NAME
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; write one (docs/riskd.md)") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    try:
        return RiskdConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {refused(error, 'file')}") from error
