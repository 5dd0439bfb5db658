"""Where in a raw table the bars are, and how its clock reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from modules.calendars import UNKNOWN
from modules.contract import ModuleSettings

DAY_S = 86_400
PRICE_FIELDS = ("open", "high", "low", "close", "adj_close")
VALUE_FIELDS = (*PRICE_FIELDS, "volume")
COLUMN_ACTIONS = ("split", "dividend", "member")
"""What a price file may say of corporate actions in columns of its own."""

DateOrder = Literal["iso", "mdy", "dmy"]
EpochUnit = Literal["", "s", "ms", "us", "ns", "yyyymmdd", "yyyymm"]


class Layout(ModuleSettings):
    """Columns by name ("" = the file has none). `long`: a row per symbol and time; `wide`: a column per symbol,
    every column but the time is one symbol's close. Flat on purpose: each setting is one scalar in a trace."""

    layout: Literal["long", "wide"] = "long"
    time_column: str = "date"
    symbol_column: str = "symbol"
    open_column: str = ""
    high_column: str = ""
    low_column: str = ""
    close_column: str = "close"
    adj_close_column: str = ""
    volume_column: str = ""
    split_column: str = Field("", description="new shares for one old, from this bar's open on; 0 and 1 are none")
    dividend_column: str = Field("", description="cash a share as traded, on the bar that goes without it (ex)")
    member_column: str = Field("", description="1 while the symbol belongs to the universe, 0 while it does not")
    timezone: str = Field("UTC", description="IANA zone of times that carry no offset")
    date_order: DateOrder = "iso"
    epoch_unit: EpochUnit = ""
    decimal: Literal[".", ","] = "."
    interval_s: int = Field(
        DAY_S, ge=1, le=400 * DAY_S, description="length of one bar; a day or more = labelled by date"
    )
    bar_stamp: Literal["open", "close"] = Field("open", description="which end of an intraday bar its time names")
    calendar: str = Field(UNKNOWN, description="exchange-calendars name, 24/7, or UNKNOWN")
    base_known_at: str = Field("", description="when the first vintage was downloaded; set when a second one is added")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"timezone {value!r} is no IANA zone; write it like America/New_York") from None
        return value

    @model_validator(mode="after")
    def _has_prices(self) -> Layout:
        if self.layout == "long" and self.close_column == "":
            raise ValueError("close_column is empty; a long layout needs the column that holds the close")
        return self

    @property
    def daily(self) -> bool:
        """Bars of a day or longer are labelled by their date at 00:00 UTC."""
        return self.interval_s >= DAY_S

    @property
    def actions(self) -> tuple[str, ...]:
        """The corporate actions that the file has a column for."""
        return tuple(f for f in COLUMN_ACTIONS if self.layout == "long" and self.column_of(f))

    @property
    def delivered(self) -> tuple[str, ...]:
        """Fields of a record of this file: prices and volume always, actions where there is a column."""
        return (*VALUE_FIELDS, *self.actions)

    def stored(self) -> dict[str, str | int | float | bool | None]:
        """The settings that a data version carries. Columns of actions are left out where the file has none, so that
        a set without actions keeps the identity it always had."""
        absent = {f"{f}_column" for f in COLUMN_ACTIONS if self.column_of(f) == ""}
        return {k: v for k, v in self.model_dump().items() if k not in absent}

    def column_of(self, field: str) -> str:
        """Raw column that holds a field of the records, "" where the file has none."""
        name: str = getattr(self, f"{field}_column")
        return name
