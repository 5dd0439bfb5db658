"""What a provider enforces of a JSON schema differs; what it refuses is left out, and the caller checks every answer
anyway."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def without(schema: object, keywords: Collection[str]) -> object:
    """The schema less these keywords, at every depth. Properties of the same names stay."""
    if isinstance(schema, list | tuple):
        return [without(part, keywords) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: {name: without(part, keywords) for name, part in value.items()}
        if key == "properties" and isinstance(value, Mapping)
        else without(value, keywords)
        for key, value in schema.items()
        if key not in keywords
    }
