"""What the registry makes of an account's options: the right address for its mode, or a refusal that names the cure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modules.live.messages import Mode
from modules.live.risk.core import Instrument
from modules.live.venues.exact import Listings
from modules.live.venues.port import Venue, VenueError
from modules.live.venues.registry import Scalar, VenueConfig, names, open_venue

pytestmark = pytest.mark.slow  # the libraries of the brokers are read
FIX: dict[str, Scalar] = {
    "host": "127.0.0.1", "port": 9, "sender": "ME", "target": "THEM", "mode": "paper", "logs_in": False,
}  # fmt: skip
IB: dict[str, Scalar] = {"port": 4002, "account": "DU1"}
SECRET = "do-not-print-me"


def made(
    name: str, tmp_path: Path, options: dict[str, Scalar] | None = None, mode: Mode = "paper",
    symbols: tuple[str, ...] = ("AAPL.NASDAQ", "BRK.B.NYSE"),
) -> Venue:  # fmt: skip
    (tmp_path / "credentials.yaml").write_text(f"key: {SECRET}\nsecret: {SECRET}\n")
    (tmp_path / "credentials.yaml").chmod(0o600)
    instruments = tuple(Instrument(s, "tech", lot_size=0.001, tick=0.05) for s in symbols)
    return open_venue(name, VenueConfig("account", mode, tmp_path, instruments, options or {}))


def listed(venue: object) -> Listings:
    found = venue._listings  # type: ignore[attr-defined]
    assert isinstance(found, Listings)
    return found


@pytest.mark.parametrize(
    ("name", "options", "natives"),
    [("alpaca", {}, ["AAPL", "BRK.B"]), ("fix", FIX, ["AAPL", "BRK.B"]), ("ib", IB, ["AAPL", "BRK B"])],
)
def test_instruments_have_the_venues_names_and_exact_steps(
    tmp_path: Path, name: str, options: dict[str, Scalar], natives: list[str]
) -> None:
    venue = made(name, tmp_path, options)
    assert venue.name == name and name in names()
    assert [x.native for x in listed(venue)] == natives
    assert {(str(x.lot), str(x.tick)) for x in listed(venue)} == {("0.001", "0.05")}


def test_crypto_has_the_exchanges_names(tmp_path: Path) -> None:
    assert [x.native for x in listed(made("ccxt", tmp_path, symbols=("XRP-USDT.BYBIT",)))] == ["XRPUSDT"]


@pytest.mark.parametrize(("mode", "address"), [("paper", "https://paper-api."), ("live", "https://api.")])
def test_mode_decides_the_address(tmp_path: Path, mode: Mode, address: str) -> None:
    settings = made("alpaca", tmp_path, mode=mode)._settings  # type: ignore[attr-defined]
    assert settings.url.startswith(address) and settings.updates_url.startswith(address.replace("https", "wss"))
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("name", "options", "mode", "said"),
    [
        ("alpaca", {"leverage": 3}, "paper", "leverage"),
        ("alpaca", {"url": "https://alpaca.example.org"}, "paper", "url.*is not on this machine"),
        ("alpaca", {"market": "wss://127.0.0.1.example.org"}, "paper", "market.*is not on this machine"),
        ("alpaca", {"updates": "ws://127.0.0.1:9"}, "live", "stand in for Alpaca on paper"),
        ("fix", {**FIX, "port": 0}, "paper", "port"),
        ("fix", FIX, "live", "connect to the other session"),
        ("ib", {"port": 4002}, "paper", "account"),
        ("ccxt", {"exchange": "other"}, "paper", "exchange"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, options: dict[str, Scalar], mode: Mode, said: str) -> None:
    with pytest.raises(VenueError, match=said) as error:
        made(name, tmp_path, options, mode)
    assert SECRET not in str(error.value)


def test_two_instruments_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VenueError, match="AAPL"):
        made("alpaca", tmp_path, symbols=("AAPL.NASDAQ", "AAPL.NYSE"))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    config = VenueConfig("account", "paper", tmp_path, (), {})
    with pytest.raises(VenueError, match="needs key"):
        open_venue("alpaca", config)


def test_the_registry_loads_no_library_of_a_venue() -> None:
    code = (
        "import sys, modules.live.venues.registry\n"
        "print([m for m in ('alpaca', 'ccxt', 'ib_async', 'simplefix') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
