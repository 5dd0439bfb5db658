"""No command but `cws promote` opens a file of a lockbox, and nothing that a command leaves behind holds a value of it.

Opening is watched by the kernel (inotify), in every process and whichever library reads: a hook in the interpreter
would not see a reader written in another language.

1. Every command of the table is run, on bars and on facts, or named below with the test that runs it. A new command
   fails this test until it has its place.
2. While they run, no lockbox file is opened. The watch itself is shown to work: opening a lockbox by its one function
   is seen.
3. Afterwards no file below CWS_HOME but those of the lockbox holds one of its values: tables, panels, texts, pictures.
4. In the code one function names the file for reading, and one package calls it.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cli.table import COMMANDS
from modules.datastore import DataStore
from modules.lockbox import Purpose, open_lockbox
from modules.workspace import Workspace
from tests.cli.checkout import Checkout, make_checkout
from tests.cli.conftest import Cws, cws  # noqa: F401 - the fixture
from traces.events import Event
from traces.ledger import Ledger

SOURCE = Path(__file__).resolve().parents[2]
SIGNAL = "rank(-returns(close, 5))"
FACTS_SIGNAL = "rank(revenue_ttm) - rank(close / delay(close, 9))"
SEARCH = "rank(-returns(close, {days}))"
DAYS = 420
HERE = (
    ("data", "list"),
    ("run", "--data", "mine", "--signal", SIGNAL),
    ("run", "{facts}", "--data", "mine", "--facts", "figures", "--signal", FACTS_SIGNAL),
    ("runs",),
    ("search", SEARCH, "--range", "days=2:30", "--trials", "3", "--method", "random", "--data", "mine"),
    ("sweep", SEARCH, "--grid", "days=2:10:4", "--data", "mine"),
    ("replay", "last"),
    ("diff", "{first}", "last"),
    ("report", "last"),
    ("validate", "{first}", "--quick"),
    ("gap", "{first}"),
    ("promote", "{first}", "--check"),
    ("promote", "{first}", "--by", "Ada <ada@example.org>", "--yes"),
    ("signal", "eval", SIGNAL, "--data", "mine", "--out", "{out}/values.parquet"),
    ("signal", "check", SIGNAL, "--data", "mine"),
    ("signal", "sheet", SIGNAL, "--data", "mine", "--out", "{out}/sheet"),
    ("signal", "ops"),
    ("feature", "list"),
    ("feature", "build", "momentum", "--data", "mine"),
    ("feature", "history"),
    ("trace", "query", "SELECT kind, count(*) AS n FROM events GROUP BY kind"),
    ("ledger", "verify"),
    ("skills", "list"),
    ("skills", "why", "losers of last week rebound"),
    ("lit", "search", "losers of last week"),
    ("model", "list"),
    ("module", "list"),
    ("review", "list"),
    ("board",),
    ("doctor",),
    ("api", "token", "list"),
)  # fmt: skip
IN_A_CHECKOUT = {
    "research": "test_2_research_and_the_gate",
    "supervise": "test_2_research_and_the_gate",
    "nightly": "test_2_research_and_the_gate",
    "ablate": "test_2_research_and_the_gate",
    "certify": "test_2_the_certificate",
    "verify": "test_a_stranger_proves_it_again",
    "live": "test_live: it reads a run's artifacts, which end where the task did",
    "drift": "as replay-day",
    "replay-day": "test_live: it reads what was on the tape of `cws live`",
    "top": "it reads sockets and the journal of orders, and no data",
    "watch": "as top",
    "risk": "as top; with --run the bars of a run, which end where the task did",
    "riskd": "it reads an account's file and its venue, and no data",
    "kill": "as riskd",
    "work": "as riskd",
    "rollback": "it reads git and the ledger, and no data",
    "account": "test_account: it reads a run's artifacts, which end where the task did",
    "exchange": "test_exchange: it reads a run's artifacts, which end where the task did",
    "demo": "research and supervise one after the other",
}
OPEN_OR_READ = 0x20 | 0x1


class Watch:
    """Which of some files are opened or read, by whatever process."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK)
        assert self._fd >= 0, os.strerror(ctypes.get_errno())
        self._paths = {}
        for path in paths:
            number = self._libc.inotify_add_watch(self._fd, os.fsencode(path), OPEN_OR_READ)
            assert number >= 0, f"{path}: {os.strerror(ctypes.get_errno())}"
            self._paths[number] = path

    def seen(self) -> list[Path]:
        """The files opened since the last call."""
        try:
            content = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            return []
        found, at = [], 0
        while at < len(content):
            number, _, _, length = struct.unpack_from("iIII", content, at)
            found.append(self._paths[number])
            at += 16 + length
        return sorted(set(found))

    def close(self) -> None:
        os.close(self._fd)


@contextmanager
def watching(home: Path) -> Iterator[Watch]:
    paths = sorted((home / "data").rglob("lockbox.parquet"))
    assert paths, "nothing is registered, so nothing is shown"
    watch = Watch(paths)
    try:
        yield watch
    finally:
        watch.close()


needs_inotify = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def bars() -> pl.DataFrame:
    """Closes with twelve random decimals: no two values of the file are equal, and none comes by accident."""
    rng = np.random.default_rng(77)
    close = 40.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.02, (DAYS, 8)), axis=0))
    date = np.datetime64("2014-01-01") + np.arange(DAYS)
    return pl.DataFrame({"date": date} | {f"S{i}": np.round(close[:, i], 12) for i in range(8)})


def figures() -> pl.DataFrame:
    rng = np.random.default_rng(78)
    rows = [
        {
            "symbol": f"S{i}", "concept": concept, "quarters": quarters, "unit": unit,
            "period_end": f"{year}-{month:02d}-{day}", "value": round(float(rng.uniform(1e6, 9e6)), 6),
            "filed": f"{year + (month == 12)}-{(month + 1) % 12 or 12:02d}-20",
        }
        for i in range(8)
        for concept, quarters, unit in (("revenue", 4, "USD"), ("total_assets", 0, "USD"))
        for year in (2012, 2013, 2014)
        for month, day in ((3, 31), (6, 30), (9, 30), (12, 31))
    ]  # fmt: skip
    return pl.DataFrame(rows)


def register(call: Cws, folder: Path) -> None:
    bars().write_csv(folder / "mine.csv")
    figures().write_csv(folder / "figures.csv")
    for argv in (
        ("data", "add", "mine", str(folder / "mine.csv")),
        ("data", "add", "figures", str(folder / "figures.csv"), "--kind", "facts"),
        ("data", "list"),
    ):
        done = call(*argv, "--json")
        assert done.code == 0, done.out


def test_1_every_command_has_its_place() -> None:
    run = {argv[0] for argv in HERE}
    assert run | IN_A_CHECKOUT.keys() == {entry.name for entry in COMMANDS}
    assert not run & IN_A_CHECKOUT.keys()


@needs_inotify
@pytest.mark.slow
def test_2_3_no_command_opens_a_lockbox(cws: Cws, home: Path, tmp_path: Path) -> None:  # noqa: F811
    register(cws, tmp_path)
    pipeline = (SOURCE / "pipeline.yaml").read_text().replace("feature: expression", "feature: facts_expression")
    (tmp_path / "facts.yaml").write_text(pipeline)
    names = {"facts": str(tmp_path / "facts.yaml"), "out": str(tmp_path), "first": ""}
    with watching(home) as watch:
        for argv in HERE:
            done = cws(*(part if part == SEARCH else part.format(**names) for part in argv), "--json")
            assert done.code in (0, 1, 3) and "error" not in done.json, f"{argv}: {done.out[-800:]}"
            names["first"] = names["first"] or (done.json["run_id"] if argv[0] == "run" else "")
            assert watch.seen() == [], argv
        # New rows under the old name are cut by what is known of the times, not by the rows that are sealed.
        bars().with_columns(pl.col("S1") * 1.01).write_csv(tmp_path / "mine.csv")
        assert cws("data", "add", "mine", str(tmp_path / "mine.csv"), "--json").code == 0
        assert watch.seen() == []
        leaks = holding(home, canaries(home))
        assert watch.seen() != [] and leaks == [], leaks
        workspace = Workspace(root=SOURCE, home=home)
        with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

            def emit(event: Event) -> None:
                ledger.append(event)

            purpose = Purpose(run_id="r", run_digest="d", strategy="s", by="Ada")
            open_lockbox(workspace, DataStore(workspace.data).get("mine", "v1"), purpose, emit)
        assert watch.seen() == [home / "data" / "mine" / "v1" / "lockbox.parquet"]


def test_3_the_search_finds_what_lies_about(tmp_path: Path) -> None:
    """The search of test 3 sees a value in each kind of file."""
    value = 41.123456789012
    pl.DataFrame({"x": [value]}).write_parquet(tmp_path / "a.parquet")
    np.savez(tmp_path / "b.npz", x=np.array([[1.0, value]]))
    (tmp_path / "c.json").write_text(f'{{"x": {value}}}')
    (tmp_path / "d.bin").write_bytes(b"abc" + struct.pack("<d", value))
    (tmp_path / "e.txt").write_text("41.12")
    assert holding(tmp_path, np.array([value])) == ["a.parquet", "b.npz", "c.json", "d.bin"]


def canaries(home: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = []
    for name in ("mine", "figures"):
        for path in sorted((home / "data" / name).rglob("lockbox.parquet")):
            table = pl.read_parquet(path)
            kept = [c for c in table.columns if c == "value" or re.fullmatch(r"S\d", c)]
            found.append(table.select(kept).cast(pl.Float64).to_numpy().ravel())
    values = np.concatenate(found)
    assert values.size > 600
    return np.unique(values)


def holding(home: Path, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    """Files below `home` that hold one of `values`: as a column, an array, eight bytes, or digits."""
    files = sorted(p for p in home.rglob("*") if p.is_file() and p.name != "lockbox.parquet")
    return [str(p.relative_to(home)) for p in files if any(np.isin(numbers, values).any() for numbers in numbers_in(p))]


def numbers_in(path: Path) -> Iterator[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    content = path.read_bytes()
    if path.suffix == ".parquet":
        table = pl.read_parquet(path)
        for column in table.columns:
            series = table.get_column(column)
            if series.dtype.is_numeric():
                yield series.cast(pl.Float64, strict=False).to_numpy()
            elif series.dtype == pl.String:
                yield series.cast(pl.Float64, strict=False).drop_nulls().to_numpy()
        return
    if path.suffix == ".npz":
        with np.load(path) as file:
            for name in file.files:
                if file[name].dtype == np.float64:
                    yield file[name].ravel()
        return
    for offset in range(8):
        whole = (len(content) - offset) // 8 * 8
        if whole > 0:
            yield np.frombuffer(content[offset : offset + whole], dtype="<f8")
    yield np.array([float(t) for t in re.findall(rb"\d+\.\d{3,17}", content)], dtype=np.float64)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = make_checkout(tmp_path_factory.mktemp("reach") / "work")
    assert made.cws("data", "list", "--json").code == 0
    return made


@needs_inotify
@pytest.mark.slow
def test_2_research_and_the_gate(checkout: Checkout) -> None:
    with watching(checkout.workspace.home) as watch:
        for argv in (
            ("research", "stocks that fell the most last week rebound"),
            ("ablate", "size/rank_neutral", "no_trade_band=0.02", "--suite", "fast"),
            ("supervise", "--suite", "fast"),
            ("nightly", "--suite", "fast", "--minutes", "0.5"),
        ):
            done = checkout.cws(*argv, "--json")
            assert done.code in (0, 3) and "error" not in done.json, done.out[-800:]
            assert watch.seen() == [], argv


@needs_inotify
@pytest.mark.soak
def test_2_the_certificate(checkout: Checkout) -> None:
    with watching(checkout.workspace.home) as watch:
        assert checkout.cws("certify", "--suite", "fast", "--json").code == 0
        assert watch.seen() == []


def test_4_one_place_in_the_code() -> None:
    """The store writes the file; one function reads it; `cws promote` alone leads there."""

    def naming(text: str) -> set[str]:
        packages = ("modules", "harness", "ablations", "supervisor", "cli", "traces", "skills", "benchmarks")
        files = (p for package in packages for p in (SOURCE / package).rglob("*.py"))
        return {p.relative_to(SOURCE).as_posix() for p in files if re.search(text, p.read_text())}

    assert naming(r"lockbox\.parquet") == {"modules/datastore.py", "modules/lockbox.py"}
    assert naming(r"\bopen_lockbox\(") == {"modules/lockbox.py", "supervisor/promotion/look.py"}
    assert naming(r"promotion\.look import .*\blook\b") == {"supervisor/promotion/decide.py"}
    assert naming(r"promotion\.decide import promote") == {"cli/commands/promote.py"}
    reading = [
        line for line in (SOURCE / "modules" / "datastore.py").read_text().splitlines() if "lockbox.parquet" in line
    ]
    assert len(reading) == 2 and reading[0].startswith("    root/") and ".write_bytes(lockbox)" in reading[1]
