"""Where a skill's text comes from: the version and the ablation that stand in its metadata once a patch of it ships."""

from __future__ import annotations

import re

_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)
_VERSION = re.compile(r"""^  version: ["']?([0-9]{1,9})["']?[ ]*$""", re.MULTILINE)
_REPLACED = re.compile(r"^  (?:version|provenance):.*\n(?:    .*\n)*", re.MULTILINE)  # a long value goes on, indented
_METADATA = re.compile(r"^metadata:[ ]*\n", re.MULTILINE)


def shipped(text: str, before: str | None, ablation_id: str) -> str:
    """`text` of a SKILL.md with the ablation that shipped it as its provenance, and the version that follows that of
    `before` (1 for a new skill). Nothing else changes; a text without frontmatter or metadata stays as it is."""
    front = _FRONT.match(text)
    if front is None or _METADATA.search(front[1]) is None:
        return text
    head = _REPLACED.sub("", front[1])
    lines = f'  version: "{_version(before) + 1}"\n  provenance: ablation {ablation_id}\n'
    place = _METADATA.search(head)
    assert place is not None, "the lines taken out are below metadata, not it"
    head = head[: place.end()] + lines + head[place.end() :]
    return f"---\n{head}---\n{text[front.end() :]}"


def _version(text: str | None) -> int:
    front = _FRONT.match(text or "")
    found = _VERSION.search(front[1]) if front else None
    return int(found[1]) if found else 0
