"""The one place where an error becomes a line, a JSON object and an exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

from cli.errors import ExitCode, Meaning, RequestError, meaning
from cli.output import visible

_BUG = Meaning(ExitCode.FAILED, "set CWS_DEBUG=1 and run again to see where; this is a defect, please report it")
_INTERRUPTED = 130


def guarded(command: Any, argv: list[str]) -> int:
    """Run a command line; every error becomes one clear line on stderr (and `{"error": ...}` with --json)."""
    as_json = "--json" in argv
    try:
        result = command.main(args=argv, prog_name="cws", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.OK
    except typer.Exit as stop:
        return int(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        print("cws: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except typer.TyperException as error:
        return _command_line_error(error, as_json)
    except BrokenPipeError:
        # The reader (head, less) has gone: that is its right. Point stdout away so that exit does not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the one boundary; known errors and bugs part in _report
        return _report(error, meaning(error), as_json)


def _command_line_error(error: Any, as_json: bool) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return ExitCode.USAGE
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "cws"
    fault = RequestError(error.format_message(), f"see `{path} --help`")
    return _report(fault, meaning(fault), as_json)


def _report(error: Exception, known: Meaning | None, as_json: bool) -> int:
    said = known or _BUG
    text = _words(error) if known else f"{type(error).__name__}: {error}"
    remedy = str(getattr(error, "remedy", "") or said.remedy)
    if os.environ.get("CWS_DEBUG") == "1":
        traceback.print_exception(error)
    # The message may already end with its remedy; it is not said twice.
    tail = f"\n  remedy: {remedy}" if remedy and remedy not in text else ""
    notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
    print(visible(f"cws: {text}{notes}{tail}"), file=sys.stderr)
    if as_json:
        print(json.dumps({"error": _as_json(error, text, remedy, int(said.exit_code))}, allow_nan=False))
    return int(said.exit_code)


_SHOWN_CHARACTERS = 60


def _words(error: Exception) -> str:
    """What an error says. Of a model that refused values: each field with its rule and the value, and no more."""
    faults = getattr(error, "errors", None)
    if type(error).__name__ != "ValidationError" or not callable(faults):
        return str(error)
    return "; ".join(_fault(fault) for fault in faults(include_url=False))


def _fault(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"]) or "value"
    value = repr(fault["input"])
    shown = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}..."
    return f"{where} is {shown}: {str(fault['msg']).removeprefix('Value error, ')}"


_DETAILS: Sequence[str] = ("field", "value", "rule", "stage", "module", "side", "column", "reason", "name")


def _as_json(error: Exception, message: str, remedy: str, exit_code: int) -> dict[str, object]:
    body: dict[str, object] = {
        "type": type(error).__name__,
        "message": message,
        "remedy": remedy,
        "exit_code": exit_code,
    }
    for name in _DETAILS:
        value = getattr(error, name, None)
        if isinstance(value, str | int | bool) and name not in body:
            body[name] = value
    violations = getattr(error, "violations", None)
    if violations:
        body["violations"] = [
            {"port": v.port, "rule": v.rule, "count": v.count, "first_rows": list(v.first_rows)} for v in violations
        ]
    return body
