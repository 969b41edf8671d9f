"""Dataclasses that share their methods behave as those of the standard library."""

import copy
import dataclasses
import pickle
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, FrozenInstanceError, field
from typing import Any

import pytest

from crm import lean_dataclass


def _declared(dataclass: Callable[..., Any]) -> Mapping[str, type]:
    """The same classes, made by one of both."""

    @dataclass(frozen=True, slots=True)
    class Base:
        """A class with each kind of field."""

        first: int
        second: str = "b"
        own: Mapping[str, int] = field(default_factory=dict)
        secret: str = field(default="", repr=False)
        aside: int = field(default=0, compare=False)
        _: KW_ONLY
        by_name: int = 7

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Derived(Base):
        """One more field, and a method of its own."""

        third: int = 3

        def __repr__(self) -> str:
            return f"own {self.third}"

    @dataclass(frozen=True)
    class Checked:
        """A class that is checked, without slots."""

        number: int

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("below zero")

    @dataclass(frozen=True, slots=True, eq=False)
    class Alone:
        """A class of which each object is only itself."""

        number: int = 1

    @dataclass
    class Open:
        """A class that can be changed."""

        number: int = 1

    return {kind.__name__: kind for kind in (Base, Derived, Checked, Alone, Open)}


OURS, THEIRS = _declared(lean_dataclass.dataclass), _declared(dataclasses.dataclass)
# What is picked apart is found by its name.
for _name, _kind in OURS.items():
    _kind.__qualname__ = _name
    globals()[_name] = _kind
for _kind in THEIRS.values():
    _kind.__qualname__ = _kind.__name__

Try = Callable[[Mapping[str, Any]], Any]


def outcome(tried: Try, kinds: Mapping[str, Any]) -> tuple[Any, Any]:
    """The answer, printed, or the error."""
    try:
        return None, repr(tried(kinds))
    except (TypeError, ValueError, FrozenInstanceError) as error:
        return type(error), None


@pytest.mark.parametrize(
    "tried",
    [
        lambda kinds: kinds["Base"](1),
        lambda kinds: kinds["Base"](1, "c", {"a": 1}, "hidden", 5, by_name=2),
        lambda kinds: kinds["Base"](second="c", first=1),
        lambda kinds: kinds["Base"](),
        lambda kinds: kinds["Base"](1, first=2),
        lambda kinds: kinds["Base"](1, third=2),
        lambda kinds: kinds["Base"](second="c", third=2),
        lambda kinds: kinds["Base"](1, "b", {}, "", 0, 7),
        lambda kinds: kinds["Derived"](1, third=4),
        lambda kinds: kinds["Derived"](1, "b", {}, "", 0, 4),
        lambda kinds: kinds["Checked"](3),
        lambda kinds: kinds["Checked"](-3),
        lambda kinds: kinds["Open"](number=2),
        lambda kinds: kinds["Open"]() == kinds["Open"](1),
        lambda kinds: kinds["Base"](1) == kinds["Base"](1, aside=9),
        lambda kinds: kinds["Base"](1) == kinds["Base"](2),
        lambda kinds: kinds["Base"](1) == kinds["Derived"](1),
        lambda kinds: kinds["Base"](1) == 1,
        lambda kinds: kinds["Alone"]() == kinds["Alone"](),
        lambda kinds: len({kinds["Checked"](1), kinds["Checked"](1), kinds["Checked"](2)}),
        lambda kinds: len({kinds["Alone"](), kinds["Alone"]()}),
        lambda kinds: hash(kinds["Base"](1)),
        lambda kinds: kinds["Base"](1).own is kinds["Base"](1).own,
        lambda kinds: setattr(kinds["Base"](1), "first", 2),
        lambda kinds: delattr(kinds["Base"](1), "first"),
        lambda kinds: dataclasses.replace(kinds["Base"](1), second="z"),
        lambda kinds: dataclasses.replace(kinds["Checked"](1), number=-1),
        lambda kinds: dataclasses.asdict(kinds["Base"](1, own={"a": 1})),
        lambda kinds: dataclasses.astuple(kinds["Derived"](1)),
        lambda kinds: [known.name for known in dataclasses.fields(kinds["Derived"])],
        lambda kinds: kinds["Base"].__match_args__,
        lambda kinds: hasattr(kinds["Base"](1), "__dict__"),
        lambda kinds: copy.copy(kinds["Base"](1, own={"a": 1})),
        lambda kinds: copy.deepcopy(kinds["Base"](1, own={"a": 1})),
    ],
)  # fmt: skip
def test_a_class_behaves_as_that_of_the_standard_library(tried: Try) -> None:
    assert outcome(tried, OURS) == outcome(tried, THEIRS)


def test_a_pickled_record_is_read_back() -> None:
    whole = OURS["Base"](1, own={"a": 1}, secret="s")
    assert pickle.loads(pickle.dumps(whole)) == whole


def test_a_class_compiles_no_method() -> None:
    shared = {"__init__", "__setattr__", "__delattr__", "__eq__", "__hash__", "__repr__"}
    assert all(vars(OURS["Base"])[name] is vars(OURS["Checked"])[name] for name in shared)


def test_a_class_that_needs_other_methods_is_refused() -> None:
    own: Mapping[str, Any] = {"__init__": lambda _: None}
    special: tuple[Mapping[str, Any], ...] = (
        {"a": dataclasses.field(default=1, init=False)},
        {"a": dataclasses.field(default=1, hash=False)},
    )
    for body in (own, *({"__annotations__": {"a": int}, **fields} for fields in special)):
        with pytest.raises(TypeError, match="needs the dataclass of the standard library"):
            lean_dataclass.dataclass(frozen=True)(type("Special", (), body))
