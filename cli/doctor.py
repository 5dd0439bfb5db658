"""Is this workspace fit to work? One function a check; each problem carries its remedy."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cli.session import Stores

if TYPE_CHECKING:
    from harness.repository import Repository

Level = Literal["error", "warning", "info"]

FREE_BYTES = 500_000_000
SAMPLED_ARTIFACTS = 20
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """One finding. `level` says how grave it is where `ok` is false: only an error makes the workspace unfit."""

    name: str
    ok: bool
    level: Level
    detail: str
    remedy: str = ""


def examine(stores: Stores) -> list[Check]:
    """Every check, in order. A check that itself fails is a finding, not the end."""
    found = []
    for check in CHECKS:
        try:
            found += list(check(stores))
        except Exception as error:  # noqa: BLE001 - a doctor reports what is broken, whatever it is
            remedy = str(getattr(error, "remedy", "")) or "set CWS_DEBUG=1 and run the command that needs it"
            said = str(error).removesuffix(remedy).removesuffix("remedy: ").rstrip("; ")  # the remedy has its own line
            found.append(Check(check.__name__.strip("_"), False, "error", said or type(error).__name__, remedy))
    return found


def _python(_stores: Stores) -> Iterator[Check]:
    ok = sys.version_info[:2] == (3, 11)
    remedy = "" if ok else "make the environment again with Python 3.11: rm -r .venv; make demo"
    yield Check("python", ok, "error", f"Python {platform.python_version()}", remedy)


def _libraries(stores: Stores) -> Iterator[Check]:
    lock = stores.workspace.root / "requirements.lock"
    if not lock.exists():
        yield Check(
            "libraries", False, "error", f"{lock.name} is missing", "restore it: git checkout requirements.lock"
        )
        return
    pins = dict(_PIN.findall(lock.read_text()))
    wrong = []
    for name, pinned in pins.items():
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed (pinned {pinned})")
            continue
        if here != pinned:
            wrong.append(f"{name} is {here} (pinned {pinned})")
    detail = (
        f"{len(pins)} pinned, all as pinned"
        if not wrong
        else f"{len(wrong)} of {len(pins)} off: {'; '.join(wrong[:5])}"
    )
    remedy = "pip install --require-hashes -r requirements.lock" if wrong else ""
    yield Check("libraries", not wrong, "error", detail, remedy)


def _data(stores: Stores) -> Iterator[Check]:
    from modules.bundled import registration
    from modules.datastore import BUNDLED

    names = dict.fromkeys(v.name for v in stores.data.list())
    for name in (n for n in BUNDLED if n not in names):
        rows = registration(name).rows  # looks at the package's files; registering is for a run, which records it
        yield Check(f"data {name}", True, "error", f"bundled, {rows:,} rows; registered on first use")
    for name in names:
        version = stores.data.current(name)
        stores.data.raw(version)  # reads it and checks its digest
        yield Check(
            f"data {name}",
            True,
            "error",
            f"{version.version}, {version.rows:,} rows, {version.symbols} symbols, {version.start} to {version.end}",
        )


def _store(stores: Stores) -> Iterator[Check]:
    home = stores.workspace.home
    probe = home / f".doctor.{uuid.uuid4().hex}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        yield Check(
            "store",
            False,
            "error",
            f"{home} cannot be written: {error.strerror}",
            "set CWS_HOME to a folder you may write",
        )
        return
    free = shutil.disk_usage(home).free
    ok = free >= FREE_BYTES
    yield Check(
        "store",
        ok,
        "error",
        f"{home}, {free / 1e9:.1f} GB free",
        "" if ok else f"free {FREE_BYTES / 1e9:.1f} GB, or move the state with CWS_HOME",
    )
    yield _artifacts(stores)
    yield _features(stores)


def _artifacts(stores: Stores) -> Check:
    """Spread over the store, so that a damaged disk shows wherever it is."""
    root = stores.workspace.artifacts
    digests = sorted(
        p.parent.name + p.stem
        for p in root.glob("??/*")
        if p.suffix in (".npz", ".parquet") and p.parent.name != "known"
    )
    step = max(1, len(digests) // SAMPLED_ARTIFACTS)
    sample = digests[::step]
    for digest in sample:
        stores.artifacts.get(digest)
    return Check("artifacts", True, "error", f"{len(digests):,} stored, {len(sample)} read back and verified")


def _features(stores: Stores) -> Check:
    """The log alone: `cws feature history --verify` reads the rows. No run needs the store, so this stops nothing."""
    from modules.featurestore import DamagedError

    try:
        state = stores.features.state()
    except DamagedError as error:
        return Check("features", False, "warning", error.message, error.remedy)
    return Check("features", True, "warning", f"{len(state.builds):,} builds in {len(state.commits)} commits")


def _ledger(stores: Stores) -> Iterator[Check]:
    from traces.verify import verify

    found = verify(stores.workspace.ledger, stores.workspace.checkpoints)
    remedy = "" if found.ok else "keep a copy, then move both ledger folders away to begin a new ledger"
    yield Check("ledger", found.ok, "error", f"{found.events:,} events; {found.reason}", remedy)


def _sandbox(_stores: Stores) -> Iterator[Check]:
    from harness.sandbox.choose import REMEDY, examine

    found = examine()
    for finding in found:
        detail = f"{finding.detail}; gives {finding.gives}" if finding.works else finding.detail
        yield Check(f"sandbox {finding.name}", finding.works, "info", detail)
    chosen = next((finding.name for finding in found if finding.works), None)
    refused = "none works: Python written by agents is refused; signals in the language need no sandbox"
    detail = f"{chosen} runs Python written by agents" if chosen else refused
    yield Check("sandbox", chosen is not None, "warning", detail, "" if chosen else REMEDY)


def _model(_stores: Stores) -> Iterator[Check]:
    from harness.llm.choice import ChoiceError, chosen, live_model
    from harness.llm.port import ModelError
    from harness.llm.prices import price_of

    try:
        choice = chosen(None)
        if choice.provider == "offline":
            said = "CWS_LLM is not set: the offline drafter works from the skills, without a model"
        elif choice.provider == "replay":
            said = f"{choice}: answers come from the tape of that research"
        else:
            price = price_of(live_model(choice).name, own_server=choice.own_server)
            cost = f"${price.input}/${price.output} per million tokens" if price.output else "free, on this machine"
            until = f"trained until {price.cutoff}" if price.cutoff else "nobody says until when it was trained"
            said = f"{choice}: key and price are there ({cost}; {until}; not called)"
    except (ChoiceError, ModelError) as error:
        yield Check("model", False, "error", str(error), "mend CWS_LLM, or unset it to work offline")
        return
    yield Check("model", True, "info", said)


def _git(stores: Stores) -> Iterator[Check]:
    from harness.repository import Repository

    repository = Repository(stores.workspace.root)
    user = repository.user()
    repository.head()  # raises where nothing was ever committed: branches need something to start from
    yield Check("git", True, "error", f"repository at {repository.root}")
    yield Check(
        "git user",
        user is not None,
        "warning",
        str(user)
        if user
        else "git knows no user: the engine commits under its own name, but `cws review approve` needs yours",
        "" if user else "git config user.name NAME; git config user.email MAIL",
    )
    dirty = repository.dirt()
    yield _unreviewed(stores, repository)
    yield Check(
        "git tree",
        not dirty,
        "warning",
        "clean" if not dirty else f"{len(dirty)} changed paths, the first: {dirty[0]}",
        "" if not dirty else "commit or stash them before `cws review approve`",
    )


def _unreviewed(stores: Stores, repository: Repository) -> Check:
    from supervisor.standing import unreviewed
    from traces.reader import read

    found = unreviewed(repository, (e.event for e in read(stores.workspace.ledger)))
    detail = f"{len(found)} commits without a human's approval, the first: {found[0]}" if found else "all approved"
    remedy = "revert them, and approve their requests with `cws review approve`" if found else ""
    return Check("engine's work", not found, "warning", detail, remedy)


def _certificate(stores: Stores) -> Iterator[Check]:
    from ablations.ablate import certificate_for
    from ablations.suite import load_suite
    from supervisor.loop import DEFAULT_SUITE

    suite = load_suite(DEFAULT_SUITE)
    if suite.data not in {v.name for v in stores.data.list()}:
        yield Check("certificate", True, "info", f"looked for once {suite.data} is in use")
        return
    found = certificate_for(suite, stores.workspace)
    if found.state == "CURRENT":
        rate = f"false-ship rate at most {found.upper_bound:.1%}" if found.upper_bound is not None else "rate unknown"
        yield Check("certificate", True, "warning", f"{found.certificate_id} on suite {suite.name}: {rate}")
        return
    detail = f"the gate's A/A certificate on suite {suite.name} is {found.state}: no patch can ship"
    yield Check("certificate", False, "warning", detail, "cws certify")


CHECKS: tuple[Callable[[Stores], Iterator[Check]], ...] = (
    _python,
    _libraries,
    _data,
    _store,
    _ledger,
    _sandbox,
    _model,
    _git,
    _certificate,
)
