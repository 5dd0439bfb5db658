"""Which model, as said on the command line or in `CWS_LLM`, and that model opened, on the research's tape.

    offline                        no model at all
    anthropic:MODEL                key in ANTHROPIC_API_KEY
    openai:MODEL                   key in OPENAI_API_KEY
    openai:MODEL@BASE_URL          a server that speaks Chat Completions (Ollama, vLLM, llama.cpp); key in CWS_LLM_KEY
    anthropic:MODEL@BASE_URL       a server that speaks Messages; key in CWS_LLM_KEY
    replay:RESEARCH                what that research heard, and nothing else

The providers' own variables for an address are not read: a key goes to the provider, or where the choice says.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from harness.llm.port import Model, ModelError, Reason
from harness.llm.prices import Priced, price_of
from harness.llm.recorder import Emit, Recorded, Replayed, reconcile, settle_price, verify
from harness.llm.retry import Retrying
from harness.llm.tape import Tape, tape_path
from harness.llm.wire import DEADLINE_S

VARIABLE = "CWS_LLM"
OWN_KEY = "CWS_LLM_KEY"
OWN_DEADLINE_S = 3_600.0
"""For a model on one's own processor: slow is not broken there."""
FORMS = "offline, anthropic:MODEL, openai:MODEL, openai:MODEL@BASE_URL, replay:RESEARCH"
_KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


class ChoiceError(ValueError):
    """The choice of a model cannot be read. Names the value and the forms."""


@dataclass(frozen=True)
class Choice:
    """A model as chosen. `model` is the provider's name of it, or the research to replay."""

    provider: Literal["offline", "anthropic", "openai", "replay"]
    model: str = ""
    base_url: str | None = None

    def __str__(self) -> str:
        """As it was written."""
        if self.provider == "offline":
            return "offline"
        return f"{self.provider}:{self.model}" + (f"@{self.base_url}" if self.base_url else "")

    @property
    def own_server(self) -> bool:
        """Whether the model is served on this machine."""
        return self.base_url is not None and _is_loopback(urlsplit(self.base_url).hostname or "")


@dataclass(frozen=True)
class Opened:
    """A model ready to be asked, its price, and the last day that it can have been trained on (None: not stated)."""

    model: Recorded | Replayed
    price: Priced
    cutoff: date | None


def chosen(option: str | None, environment: Mapping[str, str] = os.environ) -> Choice:
    """The choice on the command line, else in CWS_LLM, else offline. Raises ChoiceError."""
    if option is not None:
        return parse_choice(option, "--llm")
    return parse_choice(environment[VARIABLE], VARIABLE) if environment.get(VARIABLE) else Choice("offline")


def parse_choice(text: str, where: str = "--llm") -> Choice:
    """The choice that a text makes. Raises ChoiceError."""
    text = text.strip()
    if text == "offline":
        return Choice("offline")
    provider, colon, rest = text.partition(":")
    if not colon or provider not in ("anthropic", "openai", "replay"):
        raise ChoiceError(f"{where} is {text!r}; write one of {FORMS}")
    model, at, url = rest.partition("@")
    if not _MODEL.fullmatch(model):
        raise ChoiceError(
            f"{where} is {text!r}: the name {model!r} must be 1 to 200 letters, digits and . _ : / -, as in {provider}:"
            + {"anthropic": "claude-opus-5-5", "openai": "gpt-6.2-sol", "replay": "research-20260101-120000-abcd"}[
                provider
            ]
        )
    if provider == "replay":
        if at:
            raise ChoiceError(f"{where} is {text!r}: a replay asks nobody, so it has no address; write replay:{model}")
        return Choice("replay", model)
    known: Literal["anthropic", "openai"] = "anthropic" if provider == "anthropic" else "openai"
    return Choice(known, model, _address(url, text, where) if at else None)


def _address(url: str, text: str, where: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ChoiceError(f"{where} is {text!r}: {url!r} is no address ({error})") from None
    whole = parts.scheme in ("http", "https") and parts.hostname and port_is_a_number
    if not whole or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise ChoiceError(f"{where} is {text!r}: {url!r} is no address; write it as http://127.0.0.1:11434/v1")
    if parts.username or parts.password:
        raise ChoiceError(f"{where}: the address holds a user or password; put the key in {OWN_KEY} instead")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def live_model(choice: Choice, environment: Mapping[str, str] = os.environ) -> Model:
    """The provider's model, one attempt a call. Raises ModelError where the key is missing."""
    variable = OWN_KEY if choice.base_url else _KEYS[choice.provider]
    key = environment.get(variable, "").strip() or ("none" if choice.base_url else "")
    if not key:
        raise ModelError(Reason.NO_KEY, f"{choice}: no key in {variable}; set it, or choose --llm offline")
    deadline_s = OWN_DEADLINE_S if choice.own_server else DEADLINE_S
    if choice.provider == "anthropic":
        from harness.llm.anthropic import AnthropicModel

        return AnthropicModel(choice.model, key, base_url=choice.base_url, deadline_s=deadline_s)
    from harness.llm.openai import OpenAIModel

    return OpenAIModel(choice.model, key, base_url=choice.base_url, deadline_s=deadline_s)


def open_model(
    choice: Choice,
    *,
    home: Path,
    research_id: str,
    emit: Emit,
    vouched: Mapping[str, str] | None = None,
    vouched_source: Mapping[str, str] | None = None,
    waiting: Callable[[str], None] = lambda words: None,
) -> Opened | None:
    """The model of `choice` on the tape of `research_id`, or None for offline.

    `vouched`: request digest to line digest of the ledger's exchanges of this research, when it is resumed, and
    `vouched_source` of the one that is replayed, where this ledger holds it. `waiting` is told why an answer takes
    longer. Raises ModelError: no key, no price, no tape, or one that was altered.
    """
    if choice.provider == "offline":
        return None
    own = Tape(tape_path(home, research_id))
    known = dict(vouched or {})
    reconcile(own, research_id, known, emit)
    if choice.provider == "replay":
        source = Tape(tape_path(home, choice.model), ask_outside=False)
        verify(source, vouched_source or {})
        replayed = Replayed.of(source, own, research_id, emit)
        price = settle_price(source, own, research_id, emit, replayed.name, _no_price)
        return Opened(replayed, price, price.cutoff)
    live = live_model(choice)
    price = settle_price(
        own, own, research_id, emit, live.name, lambda: price_of(live.name, own_server=choice.own_server)
    )
    return Opened(Recorded(Retrying(live, waiting=waiting), price, own, research_id, emit), price, price.cutoff)


def _no_price() -> Priced:
    raise AssertionError("a tape that may not ask outside has asked")
