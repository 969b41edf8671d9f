"""`dataclass` of the standard library for what is loaded at every start: frozen classes share their methods.

The standard library writes a constructor, a comparison and the like for each class and compiles them when the class is
imported, which takes eight times as long as all else. Here they are written once, for any fields. A constructor takes
one or two microseconds more; what is made by the thousand and is not loaded at every start is better off without this.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, FrozenInstanceError
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, **options):
        """Return the class as `dataclasses.dataclass` makes it, with the same options.

        The constructor's signature names no field, and no frozen class of the standard library can follow it. A frozen
        class with a constructor of its own, or with a field of `init=False` or `hash=`, raises TypeError.
        """
        if cls is None:
            return partial(dataclass, **options)
        if options.keys() - _SHARED or not options.get("frozen"):
            return dataclasses.dataclass(cls, **options)
        special = [field for field in vars(cls).values() if isinstance(field, dataclasses.Field)]
        if "__init__" in vars(cls) or any(not field.init or field.hash is not None for field in special):
            raise TypeError(f"{cls.__name__} needs the dataclass of the standard library")
        methods = {"__init__": _init, "__setattr__": _refuse_setting, "__delattr__": _refuse_deleting}
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
        if options.get("eq", True):
            methods |= {"__eq__": _eq, "__hash__": _hash}
        if options.get("repr", True):
            methods["__repr__"] = _repr
        for name, method in methods.items():
            # As in the standard library a method of the class itself stays.
            if name not in vars(cls) or vars(cls)[name] is None:
                setattr(cls, name, method)
        mine = {"frozen": False, "init": False, "eq": False, "repr": False}
        return dataclasses.dataclass(cls, **{**options, **mine})


_SHARED = {"frozen", "slots", "kw_only", "eq", "repr"}


class _Fields(NamedTuple):
    """The fields of a class: those that the constructor takes by their place; all, with the defaults; those of which
    each object has its own; those that are compared; those that are printed; and whether the class checks them."""

    by_place: Sequence[str]
    names: frozenset[str]
    defaults: Mapping[str, Any]
    made: Sequence[tuple[str, Callable[[], Any]]]
    compared: Sequence[str]
    printed: Sequence[str]
    checked: bool


_fields: dict[type, _Fields] = {}


def _fields_of(kind: type) -> _Fields:
    if kind not in _fields:
        known = dataclasses.fields(kind)
        _fields[kind] = _Fields(
            [field.name for field in known if not field.kw_only],
            frozenset(field.name for field in known),
            {field.name: field.default for field in known if field.default is not MISSING},
            [(field.name, field.default_factory) for field in known if field.default_factory is not MISSING],
            [field.name for field in known if field.compare],
            [field.name for field in known if field.repr],
            hasattr(kind, "__post_init__"),
        )
    return _fields[kind]


def _init(self: Any, /, *by_place: Any, **by_name: Any) -> None:
    kind = type(self)
    fields = _fields.get(kind) or _fields_of(kind)
    if len(by_place) == len(fields.by_place) == len(fields.names) and not by_name:
        pairs: Iterable[tuple[str, Any]] = zip(fields.by_place, by_place, strict=True)
    else:
        pairs = _named(kind, fields, by_place, by_name).items()
    put = object.__setattr__
    for name, value in pairs:
        put(self, name, value)
    if fields.checked:
        self.__post_init__()


def _named(kind: type, fields: _Fields, by_place: Sequence[Any], by_name: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of all fields by name. Raises TypeError where the constructor does not take what it got."""
    values = {**fields.defaults, **by_name}
    if by_place:
        placed = dict(zip(fields.by_place, by_place, strict=False))
        if len(placed) < len(by_place):
            raise TypeError(f"{kind.__qualname__} takes {len(placed)} values by their place, and got {len(by_place)}")
        if twice := placed.keys() & by_name.keys():
            raise TypeError(f"{kind.__qualname__} got {', '.join(sorted(twice))} twice")
        values.update(placed)
    for name, make in fields.made:
        if name not in values:
            values[name] = make()
    if values.keys() != fields.names:
        if unknown := values.keys() - fields.names:
            raise TypeError(f"{kind.__qualname__} has no {', '.join(sorted(unknown))}")
        raise TypeError(f"{kind.__qualname__} needs {', '.join(sorted(fields.names - values.keys()))}")
    return values


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in _fields_of(type(self)).compared])


def _eq(self: Any, other: object) -> bool:
    if self is other:
        return True
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields_of(type(self)).printed)
    return f"{type(self).__qualname__}({values})"


def _refuse_setting(_: Any, name: str, __: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(_: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> dict[str, Any]:
    return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def _set_state(self: Any, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)
