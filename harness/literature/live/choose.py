"""The sources by name, with their keys from the environment and their answers on a tape."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.literature.live.arxiv import PACE_S as ARXIV_PACE_S
from harness.literature.live.arxiv import Arxiv
from harness.literature.live.by_hand import ByHand
from harness.literature.live.openalex import OpenAlex
from harness.literature.live.semantic_scholar import PACE_S as SCHOLAR_PACE_S
from harness.literature.live.semantic_scholar import SemanticScholar
from harness.literature.live.web import Patience, Web
from harness.literature.port import Literature
from harness.llm.tape import Tape

OPENALEX_KEY = "OPENALEX_API_KEY"
SCHOLAR_KEY = "SEMANTIC_SCHOLAR_API_KEY"
_Maker = Callable[[Tape | None, Mapping[str, str], Patience], Literature]


def _openalex(tape: Tape | None, environment: Mapping[str, str], patience: Patience) -> Literature:
    key = environment.get(OPENALEX_KEY, "").strip()
    return OpenAlex(Web("openalex", tape, patience, secret={"api_key": key} if key else {}))


def _arxiv(tape: Tape | None, environment: Mapping[str, str], patience: Patience) -> Literature:
    return Arxiv(Web("arxiv", tape, patience, pace_s=ARXIV_PACE_S))


def _scholar(tape: Tape | None, environment: Mapping[str, str], patience: Patience) -> Literature:
    key = environment.get(SCHOLAR_KEY, "").strip()
    headers = {"x-api-key": key} if key else {}
    return SemanticScholar(Web("semantic_scholar", tape, patience, pace_s=SCHOLAR_PACE_S, headers=headers))


def _by_hand(tape: Tape | None, environment: Mapping[str, str], patience: Patience) -> Literature:
    return ByHand(Web("by_hand", tape, patience, elsewhere=True))


_MAKERS: dict[str, _Maker] = {"openalex": _openalex, "arxiv": _arxiv, "semantic_scholar": _scholar, "by_hand": _by_hand}
SEARCHABLE = ("openalex", "arxiv", "semantic_scholar")
"""Sources outside that can be asked for words."""


def live_source(
    name: str, *, tape: Tape | None = None, environment: Mapping[str, str], patience: Patience | None = None
) -> Literature:
    """The source of this name. Raises ValueError for a name that is not known."""
    if name not in _MAKERS:
        raise ValueError(f"source {name!r} does not exist; it is one of {', '.join(_MAKERS)}")
    return _MAKERS[name](tape, environment, patience or Patience())


def source_for(identifier: str) -> tuple[str, str]:
    """`(source, identifier)` of what a person gave: a DOI, `arxiv:ID`, a web address, or a path."""
    given = identifier.strip()
    lower = given.lower()
    if lower.startswith(("doi:", "10.", "https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "w")) and (
        lower[0] != "w" or lower[1:].isdigit()
    ):
        return "openalex", given
    if lower.startswith("arxiv:") or "://arxiv.org/abs/" in lower:
        return "arxiv", given
    return "by_hand", given
