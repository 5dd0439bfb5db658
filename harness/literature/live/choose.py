"""The sources by name, with their keys from the environment and their answers on a tape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.literature.live.arxiv import PACE_S as ARXIV_PACE_S
from harness.literature.live.arxiv import Arxiv
from harness.literature.live.by_hand import ByHand
from harness.literature.live.openalex import OpenAlex
from harness.literature.live.semantic_scholar import PACE_S as SCHOLAR_PACE_S
from harness.literature.live.semantic_scholar import SemanticScholar
from harness.literature.live.web import Patience, Web
from harness.literature.port import Literature
from harness.llm.tape import Exchange, Tape

OPENALEX_KEY = "OPENALEX_API_KEY"
SCHOLAR_KEY = "SEMANTIC_SCHOLAR_API_KEY"
OPENALEX, ARXIV, SCHOLAR, BY_HAND = "openalex", "arxiv", "semantic_scholar", "by_hand"
SEARCHABLE = (OPENALEX, ARXIV, SCHOLAR)
"""Sources outside that can be asked for words."""


def live_source(
    name: str,
    *,
    environment: Mapping[str, str],
    tape: Tape | None = None,
    patience: Patience | None = None,
    other: Tape | None = None,
    heard: Callable[[Exchange], None] | None = None,
) -> Literature:
    """The source of this name. `heard` is told of each exchange new on `tape`; with `other` nothing is asked outside
    and that tape answers. Raises ValueError for a name that is not known."""

    asking = Web(name, tape, patience or Patience(), other=other, heard=heard)
    match name:
        case "openalex":
            return OpenAlex(replace(asking, secret=_key(environment, OPENALEX_KEY, "api_key")))
        case "arxiv":
            return Arxiv(replace(asking, pace_s=ARXIV_PACE_S))
        case "semantic_scholar":
            return SemanticScholar(
                replace(asking, pace_s=SCHOLAR_PACE_S, headers=_key(environment, SCHOLAR_KEY, "x-api-key"))
            )
        case "by_hand":
            return ByHand(replace(asking, elsewhere=True))
    raise ValueError(f"source {name!r} does not exist; it is one of {', '.join((*SEARCHABLE, BY_HAND))}")


def _key(environment: Mapping[str, str], variable: str, field: str) -> Mapping[str, str]:
    value = environment.get(variable, "").strip()
    return {field: value} if value else {}


def source_for(identifier: str) -> tuple[str, str]:
    """`(source, identifier)` of what a person gave: a DOI, `arxiv:ID`, a web address, or a path."""
    given = identifier.strip()
    lower = given.lower()
    if lower.startswith(("doi:", "10.", "https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "w")) and (
        lower[0] != "w" or lower[1:].isdigit()
    ):
        return OPENALEX, given
    if lower.startswith("arxiv:") or "://arxiv.org/abs/" in lower:
        return ARXIV, given
    return BY_HAND, given
