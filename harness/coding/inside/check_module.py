"""Tests of one module, run in a sandbox: `python check_module.py STAGE NAME`.

Beside it lie the module (`modules/STAGE/NAME/`), the artifacts that a run puts before it (`artifacts/`, `given.json`),
and below /shown the project that it imports. Writes `report.json`: the rules that the module breaks, in order. The code
under test runs in this process and could write the report itself, so a report is its claim: it steers the next draft
and nothing else. What a human merges is tested again by the project's own suite.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHOWN = Path("/shown")
MOST_SECONDS = 30.0
MOST_WORDS = 1_500


class StopError(Exception):
    """A test failed, and those that follow need what it shows."""


class Report:
    """The rules broken so far, and how long each test took."""

    def __init__(self) -> None:
        self.failures: list[dict[str, str]] = []
        self.passed: list[str] = []

    def fail(self, rule: str, words: str) -> None:
        """One more broken rule."""
        self.failures.append({"rule": rule, "words": words[-MOST_WORDS:]})

    @contextmanager
    def test(self, rule: str) -> Iterator[None]:
        """A test that fails with whatever it raises, and then ends the tests."""
        before = len(self.failures)
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - code under test may raise anything, SystemExit included
            lines = traceback.format_exception(error)
            own = [line for line in lines if "check_module.py" not in line]
            self.fail(rule, "".join(own))
            raise StopError from None
        if len(self.failures) > before:
            raise StopError
        self.passed.append(rule)


def check(report: Report, stage: str, name: str) -> None:
    """Every test, in the order in which a later one needs an earlier one."""
    loaded: dict[str, Any] = {}
    with report.test("the module can be imported"):
        package = importlib.import_module(f"modules.{stage}")
        package.__path__.append(str(HERE / "modules" / stage))
        for part in ("contract", "settings", "run", "acceptance"):
            loaded[part] = importlib.import_module(f"modules.{stage}.{name}.{part}")
    settings, contract = _declared(report, loaded, stage, name)
    inputs = _inputs(report, contract)
    outputs = _run(report, loaded, contract, settings, inputs)
    with report.test("the module accepts its own output"):
        for violation in loaded["acceptance"].accept(inputs, outputs[0], settings):
            report.fail("the module accepts its own output", str(violation))
    if stage == "feature":
        _reads_back_only(report, loaded, settings, inputs, outputs[0])


def _declared(report: Report, loaded: dict[str, Any], stage: str, name: str) -> tuple[Any, Any]:
    import yaml

    from modules.contract import ports_of

    with report.test("the contract is the module's own"):
        contract = loaded["contract"]
        declared = contract.CONTRACT
        if (declared.stage, declared.name) != (stage, name):
            report.fail("the contract is the module's own", f"declares {declared.stage}/{declared.name}")
        ports_of(contract.Inputs), ports_of(contract.Outputs)
    with report.test("settings.yaml names every setting, and each number has bounds"):
        rule, model = "settings", loaded["settings"].Settings
        values = yaml.safe_load((HERE / "modules" / stage / name / "settings.yaml").read_text()) or {}
        if sorted(values) != sorted(model.model_fields):
            report.fail(rule, f"settings.yaml has {sorted(values)}, Settings has {sorted(model.model_fields)}")
        if not (model.model_config.get("frozen") and model.model_config.get("extra") == "forbid"):
            report.fail(rule, "Settings must derive from modules.contract.ModuleSettings")
        for setting, schema in model.model_json_schema().get("properties", {}).items():
            for kind in [schema, *schema.get("anyOf", [])]:
                low, high = {"minimum", "exclusiveMinimum"} & set(kind), {"maximum", "exclusiveMaximum"} & set(kind)
                if kind.get("type") in ("number", "integer") and not (low and high):
                    report.fail(rule, f"{setting} has no bounds: Field(..., ge=, le=)")
        settings = model.model_validate(values)
    return settings, contract


def _inputs(report: Report, contract: Any) -> Any:
    from modules.artifacts import ArtifactStore
    from modules.contract import ports_of

    with report.test("what it asks for is there"):
        given = json.loads((HERE / "given.json").read_text())["artifacts"]
        store, wanted = ArtifactStore(HERE / "artifacts"), ports_of(contract.Inputs)
        absent = sorted(set(wanted) - set(given))
        if absent:
            raise ValueError(f"Inputs names {', '.join(absent)}; earlier stages write {', '.join(sorted(given))}")
        return contract.Inputs(**{name: store.get(given[name]) for name in wanted})


def _run(report: Report, loaded: dict[str, Any], contract: Any, settings: Any, inputs: Any) -> list[Any]:
    from modules.canonical import digest_artifact
    from modules.contract import Context, check_ports

    start_ns = int(json.loads((HERE / "given.json").read_text())["start_ns"])
    declared, context = contract.CONTRACT, Context(seed=3, start_ns=start_ns)
    names = [f.name for f in dataclasses.fields(inputs)]

    def state() -> dict[str, str]:
        return {n: digest_artifact(getattr(inputs, n)) for n in names}

    with report.test("it runs"):
        before = state()
        outputs = [loaded["run"].run(inputs, settings, context)]  # the first may compile
        began = time.monotonic()
        outputs.append(loaded["run"].run(inputs, settings, context))
        took = time.monotonic() - began
        checked = [check_ports(declared.stage, declared.name, "outputs", o) for o in outputs]
    with report.test("it is pure and quick"):
        digests = [{k: digest_artifact(v) for k, v in c.items()} for c in checked]
        if digests[0] != digests[1]:
            report.fail("it is pure", "the same inputs gave other bits the second time")
        if state() != before:
            report.fail("it is pure", "it changed its inputs")
        if took > MOST_SECONDS:
            report.fail("it is quick", f"one run took {took:.1f} s, at most {MOST_SECONDS:g} s")
    return outputs


def _reads_back_only(report: Report, loaded: dict[str, Any], settings: Any, inputs: Any, whole: Any) -> None:
    """The module's own acceptance may have been written to look away: this one does not ask it."""
    import numpy as np

    from modules.contract import Context

    with report.test("it does not read the future"):
        values, rows = whole.signal["signal"], inputs.bars.shape[0]
        for cut in (rows // 2, rows - rows // 7, rows - 1):
            panel = inputs.bars.rows(0, cut)
            shorter = dataclasses.replace(inputs, bars=panel)
            other = loaded["run"].run(shorter, settings, Context(seed=3, start_ns=int(panel.ts[0]))).signal["signal"]
            if other.shape != values[:cut].shape or not np.array_equal(other, values[:cut], equal_nan=True):
                words = f"its values on the first {cut} rows change when the {rows - cut} later rows are taken away"
                report.fail("it does not read the future", words)
                return


def main() -> int:
    """0 where every rule holds."""
    stage, name = sys.argv[1:3]
    sys.path[:0] = [str(SHOWN)]
    report = Report()
    with suppress(StopError):
        check(report, stage, name)
    text = json.dumps({"passed": report.passed, "failures": report.failures})
    (HERE / "report.json").write_text(text)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
