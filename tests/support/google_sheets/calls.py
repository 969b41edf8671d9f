"""A request and a reply, as the functions that answer see them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .service import Service


@dataclass
class Call:
    """One request as the functions that answer it see it."""

    service: "Service"
    document: str
    query: dict[str, list[str]]
    body: Any
    range: str = ""
    content_type: str = ""
    id: str = ""

    def one(self, name: str) -> str | None:
        """A query parameter that is given once."""
        values = self.query.get(name)
        return values[0] if values else None

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false."""
        return (self.one(name) or "").lower() == "true"


@dataclass(frozen=True)
class Reply:
    """A reply: JSON, or text of another type."""

    body: Any
    code: int = 200
    content_type: str = "application/json; charset=UTF-8"
