"""The pages around the terminal: sign-in, passwords, and messages."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

FOLDER = Path(__file__).parent


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    name: str, values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page that the template of this name makes of the values, which are text and never markup."""
    return HTMLResponse(_templates().get_template(f"{name}.html").render(values), status, headers)


def notice(title: str, sentence: str, status: int, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A page that says one thing and leads back to the start."""
    return page("notice", {"title": title, "sentence": sentence}, status, headers)
