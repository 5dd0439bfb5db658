"""How the tests call the command: in this process, through the same entry point as a shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.main import main


@dataclass(frozen=True)
class Result:
    """What a shell would see."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout; NaN is refused."""

        def refuse(name: str) -> None:
            raise AssertionError(f"JSON holds {name}")

        return json.loads(self.out, parse_constant=refuse)


Cws = Callable[..., Result]


@pytest.fixture
def cws(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cws:
    """`cws("run", "--json")`."""
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*argv: str) -> Result:
        capsys.readouterr()
        code = main(argv)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call
