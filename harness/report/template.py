"""A page from a template: style and pictures put in, every other value escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.report.text import figure, number, percent
from harness.report.theme import DARK, LIGHT, variables

STYLE = Path(__file__).parent / "page.css"


def page_style(extra: str = "") -> str:
    """The style of every page, its palettes filled in, and what a page of its own adds."""
    return STYLE.read_text().replace("/*light*/", variables(LIGHT)).replace("/*dark*/", variables(DARK)) + extra


def render_template(
    folder: Path,
    name: str,
    values: Mapping[str, Any],
    svgs: Mapping[str, str],
    *,
    style: str | None = None,
    script: str = "",
    filters: Mapping[str, Callable[..., str]] | None = None,
) -> str:
    """The page as one string. `svgs`, style and script are made by us and go in as they are; nothing else does."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number, figure=figure, percent=percent, short=lambda digest: digest[:12], **(filters or {})
    )
    drawn = {key: Markup(svg) for key, svg in svgs.items()}
    return environment.get_template(name).render(
        {**values, "svgs": drawn, "style": Markup(style or page_style()), "script": Markup(script)}
    )
