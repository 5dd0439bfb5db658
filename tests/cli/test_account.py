"""`cws account`: what it writes is what the risk core takes, and says what a human must not miss."""

from __future__ import annotations

import stat

import pytest
import yaml

from modules.live.riskd.config import load_config
from modules.workspace import Workspace
from tests.cli.conftest import Cws

pytestmark = pytest.mark.slow


@pytest.fixture
def ran(cws: Cws) -> str:
    return str(cws("run", "--no-report", "--data", "us5", "--json").json["run_id"])


def test_an_account_of_a_run(cws: Cws, ran: str) -> None:
    said = cws("account", "new", "demo", "--run", ran, "--port", "7001", "--json")
    assert said.code == 0, said.err
    folder = Workspace.here().home / "live" / "demo"
    config = load_config(folder)
    assert (config.account, config.mode, config.clock, config.venue.name) == ("demo", "paper", "venue", "sim")
    assert config.venue.options == {"port": 7001} and config.limits["strategies"] == {said.json["strategy"]: 1e6}
    assert len(config.instruments) > 3 and all(0.002 < row.sigma_day < 0.2 for row in config.instruments)
    assert all(0.2 < row.beta < 2.5 for row in config.instruments), "on the mean of all"
    assert stat.S_IMODE((folder / "riskd.yaml").stat().st_mode) == 0o600
    assert any("LOCATE" in note for note in said.json["notes"])
    assert cws("riskd", "--account", "demo", "--check").code == 0
    assert "PAPER demo at sim, clock venue, " in cws("account", "list").out

    again = cws("account", "new", "demo", "--run", ran)
    assert again.code == 1 and "there already" in again.err


def test_what_the_bars_do_not_tell_is_given_by_hand(cws: Cws, ran: str) -> None:
    given = ("--adv-lots", "1000", "--located-lots", "50", "--capital", "9000", "--venue", "paper")
    said = cws("account", "new", "demo", "--run", ran, *given, "--json")
    assert said.code == 0 and not said.json["notes"], said.err
    values = yaml.safe_load((Workspace.here().home / "live" / "demo" / "riskd.yaml").read_text())
    assert values["clock"] == "wall" and list(values["limits"]["strategies"].values()) == [9000.0]
    assert all(row["located_lots"] == 50 and row["adv_lots"] > 0 for row in values["instruments"])


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("Demo", "--run", "last"), "account"),
        (("demo", "--run", "last", "--venue", "alpaca", "--clock", "venue"), "clock"),
        (("demo", "--run", "nosuchrun"), "nosuchrun"),
    ],
)
def test_what_is_refused_leaves_nothing(cws: Cws, ran: str, argv: tuple[str, ...], why: str) -> None:
    said = cws("account", "new", *argv)
    assert said.code != 0 and why in said.err
    assert not (Workspace.here().home / "live" / argv[0]).exists()
    assert "no account" in cws("account", "list").out
