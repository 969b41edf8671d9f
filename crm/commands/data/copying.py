"""Moving a whole store to another place, and proving that all of it arrived."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

from crm.commands.context import CRM, counted, open_other
from crm.commands.registry import ONLY_ADMIN, About, command
from crm.errors import RefusedError, UsageError
from crm.model import RECORDS
from crm.model.fields import Line
from crm.model.paths import display_path
from crm.repository import Repository
from crm.repository.queries import store


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a store, counted in both; money in major units."""

    name: str
    source: Any
    copy: Any


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copied store: from where, to where, and the figures of both."""

    source: str
    copy: str
    figures: Sequence[Figure]

    @property
    def failed(self) -> bool:
        """Return whether the two differ; the shell then exits with 1."""
        return any(figure.source != figure.copy for figure in self.figures)


@command(
    "copy",
    title="Copy to another store",
    menu="backups",
    hint="Everything, with its history",
    roles=ONLY_ADMIN,
    here=True,
    own_store=True,
)
def copy(
    crm: CRM,
    to: Annotated[str, Line(1000), About("To", "an empty store: sqlite:///path, or sheets:// and a spreadsheet's id")],
    from_: Annotated[str, Line(1000), About("From", "the store to copy; this one if empty")] = "",
) -> CopyReport:
    """Copy a whole store with its history to an empty store of any kind, and compare the two at the end.

    If a copy is interrupted, nothing of it can be seen; start it again.
    """
    source = open_other(crm, from_) if from_ and from_ != crm.repository.url else crm
    others = [source] if source is not crm else []
    try:
        target = open_other(crm, to)
        others.append(target)
        if source.repository.url == target.repository.url:
            raise UsageError("The store to copy and the one to fill are the same. Name another one.")
        if not target.repository.is_untouched():
            where = display_path(target.repository.url)
            raise RefusedError(f"{where} is not empty. A store is copied into an empty one only.")
        expected = _figures(source.repository)
        objects = sum(number for name, number in expected.items() if name in _COUNTED)
        with (
            crm.progress("Copying") as progress,
            closing(counted(source.repository.everything(), progress, objects)) as everything,
        ):
            target.repository.fill(everything)
        # What was copied may hold accounts, which shut the store to the owner who filled it.
        copied = _figures((target.outside or target).repository)
    finally:
        for other in others:
            other.repository.close()
    return CopyReport(
        source.repository.url,
        target.repository.url,
        [Figure(name, number, copied[name]) for name, number in expected.items()],
    )


_COUNTED = (*(kind.plural for kind in RECORDS), "transactions", "changes")


def _figures(repository: Repository) -> Mapping[str, Any]:
    """The number of records of each kind in a store, and what its money adds up to."""
    with repository.read() as snapshot:
        return {**store.counts(snapshot), **store.sums(snapshot)}
