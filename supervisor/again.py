"""Both arms of a record once more, with the code of the commit that it was judged on.

A script, not a module: `cws verify` runs it by its path in a process whose PYTHONPATH is that commit, so every import
below is of that commit's code and none of today's.

    python -P again.py CASE HOME

CASE holds the record's folder, HOME is an empty runtime state (`data/` in it may lead to registered data). Prints one
line of JSON: the record made anew, or why it could not be.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(case: Path, home: Path) -> dict[str, object]:
    """`{"record": ...}`, or `{"missing": why}` where data of this digest is not there."""
    from ablations.ablate import ablate
    from ablations.record import read_record
    from ablations.suite import load_suite
    from modules.datastore import DataError, DataStore
    from modules.workspace import CHECKOUT, Workspace
    from traces.events import EVENT

    record = read_record(case)
    workspace = Workspace(root=CHECKOUT, home=home)
    suite = load_suite(record.suite.name)
    try:
        version = DataStore(workspace.data).current(suite.data)
    except DataError as error:
        return {"missing": str(error)}
    if version.digest != record.suite.data_digest:
        return {"missing": f"{suite.data} here is {version.digest[:12]}, judged was {record.suite.data_digest[:12]}"}
    lines = (case / "trials.jsonl").read_text().splitlines()
    trials = [EVENT.validate_json(line) for line in lines]
    made = ablate(
        record.patch,
        suite,
        workspace,
        lambda event: None,
        history=lambda: trials,
        certificates=[case / "certificates"],
    )
    return {"record": made.model_dump(mode="json")}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
