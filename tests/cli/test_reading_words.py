"""The reading as a researcher checks it, and the tables of the loop on a narrow screen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.present_loop import show_supervision
from cli.reading_words import reading_lines
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Reading
from supervisor.finding import Finding
from supervisor.result import SettingChange, SuperviseResult, VerdictLine

DRAFTER = OfflineDrafter.of_checkout()

CASES = (
    # text, ranked by, expected
    (
        "stocks that fell the most last week rebound",
        "the past return, window 5 bars",
        "the lowest do better than the highest (the move reverses)",
    ),
    (
        "losers keep losing over 12 months",
        "the past return, window 252 bars",
        "the lowest do worse than the highest (the move goes on)",
    ),
    (
        "overbought stocks pull back",
        "the distance of the price from its mean, in deviations; no window was said, so each candidate names its own",
        "the highest do worse than the lowest (the move reverses)",
    ),
    (
        "low volatility stocks outperform",
        "the deviation of daily returns; no window was said, so each candidate names its own",
        "the lowest do better than the highest",
    ),
)


def _read(text: str) -> Reading:
    answer = DRAFTER.read(text)
    assert isinstance(answer, Reading), answer
    return answer


@pytest.mark.parametrize(("text", "ranked", "expected"), CASES, ids=[c[0] for c in CASES])
def test_who_is_ranked_by_what_and_who_does_better(text: str, ranked: str, expected: str) -> None:
    assert reading_lines(_read(text))[:2] == [("ranked by", ranked), ("expected", expected)]


def test_conditions_sizes_and_assumptions_have_a_line_each() -> None:
    lines = reading_lines(
        _read("stocks that fell more than 10% two weeks ago rebound on high volume except in January")
    )
    assert ("only where", "it is down by more than 10 %") in lines
    assert ("only where", "volume is high ('high volume')") in lines
    assert ("except where", "month == 1") in lines
    assert ("assumed", "'2 weeks ago' is taken as the last 10 bars") in lines


def test_no_cell_folds_to_a_few_letters_on_eighty_columns() -> None:
    finding = Finding(
        "cost_share", "size/rank_neutral", "p", "Trading less raises the net result.", 1.3, "share", 4, ()
    )
    verdict = VerdictLine(
        "a1", "size/rank_neutral", {"smoothing_bars": SettingChange(1, 6)}, "broad", "REJECT", "NO_CERTIFICATE",
        "no A/A certificate for this suite and data; run `cws certify`", 0.4, 0.15, 6e-5, None, 0.21, None, False, 1.0,
    )  # fmt: skip
    out = io.StringIO()
    show_supervision(
        Console(file=out, width=80, no_color=True), SuperviseResult((finding,), (verdict,), ("a note",), 1.0)
    )
    text = out.getvalue()
    assert "cost_share  size/rank_neutral" in text and "Trading less raises the net result." in text
    assert "REJECT size/rank_neutral  smoothing_bars 1 -> 6" in text
    assert "difference +0.400, lower bound +0.150, noise floor +0.210, p 6e-05" in text
    assert max(map(len, text.splitlines())) <= 80
