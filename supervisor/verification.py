"""`cws verify`: a stranger proves a pull request again, from a clone, with no key and no network.

Nothing is believed that can be computed: the verdict from the record, its level from the stream of trials, the diff
from the patch, and both arms by running them, with the code of the commit that they were judged on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from ablations.ablate import asked_of
from ablations.certificate import CertificateError, load_all, reference
from ablations.patch import Patch
from ablations.record import FILE, AblationRecord, recompute
from ablations.trials import TrialBook, TrialError
from harness.repository import Repository, RepositoryError
from modules.datastore import DataStore
from modules.workspace import Workspace
from supervisor.case import CERTIFICATES, ORIGIN, TAPE, TRIALS
from supervisor.evidence import patched_bytes
from supervisor.forge.port import PATCHES
from supervisor.origin import Origin
from supervisor.rules import patch_path_refusals, record_folder
from supervisor.submit import kept_record
from traces.events import EVENT, AblationFinished, Event
from traces.reader import read

RUN_SECONDS = 1_800.0
NOT_COMPARED = ("runtime", "environment")
"""What differs from one machine, or one execution, to the next."""

MOST_FILES, MOST_BYTES = 100, 64 << 20
"""Of a case: a folder of another size is none."""


class VerifyError(RuntimeError):
    """There is no such record."""

    def __init__(self, what: str) -> None:
        self.remedy = "name an ablation, its branch, or the folder of its record; see `cws review list --all`"
        super().__init__(f"{what}; remedy: {self.remedy}")


@dataclass(frozen=True)
class Check:
    """One thing that was proven again. `holds` is None where it could not be tried here, and why is said."""

    name: str
    holds: bool | None
    words: str


@dataclass(frozen=True)
class Verification:
    """A record, where it was found, and every check. It stands where none fails and the verdict was recomputed."""

    ablation_id: str
    found: str
    commit: str | None
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing that could be tried failed."""
        return all(c.holds is not False for c in self.checks)


@dataclass(frozen=True)
class Case:
    """The files of a record by name, and the commit that added them, if git knows it."""

    name: str
    found: str
    commit: str | None
    files: Mapping[str, bytes]


def verify_record(
    workspace: Workspace, what: str, *, run: bool = True, progress: Callable[[str], None] = lambda _: None
) -> Verification:
    """Every check of `what`: an ablation's id, its branch, or a path. Raises VerifyError, RepositoryError."""
    try:
        repo: Repository | None = Repository(workspace.root)
    except RepositoryError:
        repo = None
    case = find_case(workspace, repo, what)
    try:
        record = AblationRecord.model_validate_json(case.files[FILE])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        return Verification(case.name, case.found, case.commit, (Check("record", False, f"{where}: {first['msg']}"),))
    checks = [_record(record, case), _verdict(record), _level(record, case), _ledger(record, workspace)]
    checks += [_certificate(record, case), _tape(record, case, repo)]
    if repo is not None and case.commit is not None:
        checks.append(_patch(record, case, repo))
    if run:
        progress("both arms, with the code of then")
        checks.append(_again(record, case, repo, workspace))
    return Verification(record.ablation_id, case.found, case.commit, tuple(checks))


# --- where it is --------------------------------------------------------------------------------------


def find_case(workspace: Workspace, repo: Repository | None, what: str) -> Case:
    """The files behind a name: in a branch here or of the origin, in the checked-out commit, or in a folder."""
    path = Path(what)
    if path.exists() and what:
        folder = path if path.is_dir() else path.parent
        name = folder.resolve().name
        if repo is not None and folder.resolve().is_relative_to(repo.root.resolve()) and (found := _in_git(repo, name)):
            return found
        return _in_folder(folder, name)
    name = what.removeprefix("origin/").removeprefix(PATCHES)
    if repo is not None and name.isalnum() and (found := _in_git(repo, name)):
        return found
    kept = kept_record(workspace, name)
    if name.isalnum() and (kept / FILE).is_file():
        return _in_folder(kept, name)
    raise VerifyError(f"there is no record {what!r}")


def _in_git(repo: Repository, name: str) -> Case | None:
    for rev in (
        f"{PATCHES}{name}",
        f"refs/remotes/origin/{PATCHES}{name}",
        f"refs/cws/rejected/{PATCHES}{name}",
        "HEAD",
    ):
        tip = repo.resolve(rev)
        if tip is None:
            continue
        prefix = record_folder(name)
        paths = repo.files_under(tip, prefix)
        if f"{prefix}{FILE}" not in paths:
            continue
        content = {p.removeprefix(prefix): repo.file_at(tip, p) or b"" for p in paths[:MOST_FILES]}
        return Case(name, rev, repo.added_by(tip, f"{prefix}{FILE}"), content)
    return None


def _in_folder(folder: Path, name: str) -> Case:
    if not (folder / FILE).is_file():
        raise VerifyError(f"{folder} holds no {FILE}")
    found = islice((p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()), MOST_FILES + 1)
    files = sorted(found)
    if len(files) > MOST_FILES or sum(p.stat().st_size for p in files) > MOST_BYTES:
        raise VerifyError(f"{folder} holds more than a record does")
    return Case(name, str(folder), None, {p.relative_to(folder).as_posix(): p.read_bytes() for p in files})


# --- the checks -----------------------------------------------------------------------------------------


def _record(record: AblationRecord, case: Case) -> Check:
    same = record.ablation_id == case.name
    words = f"digest {record.digest[:16]}" if same else f"it is of {record.ablation_id}, its folder is {case.name}"
    return Check("record", same, words)


def _verdict(record: AblationRecord) -> Check:
    verdict, problems = recompute(record)
    said = " ".join(w for w in (verdict.word, verdict.label) if w)
    return Check("verdict", not problems, "; ".join(problems[:3]) or f"{said} comes of the record's own numbers")


def _trials(case: Case) -> list[Event] | None:
    raw = case.files.get(TRIALS)
    return None if raw is None else [EVENT.validate_json(line) for line in raw.decode().splitlines()]


def _level(record: AblationRecord, case: Case) -> Check:
    try:
        trials = _trials(case)
        if trials is None:
            return Check("level", None, f"the record has no {TRIALS}; the ledger that made it can tell")
        asked = asked_of(record.patch, record.suite.data_digest)
        ticket = TrialBook.replay(trials).ticket(record.ablation_id, asked)
    except (ValidationError, TrialError, UnicodeDecodeError) as error:
        return Check("level", False, f"{TRIALS}: {str(error)[:200]}")
    granted = (ticket.place, ticket.level)
    same = granted == (record.place, record.level)
    words = f"{ticket.level:.3g}, as the {ticket.place - 1} trials before it grant"
    return Check("level", same, words if same else f"{words}; the record says {record.level:.3g}, place {record.place}")


def _ledger(record: AblationRecord, workspace: Workspace) -> Check:
    known: AblationFinished | None = None
    if workspace.ledger.exists():
        for envelope in read(workspace.ledger):
            if isinstance(envelope.event, AblationFinished) and envelope.event.ablation_id == record.ablation_id:
                known = envelope.event
    if known is None:
        return Check("ledger", None, "the ledger of this workspace knows nothing of it")
    heard = (known.verdict, known.reason, known.level, known.delta)
    said = (record.verdict.word, record.verdict.label, record.level, record.floor.delta if record.floor else None)
    return Check("ledger", heard == said, f"it says {known.verdict} {known.reason}".strip())


def _certificate(record: AblationRecord, case: Case) -> Check:
    wanted = record.certificate.certificate_id
    if wanted is None:
        return Check("certificate", None, f"none stood behind it ({record.certificate.state})")
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in case.files if n.startswith(f"{CERTIFICATES}/")):
            (Path(folder) / Path(name).name).write_bytes(case.files[name])
        try:
            found = [c for c in load_all([Path(folder)]) if c.certificate_id == wanted]
        except CertificateError as error:
            return Check("certificate", False, str(error))
    if not found:
        return Check("certificate", None, f"{wanted} is not in the record; look below ablations/records/certificates")
    [it] = found
    fits = (it.suite_digest, it.data_digest) == (record.suite.digest, record.suite.data_digest)
    same = fits and it.stands and reference(it) == record.certificate
    return Check("certificate", same, f"{wanted}: {it.false_ships} of {it.patches} worthless patches shipped")


def _tape(record: AblationRecord, case: Case, repo: Repository | None) -> Check:
    """The tape is the one that was named, and its last answer, where it is a diff, gives the patch on the base."""
    from harness.llm.tape import Tape, TapeError, line_digest
    from modules.canonical import digest_json

    try:
        origin = Origin.model_validate_json(case.files.get(ORIGIN, b'{"proposer": "unknown"}'))
    except ValidationError as error:
        return Check("tape", False, f"{ORIGIN}: {error.errors()[0]['msg']}")
    if origin.tape is None:
        return Check("tape", None, f"nothing was asked outside: proposed by {origin.proposer}")
    if TAPE not in case.files:
        return Check("tape", None, f"tape {origin.tape} is not in the record")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / TAPE
        path.write_bytes(case.files[TAPE])
        try:
            lines = [line_digest(exchange) for exchange in Tape(path)]
            written = _written(path, record.patch, case, repo)
        except TapeError as error:
            return Check("tape", False, str(error))
    if written and record.patch not in written:
        return Check("tape", False, "its last answer gives another patch than the record's")
    same = digest_json(lines) == origin.tape.partition(":")[2]
    return Check("tape", same, f"{len(lines)} answers, {'as' if same else 'not as'} {ORIGIN} says")


def _written(tape: Path, patch: Patch, case: Case, repo: Repository | None) -> tuple[Patch, ...]:
    """The patches that the tape's last answer makes of the file as it stood before the record's commit; none where git
    does not know it."""
    from supervisor.proposers.reflection import replay
    from supervisor.proposers.written import Sheet

    if repo is None or case.commit is None:
        return ()
    parents = repo.show(case.commit).parents
    base = repo.file_at(parents[0], patch.paths[0]) if len(parents) == 1 else None
    if base is None:
        return ()
    return replay(tape, Sheet(patch.subject, patch.paths[0], base.decode("utf-8", "replace")), repo.root)


def _patch(record: AblationRecord, case: Case, repo: Repository) -> Check:
    """The commit that added the record changes what the patch says, and nothing else."""
    assert case.commit is not None
    commit = repo.show(case.commit)
    if len(commit.parents) != 1:
        return Check("patch", False, f"{case.commit[:12]} has {len(commit.parents)} parents; a request has one")
    base = commit.parents[0]
    changes = repo.tree_changes(base, case.commit)
    problems = patch_path_refusals(changes, record.ablation_id)
    touched = {c.path for c in changes if not c.path.startswith(record_folder(record.ablation_id))}
    if touched != set(record.patch.paths):
        problems.append(f"it changes {', '.join(sorted(touched))}, judged was {', '.join(record.patch.paths)}")
    for path in record.patch.paths:
        try:
            expected = patched_bytes(record.patch, path, repo.file_at(base, path), record.ablation_id)
        except ValueError as error:
            problems.append(str(error))
            continue
        if repo.file_at(case.commit, path) != expected:
            problems.append(f"{path} is not what was judged")
    return Check("patch", not problems, "; ".join(problems[:3]) or f"{case.commit[:12]} is the patch on {base[:12]}")


# --- both arms again ------------------------------------------------------------------------------------


def _again(record: AblationRecord, case: Case, repo: Repository | None, workspace: Workspace) -> Check:
    name = "both arms"
    if repo is None or case.commit is None:
        return Check(name, None, "not run: no commit says which code and settings were judged")
    base = repo.show(case.commit).parents[0]
    if repo.merge_base(base, "HEAD") != base:
        return Check(name, None, f"not run: {base[:12]} is not in the history of the checked-out commit")
    if TRIALS not in case.files:
        return Check(name, None, f"not run: the record has no {TRIALS}")
    with tempfile.TemporaryDirectory(prefix="cws-verify-") as scratch:
        folder = Path(scratch)
        repo.export(base, folder / "code")
        for path, content in case.files.items():
            (folder / "case" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "case" / path).write_bytes(content)
        home = folder / "home"
        home.mkdir()
        if any(v.digest == record.suite.data_digest for v in DataStore(workspace.data).list()):
            (home / "data").symlink_to(workspace.data.resolve())
        return _compared(name, record, _run(folder))


def _run(folder: Path) -> dict[str, object]:
    """What `again.py` says from a process of its own: the code of then, no variable of the caller but the path."""
    script = Path(__file__).with_name("again.py")
    home = folder / "home"
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "PYTHONPATH": str(folder / "code"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "CWS_HOME": str(home),
        "MPLBACKEND": "Agg",
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(home / "numba")),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-s", str(script), str(folder / "case"), str(home)],
            cwd=folder / "code",
            env=environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"missing": f"it took longer than {RUN_SECONDS:.0f} s"}
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return {"failed": last[:300]}
    answer: dict[str, object] = json.loads(lines[-1])
    return answer


def _compared(name: str, record: AblationRecord, answer: Mapping[str, object]) -> Check:
    if "missing" in answer:
        return Check(name, None, f"not run: {answer['missing']}")
    if "failed" in answer:
        return Check(name, False, f"they do not run: {answer['failed']}")
    made = AblationRecord.model_validate(answer["record"])
    new, old = (r.model_dump(mode="json", exclude=set(NOT_COMPARED)) for r in (made, record))
    apart = [field for field in old if new.get(field) != old[field]]
    elsewhere = "" if made.environment == record.environment else "; on another machine than then"
    if not apart:
        return Check(name, True, f"{len(record.tasks)} tasks give every digest and number again{elsewhere}")
    return Check(name, False, f"{_first_apart(made, record) or ', '.join(apart)} is not as recorded{elsewhere}")


def _first_apart(made: AblationRecord, record: AblationRecord) -> str:
    """The first task, arm and stage whose output differs."""
    for new, old in zip(made.tasks, record.tasks, strict=False):
        for arm in ("baseline", "patched"):
            then, now = getattr(old, arm), getattr(new, arm)
            stage = next((s for s in then if then[s] != now.get(s)), None)
            if stage is not None:
                return f"{old.name}, {arm} arm, {stage}: {str(now.get(stage))[:12]} instead of {then[stage][:12]}"
    return ""
