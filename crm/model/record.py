"""A record: its declaration, and fields that say how they are named, checked and set."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, get_args

from crm.lean_dataclass import dataclass
from crm.model.fields import Check, Id
from crm.model.kind import Kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Field:
    """The declaration of one field: its name, its label, its check, and who sets it.

    `by` is 'person' (typed), 'steps' (what a step such as winning a deal sets), 'rules' (status and its reason),
    'facts' (derived from other records) or 'accounts' (what lets somebody in). `since` is the format of a store that
    has it first, `optional` says that it may be None.
    """

    name: str
    label: str
    check: Check
    by: str
    help: str
    since: int = 1
    optional: bool = False

    @property
    def option(self) -> str:
        """The field as an option of the shell: --date-of-birth; a field of many takes one at a time (--tag)."""
        name = "tag" if self.name == "tags" else self.name
        return "--" + name.replace("_", "-")


def described(label: str, check: Check, *, by: str = "person", help: str = "", since: int = 1) -> Any:
    """A field of a record, with what the model knows of it; `since` is the format of a store that has it first, where
    that is later than the record's."""
    metadata = MappingProxyType({"label": label, "check": check, "by": by, "help": help, "since": since})
    if isinstance(check.empty, Mapping):
        return field(default_factory=dict, metadata=metadata)
    return field(default=check.empty, metadata=metadata)


def account_beside(name: str) -> Any:
    """The id of the account named in the field `name`; 0 where the name is nobody's account. It is none of
    the described fields: people see the name."""
    return field(default=0, metadata=MappingProxyType({"beside": name}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Record:
    """The base of every record. `id` is 0 until it is stored; times are UTC; `version` counts its changes. `about` is
    its declaration, which also says `kind_name`, `plural`, and the `noun` and `nouns` that people write.

    Records of a kind compare, and are printed, field by field. That is written here once, and not left to `dataclass`,
    which would compile it again for each kind in every start of the program."""

    about: ClassVar[Kind]
    kind_name: ClassVar[str]
    noun: ClassVar[str]
    nouns: ClassVar[str]
    plural: ClassVar[str]

    id: int = 0
    created_at: datetime = EPOCH
    updated_at: datetime = EPOCH
    version: int = 0

    def __init_subclass__(cls) -> None:
        cls.kind_name, cls.plural = cls.about.name, cls.about.plural
        cls.noun = cls.about.noun or cls.kind_name.replace("_", " ")
        cls.nouns = f"{cls.noun}s" if cls.about.noun else cls.plural.replace("-", " ")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or type(other) is not type(self):
            return NotImplemented
        return field_values(self) == field_values(other)

    def __hash__(self) -> int:
        return hash(field_values(self))

    def __repr__(self) -> str:
        names = (field.name for field in dataclasses.fields(self))
        values = ", ".join(f"{name}={value!r}" for name, value in zip(names, field_values(self), strict=True))
        return f"{type(self).__qualname__}({values})"


_GETTERS: dict[type[Record], Callable[[Record], tuple[Any, ...]]] = {}


def field_values(record: Record) -> tuple[Any, ...]:
    """The values of all fields of a record, in their order."""
    kind = type(record)
    if kind not in _GETTERS:
        _GETTERS[kind] = attrgetter(*(field.name for field in dataclasses.fields(kind)))
    return _GETTERS[kind](record)


AnyRecord = TypeVar("AnyRecord", bound=Record)
_SETTERS: dict[type[Record], Sequence[Callable[[Record, Any], None]]] = {}


def record_of_values(kind: type[AnyRecord], values: Iterable[Any]) -> AnyRecord:
    """The record with these values of all its fields, in their order. The constructor, which takes each by its name,
    needs twice the time."""
    if kind not in _SETTERS:
        _SETTERS[kind] = [getattr(kind, field.name).__set__ for field in dataclasses.fields(kind)]
    record = object.__new__(kind)
    for set_value, value in zip(_SETTERS[kind], values, strict=True):
        set_value(record, value)
    return record


# Of each kind the defaults of its fields, and the fields of which each record has an object of its own.
_DEFAULTS: dict[type[Record], tuple[Mapping[str, Any], Sequence[str]]] = {}


def _defaults(kind: type[Record]) -> tuple[Mapping[str, Any], Sequence[str]]:
    if kind not in _DEFAULTS:
        blank, known = kind(), dataclasses.fields(kind)
        with_own = [field.name for field in known if field.default_factory is not dataclasses.MISSING]
        _DEFAULTS[kind] = {field.name: getattr(blank, field.name) for field in known}, with_own
    return _DEFAULTS[kind]


def blank_values(kind: type[Record]) -> Mapping[str, Any]:
    """The defaults of all fields of a record by name."""
    return _defaults(kind)[0]


def record_with(kind: type[AnyRecord], values: Mapping[str, Any]) -> AnyRecord:
    """A record with some values, and the defaults of its other fields; for what makes thousands of them. Raises
    TypeError for the name of no field."""
    defaults, own = _defaults(kind)
    whole = {**defaults, **values}
    if len(whole) > len(defaults):
        raise TypeError(f"{kind.__name__} has no {', '.join(whole.keys() - defaults.keys())}")
    for name in own:
        whole[name] = dict(whole[name])
    return record_of_values(kind, whole.values())


def fields_of(record: type[Record]) -> Mapping[str, Field]:
    """The described fields of a record by name, in order, read from its class."""
    return {
        field.name: Field(field.name, **field.metadata, optional=type(None) in get_args(field.type))
        for field in dataclasses.fields(record)
        if "label" in field.metadata
    }


def derived_columns(record: Record, changed: Collection[str] | None = None) -> dict[str, str]:
    """The columns of a record that only serve finding and sorting; with `changed` those that a change of these fields
    recomputes."""
    return {
        name: derived.make(*(getattr(record, source) for source in derived.of))
        for name, derived in record.about.derived.items()
        if changed is None or not set(derived.of).isdisjoint(changed)
    }


def links_of(fields: Mapping[str, Field]) -> Mapping[str, Id]:
    """Those of the fields of a record that name another record, with what they name."""
    return {name: field.check for name, field in fields.items() if isinstance(field.check, Id)}


def people_of(record: type[Record]) -> Mapping[str, str]:
    """The fields of a record in which somebody of the team stands by name, each with the one beside it that holds the
    id of the account."""
    return {field.metadata["beside"]: field.name for field in dataclasses.fields(record) if "beside" in field.metadata}
