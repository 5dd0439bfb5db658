"""A real model, small and local: `cws model pull`, then `make test-llm`. What it says is its own; what we do is not.

1. It speaks both protocols through our providers.
2. Whatever it makes of a hypothesis, it ends in a right reading, a question, a refusal or an error: never a wrong sign.
3. It drafts at least one signal that parses and does not point against the claim.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drafters.model.drafter import ModelDrafter
from harness.drafters.port import Allowance, Reading
from harness.llm.choice import Opened, open_model, parse_choice
from harness.llm.local import QWEN
from harness.llm.port import Answer, Message, ModelError, Reason, Request
from modules.signal import parse
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.soak

HOME = Path(os.environ.get("CWS_LOCAL_HOME", CHECKOUT / ".cws"))
ROOMY = Allowance(calls=40, tokens=1_000_000, seconds=7_200.0)
BEGIN_S = 120.0


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The model, served by the command that serves it."""
    pytest.importorskip("xllamacpp", reason="pip install '.[local-model]'")
    if not QWEN.path(HOME).exists():
        pytest.skip(f"{QWEN.path(HOME)} is not there: cws model pull")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "cli.main", "model", "serve", "--port", str(port)]
    environment = {**os.environ, "CWS_HOME": str(HOME), "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


def _await(url: str) -> None:
    until = time.monotonic() + BEGIN_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/v1/models", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the model did not answer within {BEGIN_S:g} s")


def opened(choice: str, folder: Path) -> Opened:
    found = open_model(parse_choice(choice), home=folder, research_id="r", emit=lambda e: None)
    assert found is not None
    return found


@pytest.mark.parametrize("protocol", ["openai:{name}@{url}/v1", "anthropic:{name}@{url}"])
def test_speaks_both_protocols(protocol: str, address: str, tmp_path: Path) -> None:
    model = opened(protocol.format(name=QWEN.name, url=address), tmp_path).model
    asked = Request(label="hello", system="Be brief.", messages=(Message(role="user", text="Say good day."),))
    reply = model.complete(asked.model_copy(update={"max_output_tokens": 40}))
    assert reply.text.strip() and reply.usage.input_tokens > 0 and reply.usage.output_tokens > 0


def test_keeps_to_a_form(address: str, tmp_path: Path) -> None:
    model = opened(f"openai:{QWEN.name}@{address}/v1", tmp_path).model
    number = {"type": "integer"}
    schema = {"type": "object", "properties": {"sum": number}, "required": ["sum"], "additionalProperties": False}
    asked = Request(
        label="form",
        system="Answer in JSON.",
        messages=(Message(role="user", text="What is 2 + 2?"),),
        answer=Answer(name="sum", json_schema=schema),
        max_output_tokens=60,
        temperature=0.0,
    )
    assert json.loads(model.complete(asked).text) == {"sum": 4}


HYPOTHESES = [
    ("Stocks that fell the most last week rebound", -1),
    ("Winners of the past year keep winning", 1),
    ("Stocks with low volatility outperform", -1),
    ("Buy me a coffee", None),
]


@pytest.mark.parametrize(("text", "sign"), HYPOTHESES, ids=[t for t, _ in HYPOTHESES])
def test_is_never_confidently_wrong(text: str, sign: int | None, address: str, tmp_path: Path) -> None:
    drafter = ModelDrafter(opened(f"openai:{QWEN.name}@{address}/v1", tmp_path))
    try:
        found = drafter.specify(text, seed=0, allowance=ROOMY)
    except ModelError as error:
        assert error.reason is Reason.MALFORMED
        print(f"\n{text}: {error}")
        return
    print(f"\n{text}: {found.model_dump_json(exclude_defaults=True)}")
    if found.reading is not None:
        assert found.reading.sign == sign


def test_drafts_a_signal(address: str, tmp_path: Path) -> None:
    drafter = ModelDrafter(opened(f"openai:{QWEN.name}@{address}/v1", tmp_path))
    claim = Reading(
        text=HYPOTHESES[0][0], event="return", pole="low", moves=True, outcome="reverts", sign=-1, horizon_bars=5,
        phrases=("fell the most", "last week", "rebound"),
    )  # fmt: skip
    fields = frozenset({"open", "high", "low", "close", "volume"})
    found = drafter.draft(claim, fields=fields, others=(), k=2, seed=0, allowance=ROOMY)
    print(f"\n{found.model_dump_json(indent=1, exclude={'reading'})}")
    assert found.candidates
    for candidate in found.candidates:
        parse(candidate.expr, fields)
