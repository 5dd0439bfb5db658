"""What happens to the store happens to files, and is noticed.

1. A file of rows that was changed, cut short or deleted is named, before it is parsed; what does not need it reads on.
2. A log that was cut, emptied, changed or continued by something else is refused, whatever is read.
3. A process that dies, at any moment, leaves the store as it was before its commit or after it, and in the way of
   nobody.
4. Two processes at once: everything of both lands, once.
5. A disk that does not take a write is named, and what was stored stays readable.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.featurestore import DamagedError, FeatureStore, FeatureStoreError, build
from modules.featurestore.log import LOG, load, write_head
from modules.signal import evaluate, parse
from modules.workspace import CHECKOUT
from tests.modules.featurestore import writer
from tests.modules.featurestore.made import SIGNALS, asked, made, made_bars, same_bits, stored

SOURCE = made().source


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three commits: empty, all features, one more."""
    root = tmp_path_factory.mktemp("template") / "features"
    store, _ = stored(root)
    build(store, made(), {"MORE@1": parse("close * 2")})
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return Path(shutil.copytree(template, tmp_path / "features"))


def piece_of(root: Path, feature: str) -> Path:
    """The one file of a feature."""
    (build_,) = (b for b in FeatureStore(root).state().builds.values() if b.key.feature == feature)
    return root / build_.pieces[0].path


def log_of(root: Path, version: int) -> Path:
    """The file of a commit."""
    return root / LOG / f"{version:020d}.json"


def healthy(root: Path) -> bool:
    """Everything reads, and as it was written."""
    store = FeatureStore(root)
    store.verify()
    bars = made().bars
    return same_bits(store.read(asked(), SOURCE), {k: evaluate(n, bars) for k, n in SIGNALS.items()})


def test_1_a_file_changed_anywhere_is_refused_before_it_is_parsed(root: Path) -> None:
    """A parquet reader ends the process on some of these files."""
    path = piece_of(root, "STEP@1")
    whole, draw = path.read_bytes(), random.Random(5)
    store = FeatureStore(root)
    for _ in range(200):
        spoiled = bytearray(whole)
        if draw.random() < 0.3:
            del spoiled[draw.randrange(len(spoiled)) :]
        else:
            spoiled[draw.randrange(len(spoiled))] ^= draw.randrange(1, 256)
        path.write_bytes(spoiled)
        with pytest.raises(DamagedError, match=rf"{path.name} was changed or cut short; bring .* build the features"):
            store.read(asked()[:1], SOURCE)
    with pytest.raises(DamagedError, match=path.name):
        store.verify()
    store.read(asked()[1:], SOURCE)
    path.write_bytes(whole)
    assert healthy(root)


def test_1_a_deleted_file_is_named(root: Path) -> None:
    path = piece_of(root, "STEP@1")
    path.unlink()
    with pytest.raises(DamagedError, match=rf"{path.name} cannot be read \(No such file.*the log counts on it"):
        FeatureStore(root).read(asked()[:1], SOURCE)
    FeatureStore(root).read(asked()[1:], SOURCE)


def test_1_a_file_under_the_name_of_another_is_refused(root: Path) -> None:
    one, other = piece_of(root, "STEP@1"), piece_of(root, "RANK@1")
    one.write_bytes(other.read_bytes())
    with pytest.raises(DamagedError, match=one.name):
        FeatureStore(root).read(asked()[:1], SOURCE)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _edit(path: Path) -> None:
    content = path.read_bytes()
    spoiled = content.replace(b'"bars":60', b'"bars":61', 1)
    assert spoiled != content
    path.write_bytes(spoiled)


def _blank(path: Path) -> None:
    """One space more: the same JSON, other bytes."""
    path.write_bytes(path.read_bytes() + b" ")


LOG_ATTACKS: tuple[tuple[str, Callable[[Path], None], str], ...] = (
    ("last commit cut", lambda r: _cut(log_of(r, 2)), "commit 2 was changed"),
    ("last commit emptied", lambda r: _empty(log_of(r, 2)), "commit 2 was changed"),
    ("last commit edited", lambda r: _edit(log_of(r, 2)), "commit 2 was changed"),
    ("last commit deleted", lambda r: log_of(r, 2).unlink(), "the log ends at commit 1, commit 2 was made"),
    ("tail deleted", lambda r: [log_of(r, v).unlink() for v in (1, 2)] and None, "the log ends at commit 0"),
    ("earlier commit edited", lambda r: _edit(log_of(r, 1)), "commit 2 does not follow the one before it"),
    ("earlier commit padded", lambda r: _blank(log_of(r, 1)), "commit 2 does not follow the one before it"),
    ("earlier commit emptied", lambda r: _empty(log_of(r, 1)), "commit 1 was changed"),
    ("earlier commit deleted", lambda r: log_of(r, 1).unlink(), r"0001\.json is gone"),
    ("whole log deleted", lambda r: shutil.rmtree(r / LOG), "the log ends at commit -1, commit 2 was made"),
    ("head deleted", lambda r: (r / "head.json").unlink(), "the log has 3 commits, head.json knows of 0"),
    ("head garbled", lambda r: _cut(r / "head.json"), "head.json cannot be read"),
)


@pytest.mark.parametrize(("attack", "said"), [a[1:] for a in LOG_ATTACKS], ids=[a[0] for a in LOG_ATTACKS])
def test_2_a_damaged_log_is_refused(root: Path, attack: Callable[[Path], None], said: str) -> None:
    assert healthy(root)
    attack(root)
    store = FeatureStore(root)
    tries: tuple[Callable[[], object], ...] = (
        lambda: store.read(asked()[:1], SOURCE),
        store.state,
        lambda: build(store, made(), SIGNALS),
        lambda: build(store, made(), {"NEW@1": parse("close * 3")}),
    )
    for attempt in tries:
        with pytest.raises(DamagedError, match=said):
            attempt()


def test_2_a_commit_by_something_else_is_refused(root: Path) -> None:
    from deltalake import DeltaTable, write_deltalake

    rows = DeltaTable(str(root)).scan()
    write_deltalake(str(root), rows, mode="append")
    with pytest.raises(DamagedError, match="commit 3 was changed, or made by something else than this store"):
        FeatureStore(root).read(asked(), SOURCE)


def test_2_a_deleted_store_is_built_again(root: Path) -> None:
    """The remedy that the messages name."""
    shutil.rmtree(root)
    assert len(build(FeatureStore(root), made(), SIGNALS).written.new) == len(SIGNALS)
    assert healthy(root)


def test_3_a_writer_that_died_before_its_commit_left_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FeatureStore(root)
    version = store.state().version

    def die(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("modules.featurestore.table.commit", die)
    with pytest.raises(KeyboardInterrupt):
        build(store, made(), {"NEW@1": parse("close * 3")})
    monkeypatch.undo()
    left = {p.stem for p in (root / "pieces").glob("*/*")} - store.state().pieces()
    assert len(left) == 1 and store.state().version == version and healthy(root)
    assert build(store, made(), {"NEW@1": parse("close * 3")}).written.files == 1
    assert left <= store.state().pieces(), "the file that was left is the one that counts now"


def test_3_a_writer_that_died_before_the_head_is_completed_by_the_next(root: Path) -> None:
    write_head(root, 1)
    store = FeatureStore(root)
    assert healthy(root) and store.state().version == 2 and not store.state().acknowledged
    build(store, made(), {"NEW@1": parse("close * 3")})
    assert store.state().acknowledged and healthy(root)
    log_of(root, 3).unlink()
    with pytest.raises(DamagedError, match="the log ends at commit 2, commit 3 was made"):
        healthy(root)


def test_3_abandoned_files_go_after_a_week_and_no_others(root: Path) -> None:
    live = {p.name for p in (root / "pieces").glob("*/*")}
    old, young = root / "pieces" / "ab" / "abandoned.parquet", root / "pieces" / "cd" / "at work.parquet"
    for path in (old, young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    week_ago = time.time() - 8 * 86_400
    for path in (old, *(root / "pieces").glob("*/*")):
        if path != young:
            os.utime(path, (week_ago, week_ago))
    build(FeatureStore(root), made(), {"NEW@1": parse("close * 3")})
    assert not old.exists() and young.exists()
    assert live <= {p.name for p in (root / "pieces").glob("*/*")} and healthy(root)


def _start(root: Path, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.modules.featurestore.writer", str(root), str(first), str(count)]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=CHECKOUT)


def _holds(root: Path, numbers: Iterator[int] | range) -> None:
    store, source = FeatureStore(root), made(made_bars(writer.ROWS)).source
    for number in numbers:
        found = store.read([writer.numbered(number)], source)
        assert same_bits(found, {f"F{number}@1": writer.values_of(number)})


@pytest.mark.slow
def test_4_two_processes_at_once(tmp_path: Path) -> None:
    """Both write 0 to 14 and one of them 15 to 24 beside: everything is there, once."""
    processes = [_start(tmp_path, 0, 15), _start(tmp_path, 0, 15), _start(tmp_path, 15, 10)]
    for process in processes:
        assert process.wait(timeout=600) == 0
    state = FeatureStore(tmp_path).state()
    assert sorted(b.key.feature for b in state.builds.values()) == sorted(f"F{n}@1" for n in range(25))
    assert state.version == 25 and all(len(c.builds) == 1 for c in state.commits[1:])
    _holds(tmp_path, range(25))


def test_4_two_stores_in_one_process_that_planned_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one commits between this one's plan and its lock."""
    from modules.featurestore import store as storing

    extra = {"NEW@1": parse("close * 3")}
    real = storing.locked

    @contextlib.contextmanager
    def later(path: Path, *, exclusive: bool = True) -> Iterator[None]:
        monkeypatch.setattr(storing, "locked", real)
        assert len(build(FeatureStore(root), made(), extra).written.new) == 1
        with real(path, exclusive=exclusive):
            yield

    monkeypatch.setattr(storing, "locked", later)
    late = build(FeatureStore(root), made(), extra).written
    assert (late.new, late.there, late.version) == ((), tuple(asked(extra)), 3)
    assert healthy(root)


@pytest.mark.slow
def test_3_killed_at_any_moment(tmp_path: Path) -> None:
    """24 times, after 0 to 3 commits and a moment more; the store is as the last commit told of left it, or one on."""
    draw, first = random.Random(3), 0
    for _ in range(24):
        process = _start(tmp_path, first, 1_000)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        told = [process.stdout.readline() for _ in range(draw.randrange(4))]
        time.sleep(draw.uniform(0.0, 0.5 if not told else 0.08))
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
        process.wait(timeout=600)
        assert told == [f"{n}\n" for n in range(first, first + len(told))]
        state = load(tmp_path)
        assert len(state.builds) - first - len(told) in (0, 1)
        assert state.version in (len(state.builds), 0, -1), "0: the table was made, and nothing was in it yet"
        first = len(state.builds)
    _holds(tmp_path, range(first))
    writer.write(tmp_path, first)
    store = FeatureStore(tmp_path)
    assert len(store.state().builds) == first + 1 and store.verify() == 3 * (first + 1)


@contextlib.contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond the limit; writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limit", [0, 600, 3_000], ids=["nothing fits", "the log does not fit", "a part fits"])
def test_5_a_full_disk_is_named_and_harms_nothing(root: Path, limit: int) -> None:
    more = {f"NEW{i}@1": parse(f"close * {i + 3}") for i in range(5)}
    with (
        full_disk(limit),
        pytest.raises(FeatureStoreError, match=r"cannot be written below .*; what was stored before"),
    ):
        build(FeatureStore(root), made(), more)
    assert healthy(root) and FeatureStore(root).state().version == 2
    assert len(build(FeatureStore(root), made(), more).written.new) == len(more)
    assert healthy(root)


def test_5_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FeatureStoreError, match=r"cannot be written below .*taken.*set CWS_HOME"):
        build(FeatureStore(tmp_path / "taken"), made(), SIGNALS)


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Not root for a while, to whom nothing is read-only."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_5_a_read_only_store_reads_and_names_itself(template: Path) -> None:
    assert healthy(template)  # what this imports and compiles, nobody could
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(shutil.copytree(template, Path(folder) / "features"))
        for path in (*root.rglob("*"), root):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with nobody():
            assert healthy(root)
            with pytest.raises(FeatureStoreError, match=r"cannot be written below .* \(Permission denied\)"):
                build(FeatureStore(root), made(), {"NEW@1": parse("close * 3")})
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
