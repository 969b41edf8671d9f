"""Checks of fields in rows that are read for the first time: what a cell can hold and its field cannot, as in edits.

An address or a phone number that is none may have come from a file: the history tells. Mails from elsewhere are longer
than what people type.
"""

from collections.abc import Collection, Iterable
from typing import Any

from crm.errors import FieldError
from crm.model import Conventions, Message, Record, fields, people
from crm.model.fields import (
    Choice,
    Country,
    ElectronicAddress,
    Email,
    Line,
    Phone,
    Prose,
    Rate,
    Tags,
    TimeOfDay,
    Unit,
    Whole,
)
from crm.model.fields.days import Day
from crm.model.rights import SEALED
from crm.repository.sheets.grid.cells import FAILED
from crm.repository.sheets.mirror.validation import NOT_READ

# Their values repeat, so each is checked once.
_REPEATED = (Choice, Country, Rate, Tags, TimeOfDay, Unit, Whole)
_LONGEST_OWN = 2000
_Text = Email | Phone | ElectronicAddress | Line | Prose


def _texts_of(kind: type[Record]) -> dict[str, _Text]:
    """The texts that people type, each with its check."""
    texts: dict[str, _Text] = {}
    for name, field in fields(kind).items():
        if field.by != "person" or kind is Message:
            continue
        match field.check:
            case Email() | Phone() | ElectronicAddress() | Prose():
                texts[name] = field.check
            case Line():
                texts[name] = Line(field.check.longest)
    return texts


class FieldChecks:
    """The checks of the values of one kind of record. `last_account` is the highest number of an account, 0 for none.
    Values that were found to be fine are remembered."""

    def __init__(self, kind: type[Record], by: Conventions, last_account: int = 0) -> None:
        self.kind = kind
        self.by = by
        self._last_account = last_account
        self._texts = {} if kind in SEALED else _texts_of(kind)
        self._accounts = frozenset(people(kind).values())
        known = {} if kind in SEALED else fields(kind)
        self._repeated = {
            name: field.check
            for name, field in known.items()
            if isinstance(field.check, _REPEATED) and field.by == "person"
        }
        self._days = {
            name: field.check for name, field in known.items() if isinstance(field.check, Day) and field.by == "person"
        }
        needed = set(kind.about.needs).difference(kind.about.may_be_empty)
        self._needed_texts = self._texts.keys() & needed
        self._needed_choices = {name for name, check in self._repeated.items() if isinstance(check, Choice)} & needed
        self._fine: dict[str, set[Any]] = {
            name: set() if name in self._needed_choices else {check.empty} for name, check in self._repeated.items()
        }

    def value(self, name: str, value: Any) -> Any:
        """A value as it is kept. Raises FieldError for one that the field cannot have."""
        if name in self._texts:
            value = self._texts[name].read(value, self.by)
            if name in self._needed_texts and not value:
                raise FieldError(f"every {self.kind.noun} needs it")
        elif name in self._repeated:
            return self._one_of_few(name, value)
        elif name in self._days:
            self._refuse_day(name, value)
        elif name in self._accounts and not self._may_be_accounts((value,)):
            raise FieldError(NOT_READ)
        return value

    def fits(self, name: str, cells: Collection[Any], values: Collection[Any]) -> bool:
        """Return whether all the different cells of a column surely hold what they can, and their values are kept
        so."""
        if not FAILED.isdisjoint(cells):
            return False
        if name in self._texts:
            return self._texts_fit(name, values)
        try:
            if name in self._repeated:
                return all(self._one_of_few(name, value) == value for value in values)
            if name in self._days:
                for value in values:
                    self._refuse_day(name, value)
        except FieldError:
            return False
        return name not in self._accounts or self._may_be_accounts(values)

    def _texts_fit(self, name: str, values: Collection[str]) -> bool:
        check = self._texts[name]
        if name in self._needed_texts and not all(map(str.strip, values)):
            return False
        if isinstance(check, Line | Prose):
            together = "\n".join(values)
            if "\n".join(map(str.strip, values)) != together or (isinstance(check, Line) and "  " in together):
                return False
            if "".join(values).isprintable() and len(max(values, key=len)) <= check.longest:
                return True
        try:
            return all(check.read(value, self.by) == value for value in values)
        except FieldError:
            return False

    def _may_be_accounts(self, numbers: Collection[int]) -> bool:
        return min(numbers) >= 0 and max(numbers) <= self._last_account

    def _one_of_few(self, name: str, value: Any) -> Any:
        fine = self._fine[name]
        if value in fine:
            return value
        check = self._repeated[name]
        if name in self._needed_choices and not value.strip():
            raise FieldError(f"every {self.kind.noun} needs it")
        # A text may be as a person wrote it, and is read as one.
        read = check.read(value if isinstance(value, str) else check.edit(value, self.by), self.by)
        if read == value:
            fine.add(value)
        return read

    def _refuse_day(self, name: str, value: Any) -> None:
        check = self._days[name]
        # The clock of this computer, or that of another one, may be some hours off.
        if value is not None and (value < check.earliest or (check.past and (value - self.by.today).days > 1)):
            check.read(value.isoformat(), self.by)


def is_a_name(parts: Iterable[str]) -> bool:
    """Return whether the parts of the name of a client say something."""
    return any(map(str.strip, parts))


def own_fields_fit(own: Iterable[Iterable[Any]]) -> bool:
    """Return whether the team's own fields of some clients surely hold what they can, tidied as what is typed is: their
    texts, client by client."""
    return all(
        type(text) is str
        and text not in FAILED
        and len(text) <= _LONGEST_OWN
        and text.isprintable()
        and "  " not in text
        and text.strip() == text
        for texts in own
        for text in texts
    )
