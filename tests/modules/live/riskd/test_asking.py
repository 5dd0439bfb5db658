"""A venue that hangs while it is asked what it has does not hang the risk core.

1. The wait ends; the status says that it is still asking; orders are refused and cancels go out; no second question is
   put meanwhile; once it answers again, it is asked anew and orders go out.
2. What comes to be doubted while it is asked is asked about anew.
"""

from __future__ import annotations

from modules.live.messages import Cancel
from modules.live.risk.rules import Answer, Rule
from tests.modules.live.riskd.house import HangingVenue, core, drain, folder, order


def test_1_a_venue_that_hangs() -> None:
    with folder() as place:
        venue = HangingVenue(place)
        with core(place, venue) as (rulings, inbox):
            assert rulings.refusing is None
            standing = rulings.standing
            venue.goes_on.clear()
            before, standing.venue_asked.answer_s = venue.asked, 0.05
            try:
                standing.doubt("a test")
                for _ in range(3):
                    standing.look_ns = 0
                    rulings.tick()
                    assert "still asking" in (rulings.status().refusing or "")
                assert venue.asked == before + 1 and not rulings.report().complete
                assert Rule(rulings.ask(order()).rule) is Rule.CANCEL_ONLY
                rulings.cancel(Cancel("c"))
                assert '"cancel": "c"' in (place / "venue.jsonl").read_text()
            finally:
                venue.goes_on.set()
            thread = standing.venue_asked._thread
            assert thread is not None
            thread.join(30.0)
            standing.venue_asked.answer_s = 30.0
            standing.look_ns = 0
            rulings.tick()
            drain(rulings, inbox)
            assert rulings.refusing is None
            assert Answer(rulings.ask(order()).answer) is Answer.APPROVE


def test_2_doubted_meanwhile() -> None:
    with folder() as place:
        venue = HangingVenue(place)
        with core(place, venue) as (rulings, _):
            standing, venue.says_after_s = rulings.standing, 0.1
            doubts = ["while it was asked"]
            standing.venue_asked.meanwhile = lambda: standing.doubt(doubts.pop()) if doubts else None
            standing.doubt("a test")
            rulings.tick()
            assert not doubts and "while it was asked" in (rulings.refusing or "")
            standing.look_ns = 0
            rulings.tick()
            assert rulings.refusing is None
