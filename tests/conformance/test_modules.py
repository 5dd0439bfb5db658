"""What every module folder must be. A new module is covered by existing.

1. The folder is complete, the README short, the settings file names exactly the settings there are.
2. Every numeric setting has bounds: they are the search space.
3. The contract's objective names a column of an artifact that the pipeline writes, and its guards name metrics.
4. `run` is pure: the same inputs give the same bits, and no input is changed.
5. What a module accepts of itself holds on real data; what it writes passes its own contract.
6. Loading contract and settings compiles no kernel.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from modules.canonical import digest_artifact
from modules.contract import Context, Module, Stage, check_ports
from modules.door import facts_through_the_door
from modules.registry import MODULE_FILES, list_modules, load_module, module_folder
from modules.task import load_modules
from tests.modules.facts.files import add_us5_facts
from tests.pipelines import CHECKOUT, Desk

MODULES = list_modules()
IDS = [f"{s}/{n}" for s, n in MODULES]
every_module = pytest.mark.parametrize(("stage", "name"), MODULES, ids=IDS)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with made-up facts on the companies of us5, for modules that read them."""
    home = tmp_path_factory.mktemp("desk")
    desk = Desk(home, facts_name="us5_facts")
    add_us5_facts(desk.data, home)
    return desk


def inputs_of(module: Module, desk: Desk) -> object:
    """The artifacts that a real run puts before this module."""
    task = desk.task(end="2004-12-31")
    manifest = desk.run(task, load_modules(task, desk.version))
    digests = {name: digest for record in manifest.stages for name, digest in record.outputs.items()}
    found = {}
    source = desk.raw()
    for name in module.ports("inputs"):
        if name == "raw":
            found[name] = source.load()
        elif name == "facts":
            assert source.facts is not None
            found[name] = facts_through_the_door(source.facts.load(), task.end_ns, None)
        else:
            found[name] = desk.store.get(digests[name])
    return module.inputs(**found)


def test_there_is_a_module_for_every_stage() -> None:
    assert {s for s, _ in MODULES} == {"ingest", "clean", "feature", "backtest", "size", "execute"}


@every_module
def test_the_folder_is_complete(stage: Stage, name: str) -> None:
    folder = module_folder(stage, name)
    assert [f for f in (*MODULE_FILES, "__init__.py") if not (folder / f).exists()] == []
    lines = (folder / "README.md").read_text().splitlines()
    assert 3 <= len(lines) <= 40
    assert lines[0].startswith("# ")


@every_module
def test_settings_name_everything_and_bound_every_number(stage: Stage, name: str) -> None:
    module = load_module(stage, name)
    written = yaml.safe_load((module_folder(stage, name) / "settings.yaml").read_text()) or {}
    assert sorted(written) == sorted(type(module.settings).model_fields)
    assert type(module.settings).model_config["frozen"] and type(module.settings).model_config["extra"] == "forbid"
    for setting, schema in type(module.settings).model_json_schema().get("properties", {}).items():
        kinds = [schema, *schema.get("anyOf", [])]
        for kind in kinds:
            if kind.get("type") in ("number", "integer"):
                low = {"minimum", "exclusiveMinimum"} & set(kind)
                high = {"maximum", "exclusiveMaximum"} & set(kind)
                assert low and high, f"{stage}/{name}: {setting} has no bounds"


@every_module
def test_the_contract_says_what_counts(stage: Stage, name: str) -> None:
    module = load_module(stage, name)
    contract = module.contract
    assert contract.summary.endswith(".")
    artifact, column = contract.objective_series.split(".")
    written = {p: schema for s, n in MODULES for p, schema in load_module(s, n).ports("outputs").items()}
    assert column in written[artifact].schema.columns()  # type: ignore[union-attr]
    for guard in contract.guards:
        assert guard.tolerance >= 0.0


@every_module
def test_run_is_pure_and_accepts_its_own_output(stage: Stage, name: str, desk: Desk) -> None:
    module = load_module(stage, name)
    if stage == "ingest":
        if name != desk.version.ingest:
            pytest.skip("ingest modules read the raw rows of their own data sets; see tests/modules/ingest")
        module = module.with_settings(desk.version.ingest_settings)
    inputs = inputs_of(module, desk)
    context = Context(seed=3, start_ns=desk.task(start="2002-01-01", end="2004-12-31").start_ns)
    before = {f.name: digest_artifact(getattr(inputs, f.name)) for f in dataclasses.fields(inputs)}  # type: ignore[arg-type]
    outputs = [module.run(inputs, module.settings, context) for _ in range(2)]
    after = {f.name: digest_artifact(getattr(inputs, f.name)) for f in dataclasses.fields(inputs)}  # type: ignore[arg-type]
    assert before == after
    one, two = ({k: digest_artifact(v) for k, v in check_ports(stage, name, "outputs", o).items()} for o in outputs)
    assert one == two
    assert outputs[0].metrics == outputs[1].metrics or repr(outputs[0].metrics) == repr(outputs[1].metrics)
    assert module.accept(inputs, outputs[0], module.settings) == []


def test_contracts_and_settings_load_without_a_compiler() -> None:
    code = (
        "import sys\n"
        + "\n".join(f"import modules.{s}.{n}.contract, modules.{s}.{n}.settings" for s, n in MODULES)
        + "\nassert 'numba' not in sys.modules, 'numba was imported'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_folder_below_a_stage_is_half_a_module() -> None:
    for stage in {s for s, _ in MODULES}:
        for path in sorted((CHECKOUT / "modules" / stage).iterdir()):
            if path.is_dir() and path.name != "__pycache__":
                assert (path / "contract.py").exists(), f"{Path(stage) / path.name} has no contract.py"
