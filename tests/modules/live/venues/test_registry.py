"""Venues by name: what is refused, and where secrets come from and go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from modules.live.messages import Mode, Stepped
from modules.live.risk.core import Instrument
from modules.live.venues.port import VenueError
from modules.live.venues.registry import Scalar, VenueConfig, credentials, names, open_venue
from tests.modules.live.venues.conformance import Heard

SECRET = "s3cr3t-of-somebody"


def config(folder: Path, options: Mapping[str, Scalar] | None = None, mode: Mode = "paper") -> VenueConfig:
    return VenueConfig("main", mode, folder, (Instrument("AAA.TEST", "x"),), options or {})


@pytest.mark.parametrize(
    ("name", "options", "mode", "words"),
    [
        ("nowhere", {}, "paper", "nowhere is not known; there are .*paper.*sim"),
        ("sim", {"port": 7}, "live", "no market behind it"),
        ("paper", {"records": "x"}, "live", "no market behind it"),
        ("sim", {}, "paper", "port: Field required; it takes host, port"),
        ("sim", {"port": 7, "prot": 1}, "paper", "prot: Extra inputs"),
        ("sim", {"port": 70_000}, "paper", "port: .*65535"),
        ("paper", {}, "paper", "feed recorded needs records"),
        ("paper", {"feed": "bybit"}, "paper", "feed bybit needs url"),
        ("paper", {"records": "no-such-file.parquet"}, "paper", "no-such-file"),
        ("paper", {"feed": "bybit", "url": "ws://somewhere.example"}, "paper", "not encrypted"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, options: dict[str, Scalar], mode: Mode, words: str) -> None:
    with pytest.raises(VenueError, match=words):
        open_venue(name, config(tmp_path, options, mode))


def test_the_simulated_ones_are_there() -> None:
    assert {"sim", "paper"} <= set(names())


def test_paper_on_records(tmp_path: Path) -> None:
    times = pl.Series([1_700_000_000_000_000_000, 1_700_000_060_000_000_000]).cast(pl.Datetime("ns", "UTC"))
    prices = {name: [10.0, 11.0] for name in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({"event_time": times, "available_at": times, "symbol": ["AAA.TEST"] * 2, **prices}).write_parquet(
        tmp_path / "bars.parquet"
    )
    venue, heard = open_venue("paper", config(tmp_path, {"records": str(tmp_path / "bars.parquet")})), Heard()
    venue.open(heard)
    venue.proceed(0)  # type: ignore[attr-defined]  # this one plays a recording
    assert heard.first(Stepped).ts_ns == 1_700_000_000_000_000_000
    venue.close()
    assert (tmp_path / "paper").is_dir()


def test_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file before the environment; never one that others may read, and no value in any error."""
    wanted = config(tmp_path)
    path = tmp_path / "credentials.yaml"
    with pytest.raises(VenueError, match=r"alpaca needs key.*CWS_ALPACA_KEY"):
        credentials("alpaca", wanted, "key")
    monkeypatch.setenv("CWS_ALPACA_KEY", SECRET)
    assert credentials("alpaca", wanted, "key") == {"key": SECRET}
    path.write_text(f"key: of-the-file\nother: {SECRET}\n")
    path.chmod(0o640)
    with pytest.raises(VenueError, match=r"may be read by others .mode 640.; chmod 600"):
        credentials("alpaca", wanted, "key")
    path.chmod(0o600)
    assert credentials("alpaca", wanted, "key", "other") == {"key": "of-the-file", "other": SECRET}
    for text in (f"key: [{SECRET}", f"key: {{a: {SECRET}}}\n", f"- {SECRET}\n"):
        path.write_text(text)
        monkeypatch.delenv("CWS_ALPACA_KEY", raising=False)
        with pytest.raises(VenueError) as caught:
            credentials("alpaca", wanted, "key")
        assert SECRET not in str(caught.value) and SECRET not in repr(caught.value.__context__)
