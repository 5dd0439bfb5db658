"""YAML of others, read without what makes a small text grow or a parser run without end."""

from __future__ import annotations

import yaml

MOST_NESTED = 12
_OPENS = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def plain_yaml(text: str) -> object:
    """The value of `text`. Raises ValueError for anchors, for brackets deeper than 12, and for what is no YAML."""
    try:
        if "&" in text or text.count("[") + text.count("{") > MOST_NESTED:
            _refuse(text)
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {error}") from None
    except RecursionError:
        raise ValueError(f"is nested too deep; at most {MOST_NESTED} levels make sense here") from None


def _refuse(text: str) -> None:
    depth = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
            raise ValueError(f"has the anchor or alias {token.value!r}; write each value out, or quote the &")
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        if depth > MOST_NESTED:
            raise ValueError(f"is nested deeper than {MOST_NESTED} levels; nothing here is")
