"""Every error becomes a clear line, an exit code and, with --json, one object; a bug keeps its traceback to itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.boundary import guarded
from cli.errors import KNOWN, CommandError, ExitCode, RefusedError, RequestError, meaning
from modules.contract import ContractError, Violation
from modules.datastore import DataError
from modules.panel import PanelError
from modules.signal.errors import SignalError
from modules.task import LockboxError, TaskError
from traces.log import LedgerError
from traces.query import QueryError


class Raises:
    """A command line whose command raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def main(self, **_: object) -> None:
        raise self.error


BROKEN = ContractError(
    "clean", "quality", "inputs", [Violation("bars", "close not above 0.0", 3, ("2001-01-02 A = -1.0",))]
)

CASES: list[tuple[BaseException, int, str]] = [
    (CommandError("the disk is full", "free some space"), 1, "free some space"),
    (RequestError("seed is -1", "give 0 or more"), 2, "give 0 or more"),
    (RefusedError("the certificate is stale", "run `cws certify`"), 3, "cws certify"),
    (BROKEN, 1, "close not above 0.0 (3 rows); first: 2001-01-02 A = -1.0"),
    (DataError("column close is text", "write numbers"), 1, "write numbers"),
    (SignalError("unknown operator x", "x(close)", 1), 2, "cws signal ops"),
    (PanelError("ts is not strictly increasing at row 3"), 1, "cws data add"),
    (TaskError("period is empty"), 2, "cws run --help"),
    (LockboxError("period.end reaches into the lockbox"), 3, "lockbox"),
    (LedgerError("record 3 was altered"), 1, "cws ledger verify"),
    (QueryError("no such view"), 2, "no such view"),
    (FileNotFoundError(2, "No such file or directory", "x.csv"), 2, "x.csv"),
    (PermissionError(13, "Permission denied", "/x"), 1, "CWS_HOME"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (ZeroDivisionError("division by zero"), 1, "CWS_DEBUG=1"),
]


@pytest.mark.parametrize(("error", "code", "words"), CASES, ids=[type(c[0]).__name__ for c in CASES])
def test_error_to_line_and_exit_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CWS_DEBUG", raising=False)
    assert guarded(Raises(error), []) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cws: ") and words in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(("error", "code", "words"), CASES, ids=[type(c[0]).__name__ for c in CASES])
def test_error_as_json(error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    assert guarded(Raises(error), ["--json"]) == code
    body = json.loads(capsys.readouterr().out)["error"]
    assert body["type"] == type(error).__name__ and body["exit_code"] == code
    assert words in body["message"] + body["remedy"]


def test_json_of_a_contract_error_lists_its_violations(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(Raises(BROKEN), ["--json"])
    body = json.loads(capsys.readouterr().out)["error"]
    assert (body["stage"], body["module"], body["side"]) == ("clean", "quality", "inputs")
    assert body["violations"] == [
        {"port": "bars", "rule": "close not above 0.0", "count": 3, "first_rows": ["2001-01-02 A = -1.0"]}
    ]


def test_debug_shows_where(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CWS_DEBUG", "1")
    assert guarded(Raises(ZeroDivisionError("division by zero")), []) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_remedy_that_the_message_holds_is_not_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(Raises(DataError("column close is text", "write numbers")), [])
    assert capsys.readouterr().err.count("write numbers") == 1


def test_every_error_class_of_the_parts_is_placed() -> None:
    """An exception class that the parts define has a row of its own or one above it, or is known by its package."""
    import ast

    root = Path(__file__).resolve().parents[2]
    for package in ("modules", "traces", "skills", "harness", "ablations", "supervisor"):
        for path in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                    made = type(node.name, (Exception,), {"__module__": f"{package}.x"})
                    assert meaning(made("x")) is not None, node.name


def test_exit_codes_are_those_of_the_design() -> None:
    assert [int(c) for c in ExitCode] == [0, 1, 2, 3]
    assert {m.exit_code for m in KNOWN.values()} <= set(ExitCode)


def test_a_name_of_others_does_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(Raises(DataError("file \x1b[2J\u202egnp.csv is empty", "give rows")), []) == 1
    said = capsys.readouterr().err
    assert "\x1b" not in said and "\u202e" not in said and "\\x1b[2J" in said


def test_an_error_of_a_library_with_a_name_of_ours_is_nobodys() -> None:
    """jinja2's TemplateError is no fault of `cws module new`."""
    foreign = type("TemplateError", (Exception,), {"__module__": "jinja2.exceptions"})
    assert "TemplateError" in KNOWN and meaning(foreign("x")) is None
