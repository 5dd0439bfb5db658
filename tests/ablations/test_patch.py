"""What a patch may touch, and what it does to a settings file.

1. A path that is not exactly a module's settings.yaml or a text below skills/<name>/ is refused by its spelling.
2. A rendered settings file differs from the old one in the patched lines only.
3. A value outside the module's declared bounds, or an assumption about the world, is refused before anything runs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ablations.patch import Change, Patch, TextChange, diff, patched_settings, propose, render_settings, rendered_files
from ablations.paths import ForbiddenPathError, PatchError, check_path
from modules.registry import load_module, settings_path

ALLOWED = [
    "modules/size/rank_neutral/settings.yaml",
    "modules/ingest/files/settings.yaml",
    "skills/momentum/SKILL.md",
    "skills/short-term-reversal/examples/first_case.yaml",
]

FORBIDDEN = [
    "",
    "settings.yaml",
    "modules/size/rank_neutral/run.py",
    "modules/size/rank_neutral/settings.py",
    "modules/size/rank_neutral/contract.py",
    "modules/size/rank_neutral/acceptance.py",
    "modules/size/rank_neutral/README.md",
    "modules/size/rank_neutral/sub/settings.yaml",
    "modules/size/settings.yaml",
    "modules/risk/core/settings.yaml",
    "modules/engine/risk.py",
    "modules/engine/settings.yaml",
    "modules/../modules/size/rank_neutral/settings.yaml",
    "modules/size/../execute/settings.yaml",
    "modules/size/./settings.yaml",
    "modules//size/rank_neutral/settings.yaml",
    "/modules/size/rank_neutral/settings.yaml",
    "./modules/size/rank_neutral/settings.yaml",
    "modules/size/rank_neutral/settings.yaml/",
    "modules/size/rank_neutral/settings.yaml\n",
    "modules/size/rank_neutral/settings.yaml\0.py",
    "modules/size/rank_neutral/settings.yml",
    "Modules/size/rank_neutral/settings.yaml",
    "modules/Size/rank_neutral/settings.yaml",
    "modules/size/Rank_Neutral/settings.yaml",
    "modules/size/rank_neutral/Settings.yaml",
    "MODULES/SIZE/RANK_NEUTRAL/SETTINGS.YAML",
    "modules\\size\\rank_neutral\\settings.yaml",
    "modules/size/rank_neutral /settings.yaml",
    "modules/size/r\u0430nk_neutral/settings.yaml",
    "modules/size/rank_neutral/settings\uff0eyaml",
    "skills/registry.py",
    "skills/__init__.py",
    "skills/momentum/run.py",
    "skills/momentum/scripts/run.sh",
    "skills/momentum/../registry.py",
    "skills/momentum/../../ablations/gate.py",
    "skills/momentum/.git/config.txt",
    "skills/SKILL.md",
    "skills/momentum",
    "skills",
    "ablations/gate.py",
    "ablations/paths.py",
    "ablations/suites/fast.yaml",
    "ablations/records/certificates/0.json",
    "pipeline.yaml",
    "pyproject.toml",
    "tests/ablations/test_patch.py",
    ".ci/run",
    ".git/hooks/pre-commit",
    ".github/workflows/ci.yaml",
    "Makefile",
    "supervisor/loop.py",
    "harness/graph.py",
    "traces/ledger.py",
    "cli/main.py",
    "~/.ssh/config",
    "C:/modules/size/rank_neutral/settings.yaml",
    "modules/size/" + "a" * 200 + "/settings.yaml",
]


@pytest.mark.parametrize("path", ALLOWED)
def test_allowed(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", FORBIDDEN)
def test_forbidden(path: str) -> None:
    with pytest.raises(ForbiddenPathError, match="a patch may touch"):
        check_path(path)


@pytest.mark.parametrize("path", [p for p in FORBIDDEN if p])
def test_a_patch_of_a_forbidden_text_cannot_be_made(path: str) -> None:
    with pytest.raises(ValueError, match=r"touch|below"):
        Patch(module="skills", texts={path: TextChange(old=None, new="x")})


@pytest.mark.parametrize(
    "module", ["size", "size/../execute", "engine/bars", "size/rank_neutral/..", "/size/x", "Size/x"]
)
def test_a_patch_of_a_forbidden_module_cannot_be_made(module: str) -> None:
    with pytest.raises(ValueError, match="touch"):
        Patch(module=module, changes={"x": Change(old=1, new=2)})


def test_symbolic_links_on_the_way_are_refused(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "settings.yaml").write_text("a: 1\n")
    (tmp_path / "modules" / "size").mkdir(parents=True)
    (tmp_path / "modules" / "size" / "linked").symlink_to(real)
    with pytest.raises(ForbiddenPathError, match="symbolic link"):
        check_path("modules/size/linked/settings.yaml", tmp_path)


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"no_trade_band": 5.0}, "out of bounds"),
        ({"no_trade_band": -0.1}, "out of bounds"),
        ({"smoothing_bars": 2.5}, "out of bounds"),
        ({"smoothing_bars": "many"}, "out of bounds"),
        ({"weight_cap": 0.9}, "out of bounds"),
        ({"no_trade_band": 0.0}, "stays"),
    ],
)
def test_values_outside_the_bounds(changes: dict[str, float | str], words: str) -> None:
    module = load_module("size", "rank_neutral")
    with pytest.raises(PatchError, match=words):
        patched_settings(propose(module, changes), module.settings)


def test_an_unknown_setting_names_those_there_are() -> None:
    with pytest.raises(PatchError, match="no_trade_band"):
        propose(load_module("size", "rank_neutral"), {"no_trade_bnd": 0.1})


@pytest.mark.parametrize("setting", ["half_spread_bps", "commission_bps", "fill_without_open", "capital_usd"])
def test_assumptions_about_the_world_are_not_for_patches(setting: str) -> None:
    module = load_module("execute", "next_bar")
    new = "previous_close" if setting == "fill_without_open" else 1.5e6 if setting == "capital_usd" else 0.0
    with pytest.raises(PatchError, match="assumption"):
        patched_settings(propose(module, {setting: new}), module.settings)


def test_a_risk_limit_cannot_be_loosened() -> None:
    module = load_module("execute", "next_bar")
    with pytest.raises(PatchError, match="out of bounds"):
        patched_settings(propose(module, {"max_instrument_nav": 0.5}), module.settings)


def test_a_patch_made_for_other_settings_is_refused() -> None:
    module = load_module("size", "rank_neutral")
    stale = Patch(module="size/rank_neutral", changes={"no_trade_band": Change(old=0.5, new=0.01)})
    with pytest.raises(PatchError, match="propose it anew"):
        patched_settings(stale, module.settings)


# --- files ----------------------------------------------------------------------------------------

TEXT = """\
# Head: stays.
gross_leverage: 1.0   # a comment: with a colon
name: 'a # b'         # after quotes

band:    0.0
flag: true
list: [1, 2]
last: null
"""


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("gross_leverage", 1.0, 0.5, "gross_leverage: 0.5   # a comment: with a colon"),
        ("name", "a # b", "c: # d", "name: 'c: # d'         # after quotes"),
        ("band", 0.0, 1e-05, "band: 1.0e-05"),
        ("flag", True, False, "flag: false"),
        ("list", (1, 2), (3, 4), "list: [3, 4]"),
        ("last", None, 7, "last: 7"),
        ("absent", 1, 2, "absent: 2"),
    ],
)
def test_rendering_touches_one_line(name: str, old: object, new: object, line: str) -> None:
    patch = Patch.model_validate({"module": "size/x", "changes": {name: {"old": old, "new": new}}})
    rendered = render_settings(TEXT, patch)
    before, after = TEXT.splitlines(), rendered.splitlines()
    changed = [b for a, b in zip(before, after, strict=False) if a != b] + after[len(before) :]
    assert changed == [line]


@pytest.mark.parametrize(
    "text", ["band:\n  0.0\n", "band: |\n  0.0\n", "band: 0.0\nband: 0.1\n", "{band: 0.0}\n", "- band\n", "band: [\n"]
)
def test_files_that_cannot_be_edited_by_line_are_refused(text: str) -> None:
    patch = Patch(module="size/x", changes={"band": Change(old=0.0, new=0.5)})
    with pytest.raises(PatchError):
        render_settings(text, patch)


@given(
    st.one_of(
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.text(max_size=40).filter(str.isprintable),
    )
)
def test_any_plain_value_survives_rendering(value: int | float | bool | str) -> None:
    rendered = render_settings(TEXT, Patch(module="size/x", changes={"band": Change(old=0.0, new=value)}))
    assert yaml.safe_load(rendered) == {**yaml.safe_load(TEXT), "band": value}


@pytest.mark.parametrize("text", ["a\nb: 1", "\x85", "\u2028", "\x00", "x" * 501])
def test_texts_that_leave_their_line_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="on one line"):
        Change(old="", new=text)


def test_the_diff_of_a_real_module(tmp_path: Path) -> None:
    folder = tmp_path / "modules" / "size" / "rank_neutral"
    folder.mkdir(parents=True)
    (folder / "settings.yaml").write_text(settings_path("size", "rank_neutral").read_text())
    patch = propose(load_module("size", "rank_neutral"), {"no_trade_band": 0.02})
    assert list(rendered_files(patch, tmp_path)) == ["modules/size/rank_neutral/settings.yaml"]
    lines = diff(patch, tmp_path).splitlines()
    assert [x for x in lines if x.startswith(("+", "-")) and not x.startswith(("+++", "---"))] == [
        "-no_trade_band: 0.0",
        "+no_trade_band: 0.02",
    ]


def test_the_digest_is_of_the_content() -> None:
    one = Patch(module="size/x", changes={"a": Change(old=1, new=2), "b": Change(old=1, new=3)})
    other = Patch(module="size/x", changes={"b": Change(old=1, new=3), "a": Change(old=1, new=2)})
    assert one.digest == other.digest
    assert one.digest != Patch(module="size/x", changes={"a": Change(old=1, new=2)}).digest
