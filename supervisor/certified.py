"""Whether the certificate behind a record still stands: same gate code, suite and data, in this workspace."""

from __future__ import annotations

from ablations.ablate import certificate_folders
from ablations.certificate import Keys, find, gate_digest
from ablations.record import AblationRecord
from ablations.suite import SuiteError, load_suite
from modules.workspace import Workspace


def certificate_problem(workspace: Workspace, record: AblationRecord) -> str:
    """Why the certificate of `record` no longer stands; "" = it is current. Raises CertificateError."""
    try:
        suite = load_suite(record.suite.name)
    except SuiteError as error:
        return str(error)
    if suite.digest != record.suite.digest:
        return f"suite {suite.name} changed since the ablation"
    keys = Keys(gate_digest(), suite.digest, record.suite.data_digest)
    _, now = find(keys, certificate_folders(workspace))
    if now.state != "CURRENT":
        return f"the A/A certificate of the gate on suite {suite.name} is {now.state}"
    if now.certificate_id != record.certificate.certificate_id:
        return f"the record names certificate {record.certificate.certificate_id}, in force is {now.certificate_id}"
    return ""
