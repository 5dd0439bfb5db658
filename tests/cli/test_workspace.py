"""`cws skills`, `module`, `doctor`: what the workspace holds, and whether it is fit to work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import cli.doctor
from cli.doctor import Check, examine
from cli.session import Stores
from modules.workspace import CHECKOUT, Workspace
from tests.cli.conftest import Cws


def test_skills_list_and_show(cws: Cws) -> None:
    found = cws("skills", "list", "--json").json["skills"]
    assert len(found) >= 15 and all(s["description"] for s in found)
    shown = cws("skills", "show", found[0]["name"], "--json").json
    assert shown["body"] in cws("skills", "show", found[0]["name"]).out + "\n"
    wrong = cws("skills", "show", "momentun", "--json")
    assert wrong.code == 2 and "momentum" in wrong.json["error"]["remedy"]


def test_module_list_has_settings_and_bounds(cws: Cws) -> None:
    found = {(m["stage"], m["name"]): m for m in cws("module", "list", "--json").json["modules"]}
    assert {("size", "rank_neutral"), ("size", "vol_target"), ("execute", "next_bar")} <= set(found)
    size = found["size", "rank_neutral"]
    assert size["in_pipeline"] is True and found["size", "vol_target"]["in_pipeline"] is False
    assert size["bounds"]["no_trade_band"]["maximum"] >= size["settings"]["no_trade_band"]
    assert "no_trade_band" in cws("module", "list").out


def _stores(home: Path, root: Path = CHECKOUT) -> Stores:
    return Stores(Workspace(root=root, home=home))


def _one(check: object, stores: Stores) -> Check:
    return next(iter(check(stores)))  # type: ignore[operator]


def test_doctor_says_ok_only_without_an_error(cws: Cws, monkeypatch: pytest.MonkeyPatch) -> None:
    def good(_: Stores) -> list[Check]:
        return [Check("good", True, "error", "fine")]

    def odd(_: Stores) -> list[Check]:
        return [Check("odd", False, "warning", "could be better", "do this")]

    def bad(_: Stores) -> list[Check]:
        return [Check("bad", False, "error", "broken", "mend it")]

    def bug(_: Stores) -> list[Check]:
        raise RuntimeError("the check itself broke")

    for checks, code in (((good, odd), 0), ((good, bad), 1), ((good, bug), 1)):
        monkeypatch.setattr(cli.doctor, "CHECKS", checks)
        done = cws("doctor", "--json")
        assert (done.code, done.json["ok"]) == (code, code == 0)
        assert all({"name", "ok", "level", "detail", "remedy"} <= c.keys() for c in done.json["checks"])
    monkeypatch.setattr(cli.doctor, "CHECKS", (odd,))
    assert "remedy: do this" in cws("doctor").out


def test_doctor_on_this_checkout_checks_everything(cws: Cws) -> None:
    found = {c["name"] for c in cws("doctor", "--json").json["checks"]}
    assert {"python", "libraries", "data us20", "data us5", "store", "artifacts", "ledger", "sandbox", "model"} <= found


def test_doctor_leaves_the_ledger_and_the_data_alone(cws: Cws, home: Path) -> None:
    cws("doctor")
    assert not (home / "ledger").exists() and not (home / "data" / "us20").exists()


@pytest.mark.parametrize(
    ("lock", "ok", "words"),
    [
        ("numpy==0.0.1 \\\n    --hash=sha256:00\n", False, "pinned 0.0.1"),
        ("no-such-library==1.0\n", False, "not installed"),
        ("", True, "0 pinned"),
    ],
)
def test_libraries_against_the_lock(tmp_path: Path, lock: str, ok: bool, words: str) -> None:
    (tmp_path / "requirements.lock").write_text(lock)
    found = _one(cli.doctor._libraries, _stores(tmp_path, root=tmp_path))
    assert found.ok is ok and words in found.detail
    assert bool(found.remedy) is not ok


@pytest.mark.parametrize(
    ("env", "ok", "words"),
    [
        ({}, True, "offline"),
        ({"CWS_LLM": "openai:gpt-6-astra"}, False, "no key in OPENAI_API_KEY"),
        ({"CWS_LLM": "openai:gpt-6-astra", "OPENAI_API_KEY": "x"}, True, "not called"),
        ({"CWS_LLM": "openai:unpriced", "OPENAI_API_KEY": "x"}, False, "no cap on money can hold"),
        ({"CWS_LLM": "anthropic:claude-opus-5-5"}, False, "no key in ANTHROPIC_API_KEY"),
        ({"CWS_LLM": "oracle"}, False, "write one of offline"),
    ],
)
def test_model_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], ok: bool, words: str
) -> None:
    for name in ("CWS_LLM", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    found = _one(cli.doctor._model, _stores(tmp_path))
    assert found.ok is ok and words in found.detail


def test_a_damaged_artifact_is_found(tmp_path: Path) -> None:
    import polars as pl

    stores = _stores(tmp_path)
    digest = stores.artifacts.put(pl.DataFrame({"a": [1, 2, 3]}))
    assert cli.doctor._artifacts(stores).ok
    path = stores.artifacts.find(digest)
    assert path is not None
    pl.DataFrame({"a": [1, 2, 4]}).write_parquet(path)
    found = cli.doctor.examine(stores)
    assert any(not c.ok and digest[:12] in c.detail for c in found)


def test_a_damaged_feature_store_is_a_warning(tmp_path: Path) -> None:
    from tests.modules.featurestore.made import stored

    stores = _stores(tmp_path)
    assert cli.doctor._features(stores).ok and not stores.workspace.features.exists()
    stored(stores.workspace.features)
    found = cli.doctor._features(stores)
    assert found.ok and found.detail == "3 builds in 2 commits"
    (stores.workspace.features / "head.json").unlink()
    found = cli.doctor._features(stores)
    assert (found.ok, found.level) == (False, "warning") and "build the features again" in found.remedy


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    found = _one(cli.doctor._store, _stores(blocked / "home"))
    assert not found.ok and "CWS_HOME" in found.remedy


@pytest.mark.parametrize("started", [False, True], ids=["no repository", "no commit"])
def test_git_that_holds_nothing_is_a_finding_with_one_remedy(tmp_path: Path, started: bool) -> None:
    if started:
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (found,) = (c for c in examine(_stores(tmp_path / "home", tmp_path)) if c.name == "git")
    assert not found.ok and found.level == "error"
    assert "git add -A" in found.remedy and found.remedy not in found.detail
    assert "RepositoryError" not in found.detail
