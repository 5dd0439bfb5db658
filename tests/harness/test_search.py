"""Search: what may be searched, that it repeats to the bit, that every trial counts, how wide a peak stands.

1. Axes are placeholders with ranges and settings within their declared bounds; all else is refused with the remedy.
2. The same request on the same data and ledger gives the same points and figures to the bit, whatever the method.
3. Only discovery data are read; each point is a trial in the ledger, the same point the same one.
4. A grid is walked whole; adaptive methods get near the top of a smooth hill that they were not told of.
5. The plateau tells a ridge from a spike. The front holds what nothing beats. Objectives are as defined.
6. A walk-forward chooses by what lies before a window, and only by that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.search.objectives import objective, sortino
from harness.search.page import write_search
from harness.search.sampling import Method, Sampler
from harness.search.search import Desk, Request, Result, _front, _walk, search
from harness.search.space import Axis, SearchError, Space, space_of
from harness.search.surface import plateau
from harness.search.trial import Tried
from modules.contract import Module, Stage
from modules.datastore import DataStore
from modules.ingest.adding import add_files
from modules.panel import FloatArray, iso
from modules.registry import load_module
from modules.task import load_pipeline
from modules.workspace import Workspace
from tests.harness.planted import CHECKOUT, reversal_panel, wide_csv
from traces.events import Event, RunStarted, TrialRecorded
from traces.ledger import Ledger

pytestmark = pytest.mark.slow

SIGNAL = "rank(-returns(delay(close, {lag}), {days}))"
DAY_NS = 86_400_000_000_000


def modules() -> dict[Stage, Module]:
    return {"size": load_module("size", "rank_neutral"), "execute": load_module("execute", "next_bar")}


# --- 1 --------------------------------------------------------------------------------------------


def test_1_a_space_of_placeholders_and_settings() -> None:
    space = space_of(SIGNAL, ["lag=1:3", "days=2:30"], ["size.no_trade_band", "size.smoothing_bars=1:4"], modules())
    assert [(a.name, a.low, a.high, a.whole) for a in space.axes][:2] == [("lag", 1, 3, True), ("days", 2, 30, True)]
    band, smooth = space.axes[2:]
    assert (band.whole, band.low, smooth.whole, smooth.high) == (False, 0.0, True, 4)
    point = (1.0, 5.0, 0.01, 2.0)
    assert space.filled(point) == "rank(-returns(delay(close, 1), 5))"
    changed = space.changed(modules(), point)["size"].settings.model_dump()
    assert (changed["no_trade_band"], changed["smoothing_bars"]) == (0.01, 2)


@pytest.mark.parametrize(
    ("ranges", "settings", "words"),
    [
        ([], [], "nothing to search"),
        (["lag=1:3"], [], "placeholders without a range: days"),
        (["lag=1:3", "days=2:30", "x=1:2"], [], "ranges without a placeholder: x"),
        (["lag=3:1", "days=2:30"], [], "must be below"),
        (["lag=1", "days=2:30"], [], "write LOW:HIGH"),
        (["lag=1:3", "lag=1:3", "days=2:30"], [], "lag is given twice"),
        (["Lag=1:3"], [], "is no name"),
        (["lag=1:3", "days=2:30"], ["size.x"], "has no setting x"),
        (["lag=1:3", "days=2:30"], ["book.x"], "write STAGE.SETTING"),
        (["lag=1:3", "days=2:30"], ["size.no_trade_band=0:9.0"], "lies between"),
        (["lag=1:3", "days=2:30"], ["execute.half_spread_bps"], "assumption about the world"),
    ],
)
def test_1_what_cannot_be_searched(ranges: list[str], settings: list[str], words: str) -> None:
    with pytest.raises(SearchError, match=words):
        space_of(SIGNAL, ranges, settings, modules())


def test_1_requests_that_contradict_themselves() -> None:
    space = Space((Axis("x", 0, 1, False),), None)
    with pytest.raises(SearchError, match="points chosen without looking"):
        Request(space, "tpe", ("sharpe",), 5, 0, 3, 2)
    with pytest.raises(SearchError, match="one objective"):
        Sampler(space, "cmaes", 5, 0, 2, 3)
    with pytest.raises(SearchError, match="= 10201 points, asked for are 10000"):
        Space((Axis("x", 0, 1, False), Axis("y", 0, 1, False)), None).grid(101, 10_000)


# --- 2, 4: samplers -----------------------------------------------------------------------------------

HILL = Space((Axis("x", -4.0, 4.0, False), Axis("y", 0.0, 40.0, True)), None)


def climb(method: Method, seed: int, trials: int = 81) -> list[tuple[tuple[float, ...], float]]:
    sampler = Sampler(HILL, method, trials, seed, 1, 9)
    out = []
    while len(out) < trials and (asked := sampler.ask()) is not None:
        ticket, (x, y) = asked
        value = -((x - 1.3) ** 2) - ((y - 27.0) / 8.0) ** 2
        sampler.tell(ticket, [value])
        out.append(((x, y), value))
    return out


@pytest.mark.parametrize("method", ["grid", "random", "tpe", "cmaes", "nsga2"])
def test_2_a_seed_gives_its_points_to_the_bit(method: Method) -> None:
    first = climb(method, 5)
    assert climb(method, 5) == first
    assert (climb(method, 6) == first) == (method == "grid")
    assert all(-4 <= x <= 4 and 0 <= y <= 40 and y == round(y) for (x, y), _ in first)


def test_4_a_grid_is_walked_whole() -> None:
    points = [p for p, _ in climb("grid", 0, 1_000)]
    assert len(points) == len(set(points)) == 81
    assert {x for x, _ in points} == {-4.0 + i for i in range(9)}
    assert Axis("n", 1, 3, True).grid(8) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("method", ["tpe", "cmaes", "nsga2"])
def test_4_adaptive_methods_learn(method: Method) -> None:
    """Their last third is better than chance: the mean over five seeds is above that of random points."""

    def late(kind: Method) -> float:
        return float(np.mean([v for s in range(5) for _, v in climb(kind, s)[54:]]))

    assert late(method) > late("random") + 1.0


# --- 5 --------------------------------------------------------------------------------------------


def made(points: list[tuple[float, ...]], values: list[tuple[float, ...]]) -> list[Tried]:
    none: FloatArray = np.empty(0)
    return [Tried(i, p, None, v, "", none) for i, (p, v) in enumerate(zip(points, values, strict=True))]


def test_5_a_ridge_is_wide_and_a_spike_is_not() -> None:
    space = Space((Axis("x", 0, 20, True),), None)
    points = [(float(i),) for i in range(21)]
    ridge = made(points, [(2.0 - 0.02 * abs(i - 10),) for i in range(21)])
    spike = made(points, [(2.0 if i == 10 else 0.1,) for i in range(21)])
    lost = made(points, [(2.0 if i == 10 else math.nan,) for i in range(21)])
    wide, thin, gone = (plateau(space, t, t[10]) for t in (ridge, spike, lost))
    assert (wide.neighbours, wide.width) == (8, 1.0)
    assert (thin.neighbours, thin.width, thin.mean) == (8, 0.0, pytest.approx(0.1))
    assert (gone.width, gone.mean) == (0.0, None)
    coarse = made([(0.0,), (7.0,), (14.0,), (20.0,)], [(1.0,), (1.9,), (2.0,), (0.5,)])
    assert plateau(space, coarse, coarse[2]).width is None
    assert plateau(space, coarse, coarse[2], 1 / 3 + 0.02) == plateau(space, [*coarse, coarse[1]], coarse[2], 0.36)
    assert plateau(space, coarse, coarse[2], 0.36).width == 0.5
    under = made(points, [(-1.0,)] * 21)
    assert plateau(space, under, under[10]).width is None


def test_5_the_front_holds_what_nothing_beats() -> None:
    points = [(float(i),) for i in range(5)]
    tried = made(points, [(1.0, 1.0), (2.0, 0.5), (0.5, 0.5), (math.nan, 9.0), (2.0, 0.5)])
    assert _front(tried) == (1, 4, 0)
    assert _front(made([(1.0,), (1.0,)], [(3.0,), (3.0,)])) == (0,)


def test_5_objectives_by_hand() -> None:
    returns = np.array([0.02, -0.01, 0.03, -0.02])
    assert sortino(returns, 4.0) == pytest.approx(0.005 / math.sqrt(0.0005 / 4) * 2.0)
    assert math.isnan(sortino(np.array([0.01]), 4.0))
    growth = 1.02 * 0.99 * 1.03 * 0.98
    assert objective("calmar", returns, {}, 4.0, 1) == pytest.approx((growth - 1.0) / 0.02)
    assert objective("-turnover", returns, {"turnover": 0.4}, 4.0, 1) == -0.4
    assert math.isnan(objective("nothing", returns, {}, 4.0, 1))
    few, many = (objective("deflated_sharpe", np.tile(returns, 50), {}, 252.0, n) for n in (1, 100))
    assert 0.0 < many < few < 1.0


def test_6_a_window_is_chosen_by_what_lies_before_it() -> None:
    """One is good first, the other later: each window takes the one that was better before it."""
    bars = 400
    times = np.arange(bars, dtype=np.int64) * DAY_NS
    noise = np.random.default_rng(0).normal(0.0, 0.001, bars)
    early, late = noise + 0.002, noise.copy()
    early[200:] -= 0.004
    late[200:] += 0.01
    tried = [Tried(i, (float(i),), None, (0.0,), "", r) for i, r in enumerate((early, late))]
    request = Request(Space((Axis("x", 0, 1, True),), None), "grid", ("sharpe",), 2, 0, 2, 4)
    steps, walked = _walk(request, tried, times)
    assert [s.chosen for s in steps] == [0, 0, 1, 1]
    assert steps[0].value < 0 < steps[2].value and walked is not None
    changed = [
        Tried(t.number, t.point, None, t.values, "", np.concatenate([t.returns[:300], -t.returns[300:]])) for t in tried
    ]
    assert [s.chosen for s in _walk(request, changed, times)[0]][:3] == [0, 0, 1]


# --- 2, 3: on data ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, list[Event]]]:
    folder = tmp_path_factory.mktemp("search")
    workspace = Workspace(root=CHECKOUT, home=folder / "home")
    version = add_files(
        DataStore(workspace.data), "planted", [wide_csv(reversal_panel(700), folder / "planted.csv")]
    ).version
    events: list[Event] = []
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

        def emit(event: Event) -> None:
            ledger.append(event)
            events.append(event)

        yield Desk(workspace, version, load_pipeline(CHECKOUT / "pipeline.yaml"), emit), events


def look_for(desk: Desk) -> tuple[Request, Result]:
    space = space_of(SIGNAL, ["lag=1:2", "days=2:9"], ["size.no_trade_band=0.0:0.02"], desk.modules("close"))
    request = Request(space, "random", ("sharpe", "deflated_sharpe"), 6, 3, 4, 0)
    return request, search(request, desk)


def test_2_3_a_search_on_data(office: tuple[Desk, list[Event]], tmp_path: Path) -> None:
    desk, events = office
    request, found = look_for(desk)
    ids = {e.trial_id for e in events if isinstance(e, TrialRecorded)}
    assert len(ids) == len({t.point for t in found.trials}) == found.counted == 6
    ends = {e.end for e in events if isinstance(e, RunStarted)}
    assert ends == {iso(desk.version.mining_end_ns)}
    assert {e.purpose for e in events if isinstance(e, RunStarted)} == {"research"}
    assert found.last < iso(desk.version.mining_end_ns)
    best = found.best
    assert best is not None and best.values[0] == max(t.values[0] for t in found.trials)

    _, again = look_for(desk)
    assert [(t.point, t.run_digest, t.values[0]) for t in again.trials] == [
        (t.point, t.run_digest, t.values[0]) for t in found.trials
    ]
    assert again.search_id == found.search_id and again.counted == 6  # looked at before: no new trials
    # More trials were made by then, so the same ratio is worth less.
    assert all(b.values[1] < a.values[1] for a, b in zip(found.trials, again.trials, strict=True))
    first, second = (write_search(request, again, tmp_path / n) for n in ("a", "b"))
    assert [p.read_bytes() for p in (first.html, first.json, first.png)] == [
        p.read_bytes() for p in (second.html, second.json, second.png)
    ]
    assert first.png.read_bytes()[:4] == b"\x89PNG" and "plateau:" in first.html.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["random", "grid"])
def test_2_3_two_processes_give_the_bits_of_one_and_record_first(tmp_path: Path, method: Method) -> None:
    """A point that comes twice among them, and a setting that a contract refuses."""
    found: list[Result] = []
    recorded: list[list[Event]] = []
    for jobs in (1, 2):
        workspace = Workspace(root=CHECKOUT, home=tmp_path / str(jobs))
        csv = wide_csv(reversal_panel(700), tmp_path / f"planted{jobs}.csv")
        version = add_files(DataStore(workspace.data), "planted", [csv]).version
        events: list[Event] = []
        with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

            def emit(event: Event, ledger: Ledger = ledger, events: list[Event] = events) -> None:
                ledger.append(event)
                events.append(event)

            desk = Desk(workspace, version, load_pipeline(CHECKOUT / "pipeline.yaml"), emit)
            space = space_of("rank(-returns(close, {days}))", ["days=2:5"], [], desk.modules("close"))
            request = Request(space, method, ("sharpe", "deflated_sharpe"), 7, 3, 4, 0)
            found.append(search(request, desk, jobs=jobs))
            recorded.append(events)
    one, two = found
    assert len(one.trials) == len(two.trials) >= 4
    for a, b in zip(one.trials, two.trials, strict=True):
        assert (a.number, a.point, a.signal, a.values, a.run_digest, a.why) == (
            b.number, b.point, b.signal, b.values, b.run_digest, b.why,
        )  # fmt: skip
        assert a.returns.tobytes() == b.returns.tobytes()
    assert (one.front, one.plateau, one.counted, one.search_id) == (two.front, two.plateau, two.counted, two.search_id)
    trials = [[e.trial_id for e in events if isinstance(e, TrialRecorded)] for events in recorded]
    assert trials[0] == trials[1] and len(trials[0]) == one.counted
    runs = [sum(isinstance(e, RunStarted) for e in events) for events in recorded]
    assert runs == [one.counted] * 2
    seen = 0
    for event in recorded[1]:  # no run is told of before its trial is
        seen += isinstance(event, TrialRecorded) - isinstance(event, RunStarted)
        assert seen >= 0


def test_2_processes_need_points_chosen_without_looking(office: tuple[Desk, list[Event]]) -> None:
    space = Space((Axis("x", 0, 1, False),), None)
    with pytest.raises(SearchError, match="--jobs needs points chosen without looking"):
        search(Request(space, "tpe", ("sharpe",), 5, 0, 3, 0), office[0], jobs=2)
