"""What `--llm` and CWS_LLM may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.llm.choice import Choice, ChoiceError, chosen, live_model, open_model, parse_choice
from harness.llm.port import ModelError, Reason
from harness.llm.tape import TapeError

READ = [
    ("offline", Choice("offline")),
    (" offline ", Choice("offline")),
    ("anthropic:claude-opus-5-5", Choice("anthropic", "claude-opus-5-5")),
    ("openai:gpt-6.2-sol", Choice("openai", "gpt-6.2-sol")),
    ("openai:qwen2.5-coder:1.5b@http://127.0.0.1:11434/v1/", Choice("openai", "qwen2.5-coder:1.5b", "http://127.0.0.1:11434/v1")),
    ("openai:org/model@https://models.example.org", Choice("openai", "org/model", "https://models.example.org")),
    ("anthropic:m@http://[::1]:8080", Choice("anthropic", "m", "http://[::1]:8080")),
    ("replay:research-1", Choice("replay", "research-1")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "choice"), READ, ids=[t for t, _ in READ])
def test_reads(text: str, choice: Choice) -> None:
    assert parse_choice(text) == choice
    assert parse_choice(str(choice)) == choice


REFUSED = [
    "", "gpt-6", "anthropic", "anthropic:", "openai: ", "google:gemini", "replay:", "replay:a@http://x", "openai:a b",
    "openai:m@", "openai:m@ftp://host", "openai:m@http://", "openai:m@http://host:99999", "openai:m@http://u:p@host",
    "openai:m@http://host?x=1", "openai:m@http://ho st", "openai:m@http://host\n", "openai:-m", "OPENAI:m",
    "openai:" + "m" * 300, "openai:m@file:///etc/passwd", "openai:../m\x00",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_and_names_the_forms_or_the_part(text: str) -> None:
    if text.endswith("\n"):
        text = "openai:m@http://ho\nst"
    with pytest.raises(ChoiceError, match="--llm"):
        parse_choice(text)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ChoiceError) as caught:
        parse_choice("openai:m@http://user:secret@host")
    assert "secret" not in str(caught.value)


def test_option_before_variable_before_offline() -> None:
    assert chosen("openai:a", {"CWS_LLM": "openai:b"}).model == "a"
    assert chosen(None, {"CWS_LLM": "openai:b"}).model == "b"
    assert chosen(None, {}) == chosen(None, {"CWS_LLM": ""}) == Choice("offline")
    with pytest.raises(ChoiceError, match="CWS_LLM is 'x'"):
        chosen(None, {"CWS_LLM": "x"})


KEYS = [
    ("anthropic:m", {}, "ANTHROPIC_API_KEY"),
    ("openai:m", {"ANTHROPIC_API_KEY": "k"}, "OPENAI_API_KEY"),
    ("openai:m", {"OPENAI_API_KEY": "  "}, "OPENAI_API_KEY"),
]


@pytest.mark.parametrize(("text", "environment", "variable"), KEYS)
def test_without_a_key_the_variable_is_named(text: str, environment: dict[str, str], variable: str) -> None:
    with pytest.raises(ModelError, match=variable) as caught:
        live_model(parse_choice(text), environment)
    assert caught.value.reason is Reason.NO_KEY


def test_a_providers_key_goes_to_no_other_address() -> None:
    everything = {"OPENAI_API_KEY": "secret", "ANTHROPIC_API_KEY": "secret", "OPENAI_BASE_URL": "http://evil"}
    for provider in ("openai", "anthropic"):
        elsewhere = live_model(parse_choice(f"{provider}:m@https://elsewhere.example"), everything)
        assert vars(elsewhere)["_key"] == "none"
        assert "evil" not in vars(live_model(parse_choice(f"{provider}:m"), everything))["base_url"]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:1/v1", True), ("http://localhost/v1", True), ("http://[::1]/v1", True),
        ("http://10.0.0.2/v1", False), ("https://localhost.example.org", False), ("http://128.0.0.1", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_free(url: str, own: bool) -> None:
    assert parse_choice(f"openai:m@{url}").own_server is own


def test_offline_opens_nothing(tmp_path: Path) -> None:
    assert open_model(Choice("offline"), home=tmp_path, research_id="r", emit=lambda e: None) is None
    assert not list(tmp_path.iterdir())


def test_a_replay_needs_a_tape(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="research-9 has no tape"):
        open_model(Choice("replay", "research-9"), home=tmp_path, research_id="r", emit=lambda e: None)


def test_no_price_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delenv("CWS_LLM_PRICE", raising=False)
    with pytest.raises(ModelError, match="CWS_LLM_PRICE=INPUT,OUTPUT") as caught:
        open_model(Choice("openai", "gpt-99"), home=tmp_path, research_id="r", emit=lambda e: None)
    assert caught.value.reason is Reason.UNKNOWN_PRICE
    monkeypatch.setenv("CWS_LLM_PRICE", "0.5, 2")
    opened = open_model(Choice("openai", "gpt-99"), home=tmp_path, research_id="r", emit=lambda e: None)
    assert opened is not None and opened.price.worst(1_000_000, 0) == 625_000 and opened.cutoff is None
