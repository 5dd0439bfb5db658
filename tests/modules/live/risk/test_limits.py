"""Limits: what stands in the file, and what is refused at load.

1. Every number that has a hard constant is refused beyond it, naming constant, value and remedy.
2. The file beside the code is what the defaults say, so that nobody reads one and gets the other.
3. Nothing in the environment and no argument loosens or switches off a limit.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import yaml

from modules.live.risk import core, holdings, intent, kernel, limits, sizing, sums, table
from modules.live.risk.limits import _HARD, FILE, LimitsError, LiveLimits, load_limits


def written(folder: Path, **values: object) -> Path:
    path = folder / "limits.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.parametrize("name", sorted(_HARD))
def test_looser_than_the_constant_is_refused(name: str, tmp_path: Path) -> None:
    constant, hard = _HARD[name]
    tight = load_limits(written(tmp_path, **{name: int(hard) if hard > 10 else hard, "strategies": {}}))
    assert getattr(tight, name) == hard
    with pytest.raises(LimitsError, match=rf"{name} = .*{constant}.*smaller value"):
        load_limits(written(tmp_path, **{name: int(hard) + 1 if hard > 10 else hard * 1.001}))


def test_every_constant_bounds_a_limit() -> None:
    constants = {n for n in vars(limits) if n.startswith("HARD_")}
    assert constants == {constant for constant, _ in _HARD.values()}
    assert set(_HARD) <= set(LiveLimits.model_fields)


def test_the_file_says_what_the_defaults_are() -> None:
    assert load_limits(FILE) == LiveLimits()
    assert set(yaml.safe_load(FILE.read_text())) == set(LiveLimits.model_fields)


REFUSED = [
    ({"max_leverage": 0.0}, "max_leverage"),
    ({"max_leverage": float("nan")}, "max_leverage = nan is looser"),
    ({"max_leverage": "2"}, "max_leverage"),
    ({"no_limits": True}, "no_limits"),
    ({"order_types": []}, "no order could ever pass"),
    ({"order_types": ["pegged"]}, "order_types"),
    ({"venues": []}, "no order could ever pass"),
    ({"strategies": {"a": 2e7}, "total_capital_usd": 1e7}, "could never bind"),
    ({"strategies": {"a": -1.0}}, "strategies.a"),
]


@pytest.mark.parametrize(("values", "said"), REFUSED, ids=[str(v) for v, _ in REFUSED])
def test_nonsense_is_refused(values: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(LimitsError, match=said):
        load_limits(written(tmp_path, **values))


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "just words"])
def test_what_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    with pytest.raises(LimitsError, match=r"limits limits\.yaml"):
        load_limits(path)
    with pytest.raises(LimitsError, match="does not start"):
        load_limits(tmp_path / "none.yaml")


def test_no_way_around() -> None:
    for module in (core, holdings, intent, kernel, limits, sizing, sums, table):
        source = inspect.getsource(module)
        for word in ("environ", "getenv", "bypass", "disable", "override", "skip", "unsafe", "no_risk"):
            assert word not in source, f"{module.__name__}: {word}"
