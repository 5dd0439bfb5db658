"""The latch and the account's file: what is unclear is killed or refused, and nothing here loosens a limit.

1. A latch that is missing, cut, garbage or of another make reads as killed.
2. It is durable before it is said; what could not be written leaves what stood.
3. An account's file may tighten every limit and loosen none; its clock is the venue's on recorded data only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from modules.live.risk.limits import LimitsError
from modules.live.riskd.config import ConfigError, RiskdConfig, load_config
from modules.live.riskd.latch import NAME, Latch, LatchError
from modules.live.riskd.start import StartError, checked_limits
from tests.modules.live.riskd.house import folder
from traces.disk import Disk

UNCLEAR: list[tuple[str, Callable[[Path], object]]] = [
    ("missing", lambda p: p.unlink()),
    ("empty", lambda p: p.write_bytes(b"")),
    ("cut", lambda p: p.write_bytes(p.read_bytes()[:-9])),
    ("garbage", lambda p: p.write_bytes(b"\xff\0")),
    ("another make", lambda p: p.write_text('{"killed": false}')),
    ("a word for a truth", lambda p: p.write_text(p.read_text().replace("false", '"no"', 1))),
    ("more than is known", lambda p: p.write_text(p.read_text().replace("{", '{"x":1,', 1))),
]


@pytest.mark.parametrize(("name", "spoil"), UNCLEAR, ids=[n for n, _ in UNCLEAR])
def test_1_what_is_unclear_is_killed(name: str, spoil: Callable[[Path], object], tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    latch.open("riskd", "first start", 0)
    assert not latch.read().killed
    assert not latch.changed()
    spoil(tmp_path / NAME)
    assert latch.changed()
    assert latch.read().killed


def test_1_another_process_is_seen(tmp_path: Path) -> None:
    mine, other = Latch(tmp_path), Latch(tmp_path)
    mine.open("riskd", "first start", 0)
    mine.read()
    other.kill("ops", "why", 5, flatten=True)
    assert mine.changed()
    assert (mine.read().sentence, mine.changed()) == ("ops: why (flatten)", False)
    other.kill("ops", "again", 6, flatten=False)
    assert mine.read().flatten  # asked to be flat once, flat until the reset
    other.open("Ada", "seen", 7)
    assert not mine.read().killed


@pytest.mark.parametrize("call", ["write", "datasync", "replace"])
def test_2_what_could_not_be_written(call: str, tmp_path: Path) -> None:
    class Full(Disk):
        pass

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    Latch(tmp_path).open("riskd", "first start", 0)
    disk = Full()
    setattr(disk, call, fail)
    with pytest.raises(LatchError, match="No space left"):
        Latch(tmp_path, disk).kill("ops", "why", 1, flatten=False)
    assert not Latch(tmp_path).read().killed


LOOSER = [
    ("max_instrument_nav", 0.06),
    ("max_daily_loss", 0.051),
    ("stale_ms", 10**9),
    ("messages_a_second", "many"),
    ("order_types", ["stop"]),
    ("venues", ["alpaca"]),
    ("strategies", {"alpha": 1e12}),
    ("strategies", {"alpha": -1.0}),
    ("no_such_limit", 1.0),
    ("max_leverage", None),
    ("restricted", "AAA"),
]


@pytest.mark.parametrize(("name", "value"), LOOSER, ids=[f"{n} {v}" for n, v in LOOSER])
def test_3_an_account_loosens_nothing(name: str, value: object) -> None:
    with folder() as place:
        config = load_config(place).model_copy(update={"limits": {name: value}})
        with pytest.raises(LimitsError, match=name):
            config.in_force()


def test_3_an_account_tightens(tmp_path: Path) -> None:
    with folder() as place:
        config = load_config(place)
        tight = {"max_daily_loss": 0.01, "order_types": ["limit"], "strategies": {"alpha": 5e4}, "restricted": ["AAA"]}
        limits = config.model_copy(update={"limits": tight}).in_force()
        assert (limits.max_daily_loss, limits.order_types, limits.restricted) == (
            0.01,
            frozenset({"limit"}),
            frozenset({"AAA"}),
        )
        assert limits.strategies == {"alpha": 5e4}
        named = tmp_path / "limits.yaml"
        named.write_text(yaml.safe_dump({"strategies": {"alpha": 4e4}, "restricted": ["AAA"]}))
        wider: tuple[dict[str, object], ...] = (
            {"strategies": {"alpha": 5e4}},
            {"strategies": {"beta": 1.0}},
            {"restricted": []},
        )
        for loose in wider:
            with pytest.raises(LimitsError):
                config.model_copy(update={"limits": loose}).in_force(named)
        with pytest.raises(StartError, match="venue ib is not in"):
            checked_limits(config.model_copy(update={"venue": config.venue.model_copy(update={"name": "ib"})}))


WRONG = [
    ({"clock": "venue", "mode": "live"}, "only recorded data on paper gives the time"),
    ({"clock": "venue", "venue": {"name": "alpaca"}}, "only recorded data on paper gives the time"),
    ({"account": "../etc"}, "account"),
    ({"account": "A" * 40}, "account"),
    ({"instruments": []}, "instruments"),
    ({"mode": "real"}, "mode"),
    ({"bypass": True}, "bypass"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[str(c) for c, _ in WRONG])
def test_3_an_account_that_is_refused(change: dict[str, object], said: str) -> None:
    with folder() as place:
        values = yaml.safe_load((place / "riskd.yaml").read_text())
        (place / "riskd.yaml").write_text(yaml.safe_dump(values | change))
        with pytest.raises(ConfigError, match=said):
            load_config(place)
        (place / "riskd.yaml").unlink()
        with pytest.raises(ConfigError, match=r"docs/riskd\.md"):
            load_config(place)


def test_3_recorded_data_may_give_the_time() -> None:
    with folder() as place:
        made = RiskdConfig.model_validate(load_config(place).model_dump() | {"clock": "venue"})
        assert made.clock == "venue"
