"""What stands outside the ledger: certificates that verdicts rest on now, and requests that wait in git."""

from __future__ import annotations

from ablations.ablate import certificate_folders
from ablations.certificate import Certificate, CertificateError, Keys, find, gate_digest, load_all
from ablations.suite import SUITES, SuiteError, load_suite
from harness.repository import Repository, RepositoryError
from modules.datastore import DataError, DataStore
from modules.workspace import Workspace
from supervisor.board.facts import CertificateLine, Place, RequestLine
from supervisor.forge.port import KINDS

MOST_SHOWN = 50
MOST_READ = 500
"""Open branches whose commit is read to order them by age."""
_NEVER = "not measured: nothing ships on this suite"


def certificates(workspace: Workspace) -> tuple[CertificateLine, ...]:
    """A row a suite. Nothing is registered for it: for a set not used yet the certificate is only named."""
    gate, data = gate_digest(), DataStore(workspace.data)
    return tuple(_certificate(path.stem, gate, data, workspace) for path in sorted(SUITES.glob("*.yaml")))


def open_requests(repo: Repository) -> tuple[tuple[RequestLine, ...], int]:
    """The newest open requests, and how many there are. Raises RepositoryError."""
    found = []
    for prefix, kind in KINDS.items():
        merged = repo.merged_branches(prefix)
        found += [(branch, kind, sha) for branch, sha in repo.branches(prefix).items() if branch not in merged]
    lines = []
    for branch, kind, sha in found[-MOST_READ:]:
        commit = repo.show(sha)
        lines.append(RequestLine(branch, kind, commit.message.split("\n", 1)[0], str(commit.author), commit.time_s))
    return tuple(sorted(lines, key=lambda r: (-r.time_s, r.branch))[:MOST_SHOWN]), len(found)


def refs(repo: Repository) -> tuple[object, ...]:
    """What the open requests depend on; equal values, equal requests."""
    return (repo.resolve("HEAD"), *(tuple(repo.branches(prefix).items()) for prefix in KINDS))


def repository(workspace: Workspace) -> Repository | None:
    """The checkout in git, with a commit; None where the loop cannot open requests at all."""
    try:
        repo = Repository(workspace.root)
        repo.head()
    except RepositoryError:
        return None
    return repo


def _certificate(name: str, gate: str, data: DataStore, workspace: Workspace) -> CertificateLine:
    try:
        suite = load_suite(name)
        folders = certificate_folders(workspace)
        if not data.has(suite.data):
            same = [c for c in load_all(folders) if (c.gate_digest, c.suite_digest) == (gate, suite.digest)]
            if same:
                return _line(name, "unread", same[0], f"{suite.data} is registered on first use")
            return _line(name, "none", None, _NEVER)
        keys = Keys(gate, suite.digest, data.current(suite.data).digest)
        certificate, reference = find(keys, folders)
    except (SuiteError, CertificateError, DataError) as error:
        return _line(name, "unread", None, str(error))
    if certificate is not None:
        return _line(name, "current", certificate, "")
    if reference.state == "STALE":
        return _line(name, "stale", None, "gate code, suite or data changed since: nothing ships until it is renewed")
    return _line(name, "none", None, _NEVER)


def _line(suite: str, state: Place, certificate: Certificate | None, why: str) -> CertificateLine:
    c = certificate
    return CertificateLine(
        suite=suite,
        state=state,
        certificate_id=c.certificate_id if c else None,
        patches=c.patches if c else None,
        false_ships=c.false_ships if c else None,
        upper_bound=c.upper_bound if c else None,
        minimum_detectable=c.minimum_detectable if c else None,
        why=why,
    )
