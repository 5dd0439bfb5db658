"""Families as they stand in the checkout: their default members run on bundled data and pass their own acceptance."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.contract import Context
from modules.feature.contract import Inputs
from modules.feature.family import signal_of
from modules.feature.library import families
from modules.panel import Panel
from modules.registry import load_module
from modules.signal import fields_of
from tests.pipelines import Desk

SETS = ("us20", "us5")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inputs]:
    found = {}
    for name in SETS:
        desk = Desk(Path(tmp_path_factory.mktemp(name)), data_name=name)
        manifest = desk.run(until="clean")
        bars, instruments = (desk.store.get(manifest.output(port)) for port in ("bars", "instruments"))
        assert isinstance(bars, Panel)
        found[name] = Inputs(bars, instruments)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("family", families())
def test_the_default_members_are_accepted(family: str, inputs: dict[str, Inputs]) -> None:
    """On each bundled set that has the fields; families that read more than bars have tests of their own."""
    module = load_module("feature", family)
    needs = fields_of(signal_of(module.settings))  # type: ignore[arg-type]
    able = [name for name in SETS if needs <= set(inputs[name].panel.fields)]
    if not able:
        assert module.inputs is not Inputs, f"no bundled data can run {family}"
        pytest.skip("reads more than bars")
    for name in able:
        given = inputs[name]
        outputs = module.run(given, module.settings, Context(seed=0, start_ns=int(given.bars.ts[300])))
        assert module.accept(given, outputs, module.settings) == []
        assert outputs.metrics["reads_level"] == 0.0 and outputs.notes == ()


@pytest.mark.parametrize("family", ["alpha158", "alpha101"])
def test_these_run_on_closes_alone(family: str) -> None:
    settings = load_module("feature", family).settings
    assert fields_of(signal_of(settings)) == {"close"}  # type: ignore[arg-type]
