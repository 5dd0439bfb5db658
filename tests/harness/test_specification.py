"""The specification as a document.

1. What is read is what was written, for every kind of reading; drafting from it equals drafting from the text.
2. Each bad document is refused with the field, the value and the rule; none is mended in silence.
3. What a human changes is what is drafted: the text is not read again.
4. A document cannot run anything, grow without end, or smuggle fields in.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Reading
from harness.specification import (
    MAX_BYTES,
    Specification,
    SpecificationError,
    from_yaml,
    read_spec,
    reading_of,
    specify,
    to_yaml,
)

DRAFTER = OfflineDrafter.of_checkout()
FIELDS = frozenset({"open", "high", "low", "close", "volume"})
TEXTS = (
    "stocks that fell the most last week rebound",
    "stocks up more than 5 % on high volume keep rising",
    "stocks with low volatility outperform",
    "momentum over the past six months skipping the latest month",
    "stocks near their 52-week high outperform when volume is twice its average",
    "last week's losers rebound in January",
)


def spec_of(text: str) -> Specification:
    draft = DRAFTER.specify(text, seed=0)
    assert draft.reading is not None, draft.question
    return specify(draft.reading, universe="us20", drafter="offline", skills=draft.skills)


def drafted(claim: str | Reading) -> list[str]:
    return [c.expr for c in DRAFTER.draft(claim, fields=FIELDS, others=(), k=6, seed=0).candidates]


@pytest.mark.parametrize("text", TEXTS)
def test_1_there_and_back(text: str) -> None:
    spec = spec_of(text)
    assert from_yaml(to_yaml(spec)) == spec
    assert drafted(reading_of(spec)) == drafted(text) != []


def changed(**changes: object) -> str:
    values = yaml.safe_load(to_yaml(spec_of(TEXTS[0])))
    return yaml.safe_dump({**values, **changes})


def test_3_the_other_direction_drafts_the_other_signal() -> None:
    other = from_yaml(changed(direction="high does better", expected={"sign": 1, "rank_correlation": 0.02}))
    first, second = drafted(reading_of(spec_of(TEXTS[0])))[0], drafted(reading_of(other))[0]
    assert (first, second) == ("rank(-returns(close, 5))", "rank(returns(close, 5))")
    assert reading_of(other).outcome == "continues"
    longer = from_yaml(changed(horizon_bars=21))
    assert "returns(close, 21)" in drafted(reading_of(longer))[0]


BAD = [
    (changed(direction="high does better"), "change both together"),
    (changed(direction="up"), "direction = 'up'"),
    (changed(horizon_bars=0), "horizon_bars = '0'"),
    (changed(horizon_bars="soon"), "horizon_bars = 'soon'"),
    (changed(horizon_bars=10**9), "horizon_bars"),
    (changed(claim=""), "claim"),
    (changed(claim="x" * 3_000), "claim"),
    (changed(colour="red"), "colour"),
    (changed(details={"pole": "low", "moves": True, "colour": "red"}), "'colour' is no detail"),
    (changed(details={"pole": "low", "moves": True, "sign": 1}), "'sign' is no detail"),
    (changed(details={"pole": "sideways", "moves": True}), "pole = 'sideways'"),
    (changed(relative="the moon"), "relative = 'the moon'"),
    (changed(falsified_by=[]), "falsified_by"),
    (changed(falsified_by=[{"figure": "luck", "at_most": 0}]), "figure = 'luck'"),
    (changed(falsified_by=[{"figure": "t", "at_most": float("nan")}]), "at_most"),
    (changed(expected={"sign": -1, "rank_correlation": 2}), "rank_correlation = '2'"),
    (changed(conditions=[{"event": "volume"}]), "conditions.0"),
    ("- a\n- b\n", "field: value"),
    ("", "field: value"),
    ("claim: [", "is not YAML"),
    ("a: &x [1]\nb: *x\n", "without aliases"),
    ("claim: !!python/object/apply:os.system ['true']\n", "is not YAML"),
    ("claim: " + "[" * 400 + "]" * 400, ""),
    ("claim: " + "[" * 60_000, "deep nesting"),
    ("- " * 30_000, "deep nesting"),
    ("claim: 2020-13-45\n", ""),
    ("x" * (MAX_BYTES + 1), "bytes"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=range(len(BAD)))
def test_2_4_each_bad_document_is_refused_with_its_rule(text: str, said: str) -> None:
    with pytest.raises(SpecificationError) as refused:
        from_yaml(text)
    assert said in str(refused.value) and str(refused.value).startswith("spec.yaml: ")


def test_2_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_bytes(b"claim: \xff\xfe")
    with pytest.raises(SpecificationError, match="byte 7 is not UTF-8"):
        read_spec(tmp_path / "s.yaml")
    with pytest.raises(FileNotFoundError):
        read_spec(tmp_path / "none.yaml")
