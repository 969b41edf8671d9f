"""Fields in the text of a message, such as {first_name}: checked when the text is saved, filled when it is sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from crm.batching import batches
from crm.commands.context import CRM
from crm.errors import FieldError
from crm.lean_dataclass import dataclass
from crm.model import Client, Contact, Conventions
from crm.model.fields import Line, Prose
from crm.outward.sanitizing import line
from crm.repository import Query, Snapshot

# What there is, in the order in which it is offered.
FIELDS: Mapping[str, str] = {
    "first_name": "the client's first name",
    "last_name": "the client's last name",
    "name": "a person's whole name, or the company",
    "company": "the client's company",
    "contact_name": "the recipient: the contact, or the client by name",
    "email": "the client's e-mail address",
    "city": "the client's city",
    "status": "the client's status",
    "total_spend": "what the client has spent",
    "last_sale_on": "the day of the last sale",
    "owner": "who looks after the client",
    "my_name": "your name",
    "company_name": "your company, as the settings have it",
}
# Before the name of one of the team's own fields.
OWN = "extra."
_PARTS = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
# How fields are written in other programs: {{contact.firstname}}, *|FNAME|*.
_FOREIGN = re.compile(r"(?<!\{)\{\{([^{}\n]*)\}\}(?!\})|\*\|[^|\n]{1,40}\|\*")
# What stands for a field while it is found out where that is, and what must be in a text for it to matter.
_STAND_IN = "qzfieldzq"
_MARKS = ("](", "://", "`", "~~~", "    ", "\t", "]:", "<")
_LONGEST = 2000
_ALL = f"the fields are {', '.join(f'{{{field}}}' for field in FIELDS)}, and your own, like {{extra.shoe size}}"


@dataclass(frozen=True, slots=True)
class _Field:
    """A field where it is in a text; `otherwise` is what is put there where the client has nothing."""

    name: str
    otherwise: str


@dataclass(frozen=True)
class LineWithFields(Line):
    """One line of text in which fields may stand."""

    def read(self, typed: str, by: Conventions) -> str:
        text = super().read(typed, by)
        check(text)
        return text


@dataclass(frozen=True)
class ProseWithFields(Prose):
    """Text of any number of lines in which fields may stand."""

    def read(self, typed: str, by: Conventions) -> str:
        text = super().read(typed, by)
        check(text)
        return text


def check(text: str) -> None:
    """Raise FieldError, naming the place, where a field is not known or is written as in other programs, or a brace is
    alone.

    The team's own fields are not looked up: each client may have others, and a template may be written first.
    """
    _parsed(text)
    for match in _FOREIGN.finditer(text):
        written, doubled = match.group(), match.group(1)
        if doubled is None:
            raise FieldError(f"{written} {_place(text, match.start())} is not a field; {_ALL}")
        if meant := _meant(doubled):
            raise FieldError(
                f"{written} {_place(text, match.start())} would be sent as the text {written[1:-1]}; write "
                f"{{{meant}}} for the field"
            )


def values(crm: CRM, snapshot: Snapshot, client: Client, contact: Contact | None = None) -> Mapping[str, str]:
    """The values of the merge fields for a client, each a single line; `contact` is the one at the client it is written
    to, the primary one of a company unless given."""
    chosen = {client.id: contact} if contact else _primary(snapshot, [client])
    return _Values(crm, client, chosen.get(client.id))


def values_of(
    crm: CRM, snapshot: Snapshot, clients: Sequence[Client], me: str = ""
) -> Iterator[tuple[Client, Mapping[str, str]]]:
    """The same for many clients, each written to by its primary contact if it is a company; `me` is who writes, unless
    that is the reader."""
    for some in batches(clients):
        primary = _primary(snapshot, some)
        for client in some:
            yield client, _Values(crm, client, primary.get(client.id), me)


def filled(text: str, values: Mapping[str, str], *, markdown: bool) -> str:
    """The text with its fields filled in, where `markdown` in such a way that no sign in a value means anything.

    Raises FieldError as `check` does.
    """
    if not markdown:
        return "".join(_value(part, values) if isinstance(part, _Field) else part for part in _parsed(text))
    from crm.outward.markdown import code_value, escaped, link_value

    written = ""
    places = _places(text)
    for at, part in enumerate(_parsed(text)):
        if isinstance(part, str):
            written += part
        elif place := places.get(at):
            value = _value(part, values)
            written += code_value(value) if place == "code" else link_value(value, whole=place == "whole")
        elif value := values.get(part.name, ""):
            # A lone backslash before a field would take away the one that protects the value.
            lone = (len(written) - len(written.rstrip("\\"))) % 2
            written += "\\" * lone + escaped(value)
        else:
            written += part.otherwise
    return written


def missing(text: str, values: Mapping[str, str]) -> list[str]:
    """The fields of a text for which there is neither a value nor a default, each once."""
    empty = [field.name for field in _parsed(text) if isinstance(field, _Field) and not _value(field, values)]
    return list(dict.fromkeys(empty))


def _value(part: _Field, values: Mapping[str, str]) -> str:
    return values.get(part.name, "") or part.otherwise


class _Values(Mapping[str, str]):
    """The values of the merge fields for one client, each made when a text asks for it."""

    def __init__(self, crm: CRM, client: Client, contact: Contact | None, me: str = "") -> None:
        self._crm = crm
        self._me = me or crm.me
        self._client = client
        self._contact = contact

    def get(self, name: str, default: Any = "") -> Any:
        # A text asks for each of its fields by this, and few lack one.
        return self[name] if name in FIELDS else super().get(name, default)

    def __getitem__(self, name: str) -> str:
        return line(self._own[name] if name.startswith(OWN) else self._known(name), _LONGEST)

    def __iter__(self) -> Iterator[str]:
        return iter((*FIELDS, *self._own))

    def __len__(self) -> int:
        return len(FIELDS) + len(self._own)

    @property
    def _own(self) -> Mapping[str, str]:
        return {OWN + " ".join(name.split()).casefold(): value for name, value in self._client.extra.items()}

    def _known(self, name: str) -> str:
        match name:
            case "contact_name":
                return self._contact.name if self._contact else self._client.name
            case "total_spend":
                return self._crm.conventions.money(self._client.total_spend)
            case "last_sale_on":
                return self._crm.conventions.day(self._client.last_sale_on)
            case "my_name":
                return self._me
            case "company_name":
                return self._crm.settings["company_name"]
        if name not in FIELDS:
            raise KeyError(name)
        return str(getattr(self._client, name))


def _primary(snapshot: Snapshot, clients: Sequence[Client]) -> Mapping[int, Contact]:
    """The primary contact of each of the companies that has one, by the number of the company."""
    companies = [client.id for client in clients if client.kind == "company"]
    if not companies:
        return {}
    contacts = snapshot.find_all(Contact, Query({"client": companies, "is_primary": True}))
    return {contact.client: contact for contact in contacts}


@lru_cache(maxsize=64)
def _places(text: str) -> Mapping[int, str]:
    """The parts of a text that are fields in the address of a link or in code, where other signs mean something than in
    text."""
    from crm.outward.markdown import placed_in

    stand_ins = {at: f"{_STAND_IN}{at}{_STAND_IN}" for at, part in enumerate(_parsed(text)) if isinstance(part, _Field)}
    if not stand_ins or not any(sign in text for sign in _MARKS):
        return {}
    written = "".join(stand_ins.get(at, part if isinstance(part, str) else "") for at, part in enumerate(_parsed(text)))
    places = placed_in(written, list(stand_ins.values()))
    return {at: places[name] for at, name in stand_ins.items() if name in places}


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[str | _Field, ...]:
    """The text in its parts. Raises FieldError."""
    parts: list[str | _Field] = []
    end = 0
    for match in _PARTS.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        match match.group():
            case "{{" | "}}" as brace:
                parts.append(brace[0])
            case "{" | "}" as brace:
                why = "is never closed" if brace == "{" else "closes nothing"
                place = _place(text, match.start())
                raise FieldError(f"the {brace} {place} {why}; write {brace * 2} for a brace")
            case _:
                parts.append(_field(text, match.start(), match.group(1)))
    parts.append(text[end:])
    return tuple(part for part in parts if part)


def _name(inside: str) -> str:
    """The name of a field, of what is between its braces."""
    return " ".join(inside.partition("|")[0].split()).casefold()


def _is_field(inside: str) -> bool:
    name = _name(inside)
    return name in FIELDS or (name.startswith(OWN) and name != OWN)


def _meant(inside: str) -> str:
    """The field that somebody means by what they put between two braces; '' for none."""
    return inside.strip() if _is_field(inside) else _close_to(_name(inside).rpartition(".")[2])


def _close_to(name: str) -> str:
    """The field whose name is much like this; '' for none."""
    return next(iter(get_close_matches(name, FIELDS, n=1)), "")


def _field(text: str, at: int, inside: str) -> _Field:
    name, otherwise = _name(inside), inside.partition("|")[2].strip()
    if _is_field(inside):
        return _Field(name, otherwise)
    close = _close_to(name)
    advice = f"Did you mean {{{close}}}? " if close else ""
    raise FieldError(
        f"no field {{{line(name, 40)}}}, {_place(text, at)}. {advice}T{_ALL[1:]}; write {{{{ and }}}} for braces"
    )


def _place(text: str, at: int) -> str:
    """The line and column of a place in a text: lines and places are counted from 1."""
    before = text[:at]
    place = f"at position {at - (before.rfind(chr(10)) + 1) + 1}"
    return f"{place} of line {before.count(chr(10)) + 1}" if "\n" in text else place
