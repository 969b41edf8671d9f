"""This machine's memory of the accounts that it has seen, so that neither an older copy of a store nor another store
takes their place."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from crm.lean_dataclass import dataclass

# How the place of a store begins that is a file.
FILE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Known:
    """The known revisions of one store: the highest revision of its roster that was seen `anywhere`, and the highest
    that was seen `here`, at its place; 0 for accounts without a roster, -1 where none were seen. `another` says that
    the accounts of other stores were seen at this place, and none of this one; `is_copy` that those of this one were
    seen elsewhere alone, in another file that is still there."""

    anywhere: int = -1
    here: int = -1
    another: bool = False
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class KnownRosters:
    """The highest revisions that were seen, each by the id of a store and its place, for a store at `place`."""

    place: str = ""
    seen: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, store: str) -> Known:
        """The known revisions of the store with this id."""
        places = {place: revision for (of, place), revision in self.seen.items() if of == store}
        here = places.get(self.place, -1)
        another = here < 0 and any(place == self.place for _, place in self.seen)
        is_copy = here < 0 and any(_is_another_file(self.place, place) for place in places)
        return Known(max(places.values(), default=-1), here, another, is_copy)


def _is_another_file(one: str, other: str) -> bool:
    """Return whether the other place is a file that is there, and not the first one by another name."""
    if not one.startswith(FILE) or not other.startswith(FILE):
        return False
    with suppress(OSError, ValueError):
        return not Path(one.removeprefix(FILE)).samefile(other.removeprefix(FILE))
    return False


def new_id() -> str:
    """A new identifier, of a store or a transaction, unlike all others."""
    return uuid.uuid4().hex
