"""Opening a lockbox, and knowing its rows again under another name.

1. Nobody gets a row of a lockbox without a purpose that names run, strategy and human, nor without its event in the
   ledger.
2. A strategy that was told what it did there gets no second look; one that was cut off finishes; others are counted.
3. However a signal is written, it is the same strategy; other settings or another module are not.
4. What is handed out is all rows of the version, and the file must be the one that was registered.
5. Rows in the lockbox of a registered set are refused as open rows of another: by symbol and day, by moves, as facts.
6. `seal` opens none of them; `expose` opens them, says so in the version, and counts as a look.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modules.datastore import DataError, DataStore, DataVersion
from modules.facts.adding import FactOptions, add_facts
from modules.ingest.adding import AddOptions, add_files
from modules.lockbox import LockboxRecordError, LockboxSpentError, Purpose, open_lockbox, standing, strategy_of
from modules.workspace import Workspace
from tests.pipelines import Desk
from traces.events import Event, LockboxOpened, PromotionDecided
from traces.ledger import Ledger


def closes(days: int, symbols: int = 4, seed: int = 3, first: str = "2012-01-01") -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    paths = np.round(50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (2_000, symbols)), axis=0)), 4)[:days]
    date = np.datetime64(first) + np.arange(days)
    return pl.DataFrame({"date": date} | {f"S{i}": paths[:, i] for i in range(symbols)})


def add(store: DataStore, name: str, table: pl.DataFrame, folder: Path, **options: object) -> DataVersion:
    path = folder / f"{name}.parquet"
    table.write_parquet(path)
    return add_files(store, name, [path], AddOptions(**options)).version  # type: ignore[arg-type]


class Office:
    """A workspace with its ledger open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace(root=folder, home=folder / "home")
        self.data = DataStore(self.workspace.data)
        self.ledger = Ledger(self.workspace.ledger, self.workspace.checkpoints)

    def emit(self, event: Event) -> None:
        self.ledger.append(event)

    def add(self, name: str, table: pl.DataFrame, **options: object) -> DataVersion:
        return add(self.data, name, table, self.folder, **options)

    def decide(self, purpose: Purpose) -> None:
        """The decision that ends a look."""
        self.emit(
            PromotionDecided(
                promotion_id="p", run_id=purpose.run_id, run_digest=purpose.run_digest, strategy=purpose.strategy,
                to="paper", decision="REFUSE", held=(), failed=("min_lockbox_sharpe",), figures={}, opened=True,
                by=purpose.by, record="0" * 64,
            )
        )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.ledger.close()


def purpose(strategy: str = "one", run: str = "run-1") -> Purpose:
    return Purpose(run_id=run, run_digest=f"digest of {run}", strategy=strategy, by="Ada <ada@example.org>")


# --- 1, 2 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["run_id", "run_digest", "strategy", "by"])
def test_1_a_purpose_is_complete(field: str) -> None:
    values = {"run_id": "r", "run_digest": "d", "strategy": "s", "by": "Ada"}
    with pytest.raises(ValueError, match=f"purpose.{field} is empty"):
        Purpose(**{**values, field: " "})  # type: ignore[arg-type]


def test_1_without_its_event_in_the_ledger_nothing_is_opened(office: Office) -> None:
    version = office.add("mine", closes(100))
    said: list[Event] = []
    with pytest.raises(LockboxRecordError, match="not in"):
        open_lockbox(office.workspace, version, purpose(), said.append)
    assert [e.kind for e in said] == ["lockbox.opened"]
    assert standing(office.workspace, version, "one").spent is None


def test_1_the_event_is_there_before_the_rows_are_read(office: Office) -> None:
    """With the file gone, reading fails, and the look is recorded nevertheless."""
    version = office.add("mine", closes(100))
    (office.data.root / "mine" / "v1" / "lockbox.parquet").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        open_lockbox(office.workspace, version, purpose(), office.emit)
    assert standing(office.workspace, version, "another").earlier == 1


def test_2_one_look_a_strategy(office: Office) -> None:
    version = office.add("mine", closes(100))
    first = open_lockbox(office.workspace, version, purpose(), office.emit)
    assert (first.event.earlier, first.event.resumed, first.rows.height) == (0, False, 100)
    # Cut off before its decision: the same run may finish, another run of the same strategy may not.
    assert open_lockbox(office.workspace, version, purpose(), office.emit).event.resumed
    with pytest.raises(LockboxSpentError, match="was opened for this strategy already, by Ada"):
        open_lockbox(office.workspace, version, purpose(run="run-2"), office.emit)
    office.decide(purpose())
    with pytest.raises(LockboxSpentError):
        open_lockbox(office.workspace, version, purpose(), office.emit)
    other = open_lockbox(office.workspace, version, purpose("two", "run-3"), office.emit)
    assert (other.event.earlier, other.event.resumed) == (1, False)


@pytest.mark.parametrize("again", ["more rows", "another name"])
def test_2_a_look_is_spent_for_the_rows_whatever_they_are_called(again: str, office: Office) -> None:
    version = office.add("mine", closes(100))
    open_lockbox(office.workspace, version, purpose(), office.emit)
    office.decide(purpose())
    if again == "more rows":
        other = office.add("mine", closes(101))
    else:
        other = office.add("yours", closes(101), overlap="seal")
    assert other.digest != version.digest
    with pytest.raises(LockboxSpentError):
        open_lockbox(office.workspace, other, purpose(run="run-2"), office.emit)


def test_2_sets_that_share_nothing_have_lockboxes_of_their_own(office: Office) -> None:
    one = office.add("mine", closes(100))
    two = office.add("yours", closes(100, seed=4).rename({f"S{i}": f"Q{i}" for i in range(4)}))
    open_lockbox(office.workspace, one, purpose(), office.emit)
    office.decide(purpose())
    assert open_lockbox(office.workspace, two, purpose(run="run-2"), office.emit).event.earlier == 0


# --- 3 --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_3_a_strategy_is_signal_and_settings(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    def strategy(signal: str, **changes: object) -> str:
        return strategy_of(desk.run(desk.task(signal=signal, start="2008-01-01", **changes)))

    base = strategy("rank(close + open)")
    assert strategy("rank((open + close))") == base
    assert strategy("rank(close + open)", seed=5, end="2009-06-01") == base
    assert strategy("rank(close + high)") != base


# --- 4 --------------------------------------------------------------------------------------------


def test_4_all_rows_come_and_only_those_registered(office: Office) -> None:
    version = office.add("mine", closes(100))
    sealed = office.data.root / "mine" / "v1" / "lockbox.parquet"
    rows = open_lockbox(office.workspace, version, purpose(), office.emit).rows
    assert rows.get_column("date").sort().to_list() == closes(100).get_column("date").to_list()
    table = pl.read_parquet(sealed)
    table.with_columns(pl.col("S0") * 1.5).write_parquet(sealed)
    with pytest.raises(DataError, match="changed or cut short"):
        open_lockbox(office.workspace, version, purpose("two", "run-2"), office.emit)


def test_4_vintages_come_with_what_they_build_on(office: Office) -> None:
    table = closes(100)
    office.add("mine", table)
    second = office.add("mine", table.with_columns(pl.col("S1") * 2.0), known_at="2013-06-01")
    rows = open_lockbox(office.workspace, second, purpose(), office.emit).rows
    assert second.parent == "v1" and rows.height == 200


# --- 5, 6 -----------------------------------------------------------------------------------------


def renamed(table: pl.DataFrame) -> pl.DataFrame:
    return table.rename({c: f"X{c[1:]}" for c in table.columns if c != "date"})


def revalued(table: pl.DataFrame) -> pl.DataFrame:
    """Another adjustment: each symbol times a constant, and rounded otherwise."""
    return table.with_columns((pl.col(c) * 1.37).round(6) for c in table.columns if c != "date")


def in_long_rows(table: pl.DataFrame) -> pl.DataFrame:
    return table.unpivot(index="date", variable_name="symbol", value_name="close")


def later_start(table: pl.DataFrame) -> pl.DataFrame:
    return table.tail(table.height - 90)


@pytest.mark.parametrize(
    "how", [lambda t: t, renamed, revalued, in_long_rows, later_start, lambda t: renamed(revalued(t))]
)
def test_5_the_same_bars_with_more_history_are_refused(how: object, office: Office) -> None:
    office.add("mine", closes(300))
    with pytest.raises(DataError, match=r"lie in the lockbox of mine.*--overlap seal") as refused:
        office.add("yours", how(closes(420)))  # type: ignore[operator]
    assert "of 4 symbols" in str(refused.value)
    assert not office.data.has("yours")


def test_5_other_bars_are_taken(office: Office) -> None:
    """The same days of other symbols, and the same symbols before the lockbox, open nothing."""
    first = office.add("mine", closes(300))
    office.add("other", renamed(closes(420, seed=8)))
    office.add("old", closes(200))
    office.add("same", closes(300))
    later = office.add("bridge", closes(300).head(280))
    assert later.lockbox_start_ns < first.lockbox_start_ns and not later.exposes


def test_5_facts_filed_in_a_lockbox_of_facts_are_refused(office: Office) -> None:
    def table(quarters: int) -> pl.DataFrame:
        ends = pl.date_range(pl.date(2010, 3, 31), pl.date(2030, 1, 1), "3mo", eager=True).head(quarters)
        return pl.DataFrame({"symbol": "AAPL", "concept": "revenue", "period_end": ends}).with_columns(
            pl.lit(4).alias("quarters"), (100.0 + pl.int_range(pl.len())).alias("value"),
            (pl.col("period_end") + pl.duration(days=40)).alias("filed"), pl.lit("USD").alias("unit"),
        )  # fmt: skip

    for name, quarters in (("facts", 20), ("more", 40)):
        table(quarters).write_csv(office.folder / f"{name}.csv")
    first = add_facts(office.data, "facts", [office.folder / "facts.csv"]).version
    with pytest.raises(DataError, match="lie in the lockbox of facts"):
        add_facts(office.data, "more", [office.folder / "more.csv"])
    sealed = add_facts(office.data, "more", [office.folder / "more.csv"], FactOptions(overlap="seal")).version
    assert sealed.lockbox_start_ns == first.lockbox_start_ns
    assert open_lockbox(office.workspace, first, purpose(), office.emit).rows.height == 20


def test_6_seal_opens_none_of_them(office: Office) -> None:
    first = office.add("mine", closes(300))
    second = office.add("yours", closes(420), overlap="seal")
    assert second.lockbox_start_ns == first.lockbox_start_ns and not second.exposes
    assert standing(office.workspace, first, "one").exposed_share == 0.0


def test_6_expose_is_recorded_and_counts_as_a_look(office: Office) -> None:
    first = office.add("mine", closes(300))
    assert (standing(office.workspace, first, "one").earlier, first.exposes) == (0, {})
    second = office.add("yours", closes(420), overlap="expose")
    assert second.exposes == {"mine": 4 * 60}
    found = standing(office.workspace, first, "one")
    assert (found.earlier, found.exposed_share, found.exposed_by) == (1, 1.0, ("yours",))
    event = open_lockbox(office.workspace, first, purpose(), office.emit).event
    assert isinstance(event, LockboxOpened) and (event.earlier, event.exposed_share) == (1, 1.0)


def test_6_what_lay_open_before_is_seen_too(office: Office) -> None:
    """The longer file first: the lockbox of the shorter one, added later, was never shut."""
    office.add("long", closes(420))
    short = office.add("short", closes(300))
    found = standing(office.workspace, short, "one")
    assert not short.exposes and found.exposed_share == 1.0 and found.exposed_by == ("long",)


def test_6_bundled_sets_say_how_much_they_show_of_each_other(office: Office) -> None:
    us5, us20 = office.data.current("us5"), office.data.current("us20")
    assert us20.exposes.keys() == {"us5"} and not us5.exposes
    share = standing(office.workspace, us5, "one").exposed_share
    assert share is not None and 0.4 < share < 0.5  # AAPL and MSFT of five, one of them listed late
