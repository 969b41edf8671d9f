"""Frozen dataclasses that cost little to import: `dataclass` of the standard library compiles the methods of each class
by `exec` when the class is made, which takes a start longer than all else it does with our records.

Here equality, hash and text are the same few functions for all classes, and a class compiles its constructor when its
first object is made.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["compile_constructors", "dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, kw_only=False):
        """Makes a class what `dataclasses.dataclass` makes it, with the same meaning of each option."""
        if cls is None:
            return lambda cls: dataclass(cls, frozen=frozen, slots=slots, kw_only=kw_only)
        if not frozen:
            return dataclasses.dataclass(cls, slots=slots, kw_only=kw_only)
        return _frozen(cls, slots=slots, kw_only=kw_only)


_ABSENT = object()
_UNUSED: dict[type, None] = {}


def compile_constructors() -> None:
    """Compiles the constructors of all classes: once, before processes are forked that would each do it."""
    for cls in list(_UNUSED):
        _compile_constructor(cls)


def _frozen(cls: type, *, slots: bool, kw_only: bool) -> type:
    own = vars(cls)
    methods = {name: method for name, method in (_METHODS | (_OF_SLOTS if slots else {})).items() if name not in own}
    if "__eq__" in own:
        methods.pop("__hash__", None)
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    for name, method in methods.items():
        setattr(made, name, method)
    names = [field.name for field in dataclasses.fields(made) if field.compare]
    made._compared = _getter(names)
    if "__init__" not in own:
        made.__init__ = _first_constructor(made)
        _UNUSED[made] = None
    return made  # type: ignore[no-any-return]


def _getter(names: list[str]) -> Callable[[Any], Any]:
    """Returns what stands in these fields of an object, as something to compare and to hash."""
    return staticmethod(attrgetter(*names)) if names else staticmethod(lambda _: ())


def _first_constructor(cls: type) -> Callable[..., None]:
    def __init__(self: Any, *values: Any, **named: Any) -> None:
        _compile_constructor(cls)(self, *values, **named)

    return __init__


def _compile_constructor(cls: Any) -> Callable[..., None]:
    """Gives a class its constructor, as one function with a parameter for each field."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_absent": _ABSENT}
    places: list[str] = []
    named: list[str] = []
    steps: list[str] = []
    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        name, parameter, value = field.name, field.name, field.name
        if field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameter, value = f"{name}=_absent", f"_make_{name}() if {name} is _absent else {name}"
        elif field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        (named if field.kw_only else places).append(parameter)
        steps.append(f"    _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        steps.append("    self.__post_init__()")
    parameters = ["self", *places, *(["*", *named] if named else [])]
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *(steps or ["    pass"])]), known)  # only our own names
    constructor: Callable[..., None] = known["__init__"]
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__ = constructor
    _UNUSED.pop(cls, None)
    return constructor


def _eq(self: Any, other: Any) -> Any:
    if self is other:
        return True
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


@recursive_repr()
def _repr(self: Any) -> str:
    values = ", ".join(
        f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr
    )
    return f"{self.__class__.__qualname__}({values})"


def _refuse_to_set(_self: Any, name: str, _value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_METHODS: dict[str, Callable[..., Any]] = {
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
}
# Copies and pickles of what has no __dict__ would be set field by field.
_OF_SLOTS: dict[str, Callable[..., Any]] = {"__getstate__": _state, "__setstate__": _set_state}
