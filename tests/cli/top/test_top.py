"""The terminal screen: what stands on it, in every size, whatever was seen.

1. PAPER or LIVE (or NONE) stands in the first line of every screen, with a colour of its own; no figure is cut.
2. Every panel can be reached by its key, on 80 x 24 and on 200 x 50; a wide terminal shows all.
3. Hostile text from a venue does not move the screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import pytest
from textual.pilot import Pilot

from cli.top.panels import PANELS, Panel, limits, orders, positions, top
from cli.top.screen import TopScreen
from modules.live.desk.asking import BookSeen, Level
from modules.live.messages import Marked, Position, Use
from modules.live.orders.order import Fill, Order, Ticket
from modules.live.orders.states import State
from modules.live.watch.alerts import Alert, Alerts
from modules.live.watch.seen import Seen, Tally
from tests.modules.live.watch.test_rules import NOW, QUIET, SECOND, STAND, STATUS

FILLED = Order(Ticket("5bzr-1hterrs5e30pe-hpmwkcvpcrb1", "manual", "AAA", 100, "sim"), State.FILLED,
               {"x": Fill("x", 100, 10_000_000)})  # fmt: skip
LOST = Order(Ticket("c-unknown1", "manual", "BBB", -7, "sim", "limit", "day", 99_500_000), State.UNKNOWN)
REFUSED = Order(Ticket("c-refused1", "manual", "BBB", 1_000_000, "sim"), State.REJECTED)
SEEN = replace(
    QUIET,
    status=msgspec.structs.replace(
        STATUS, nav_micros=1_001_234_560_000, day_nav_micros=1_000_000_000_000,
        positions=(
            Position("AAA", 100, 12.5, NOW, 20, 0), Position("BBB", 0, 3.0, NOW), Position("CCC", -5, None, None),
        ),
        uses=(Use("GROSS", 95.0, 100.0), Use("NET", 0.1, 1.0), Use("DAILY_LOSS", 0.03, 0.05)),
    ),
    stand=msgspec.structs.replace(
        STAND, books=(BookSeen("AAA", "sim", NOW, (Level(12.49, 300), Level(12.48, 900)), (Level(12.51, 200),)),)
    ),
    marks={"AAA": Marked("AAA", 12.5, NOW), "BBB": Marked("BBB", 3.0, NOW - 5 * SECOND)},
    orders=(LOST, REFUSED, FILLED),
    paid_micros={"AAA": 1_000_000_000},
    tally=Tally(refusals={"c-refused1": "COLLAR"}),
)  # fmt: skip


def rows(panel: Panel) -> list[tuple[tuple[str, ...], str]]:
    return [(row.cells, row.tone) for row in panel.rows]


def test_1_the_head() -> None:
    head = top(SEEN)
    assert head.mode == "PAPER" and head.figures[:2] == ("NAV 1,001,234.56", "day +1,234.56 (+0.12%)")
    assert (head.state, head.tone, head.clock) == ("orders go out", "good", "22:13:20 UTC")
    killed = replace(SEEN, status=msgspec.structs.replace(SEEN.status, killed="ada: test"))  # type: ignore[type-var]
    assert top(killed).state == "KILLED: ada: test" and top(killed).tone == "bad"
    held = replace(SEEN, stand=msgspec.structs.replace(STAND, cancel_only="a break"))
    assert top(held).state == "ONLY CANCELS GO OUT: a break"
    assert top(Seen("t", NOW)).mode == "NONE" and "NO RISK CORE" in top(Seen("t", NOW)).state


def test_the_panels() -> None:
    assert rows(positions(SEEN)) == [
        (("AAA", "100", "12.50", "1,250", "0.12%", "+250.00", "20/0"), "good"),
        (("CCC", "-5", "-", "-", "-", "-", "0/0"), "plain"),
        (("all", "", "", "", "", "+250.00", ""), "good"),
    ]
    assert [r.cells for r in orders(SEEN).rows] == [
        ("unknown1", "manual", "BBB", "-7", "0", "99.50", "unknown"),
        ("refused1", "manual", "BBB", "+1,000,000", "0", "market", "rejected COLLAR"),
        ("hpmwkcvpcrb1"[-8:], "manual", "AAA", "+100", "+100", "market", "filled"),
    ]
    assert [(r.cells[0], r.cells[1], r.cells[2], r.tone) for r in limits(SEEN).rows] == [
        ("GROSS", "██████████", "95%", "bad"),
        ("DAILY_LOSS", "██████░░░░", "60%", "warn"),
        ("NET", "█░░░░░░░░░", "10%", "plain"),
    ]
    for _, make in PANELS:
        panel = make(Seen("t", NOW), ())
        assert (panel.rows or panel.empty) and all(len(row.cells) == len(panel.columns) for row in panel.rows)


Pressing = Callable[[TopScreen, "Pilot[None]"], object]


def show(size: tuple[int, int], seen: Seen, standing: Sequence[Alert], keys: str) -> list[str]:
    """The lines of the screen after these keys."""

    async def run() -> list[str]:
        app = TopScreen(lambda: (seen, standing))
        async with app.run_test(size=size) as pilot:
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            return ["".join(segment.text for segment in strip) for strip in strips]

    return asyncio.run(run())


def standing_of(seen: Seen) -> tuple[Alert, ...]:
    alerts = Alerts()
    for seconds in (0, 5):
        alerts.look(replace(seen, at_ns=NOW + seconds * SECOND))
    return alerts.standing


ON = {"1": "+250.00", "2": "rejected COLLAR", "3": "DAILY_LOSS", "4": "12.51", "5": "UNKNOWN_ORDER", "6": "journal"}


@pytest.mark.slow
@pytest.mark.parametrize("key", ON)
def test_1_2_each_panel_on_a_narrow_terminal(key: str) -> None:
    lines = show((80, 24), SEEN, standing_of(SEEN), key)
    assert len(lines) == 24 and {len(line) for line in lines} == {80}
    assert lines[0].startswith(" PAPER  test  NAV 1,001,234.56") and lines[0].endswith("UTC ")
    assert "alerts(4)" in lines[2] and any(ON[key] in line for line in lines[4:]), "\n".join(lines)
    hidden = [word for other, word in ON.items() if other != key and other in "16"]
    assert not any(word in line for line in lines[4:] for word in hidden)


@pytest.mark.slow
def test_1_2_a_wide_terminal_shows_all() -> None:
    lines = show((200, 50), SEEN, standing_of(SEEN), "")
    assert all(any(word in line for line in lines[3:]) for word in ON.values()), "\n".join(lines)
    one = show((200, 50), SEEN, standing_of(SEEN), "2")
    assert not any(ON["1"] in line for line in one[3:])
    assert any(ON["1"] in line for line in show((200, 50), SEEN, (), "2a")[3:])


@pytest.mark.slow
def test_1_live_is_told_from_paper_by_word_and_colour() -> None:
    async def bar(seen: Seen) -> tuple[str, object]:
        app = TopScreen(lambda: (seen, ()))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            head = app.query_one("#head")
            return app.screen._compositor.render_strips()[0].text[:7].strip(), head.styles.background

    live = replace(SEEN, status=msgspec.structs.replace(SEEN.status, mode="live"))  # type: ignore[type-var]
    found = [asyncio.run(bar(seen)) for seen in (SEEN, live, Seen("t", NOW))]
    assert [word for word, _ in found] == ["PAPER", "LIVE", "NONE"] and len({str(colour) for _, colour in found}) == 3


@pytest.mark.slow
def test_3_hostile_text_moves_nothing() -> None:
    bad = "\x1b[2J\x1b]0;owned\x07[red]x[/red]\u202e\n" * 5
    order = Order(Ticket("c1", bad, bad, 5, "sim"), State.WORKING)
    seen = replace(
        SEEN, orders=(order,), riskd=None,
        stand=msgspec.structs.replace(STAND, feeds={bad: bad}, cancel_only=bad), marks={bad: Marked(bad, 1.0, NOW)},
    )  # fmt: skip
    for key in ON:
        lines = show((80, 24), seen, standing_of(seen), key)
        whole = "".join(lines)
        assert "\x1b" not in whole and "\x07" not in whole and "\u202e" not in whole
        assert {len(line) for line in lines} == {80} and lines[0].startswith(" PAPER")
