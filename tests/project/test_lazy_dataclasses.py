"""Our frozen dataclasses are those of the standard library; only what is compiled, and when, differs."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from crm import lazy_dataclasses

LIBRARY, OURS = dataclasses.dataclass, lazy_dataclasses.dataclass


class Classes:
    """The same classes, made by one or the other."""

    def __init__(self, dataclass: Any) -> None:
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Base:
            """The first fields of all."""

            kind: ClassVar[str] = "record"
            id: int = 0

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Record(Base):
            """Fields with a default, from a factory, without one, and some that are not compared or shown."""

            name: str
            tags: tuple[str, ...] = ()
            extra: dict[str, str] = dataclasses.field(default_factory=dict)
            seen: int = dataclasses.field(default=1, compare=False, repr=False)

        @dataclass(frozen=True)
        class Place:
            """Fields by their place, and one of a name that a step inside could have."""

            self_: int
            values: str = "x"
            _: dataclasses.KW_ONLY
            last: bool = False

            def __post_init__(self) -> None:
                if self.self_ < 0:
                    raise ValueError("below zero")

        @dataclass(frozen=True, slots=True)
        class Nothing:
            """No field at all."""

        @dataclass(frozen=True)
        class Own:
            """Methods of its own stay."""

            value: str = ""

            def __eq__(self, other: object) -> bool:
                return isinstance(other, type(self)) and other.value.lower() == self.value.lower()

            def __hash__(self) -> int:
                return 7

            def __repr__(self) -> str:
                return "own"

        class Child(Place):
            """A plain class above it."""

        self.Base, self.Record, self.Place, self.Nothing, self.Own = Base, Record, Place, Nothing, Own
        self.Child = Child


def _refused(action: Callable[[], object]) -> str:
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return ""


def _set(target: Any, name: str) -> Callable[[], object]:
    return lambda: setattr(target, name, 1)


# What is asked of the classes; each answer is compared.
QUESTIONS: dict[str, Callable[[Classes], object]] = {
    "text": lambda of: [
        repr(item).rpartition("<locals>.")[2]
        for item in (of.Record(name="a"), of.Place(1, last=True), of.Nothing(), of.Own(), of.Child(2), of.Base(id=3))
    ],
    "equal": lambda of: [
        of.Record(name="a") == of.Record(name="a", seen=5),
        of.Record(name="a") == of.Record(name="b"),
        of.Base() == of.Record(name=""),
        of.Base(id=1) == 1,
        of.Nothing() == of.Nothing(),
        of.Child(1) == of.Place(1),
        of.Own("A") == of.Own("a"),
        of.Place(float("nan")) == of.Place(float("nan")),  # type: ignore[arg-type]
    ],
    "hash": lambda of: [
        hash(of.Base(id=3)) == hash(of.Base(id=3)),
        len({of.Place(1), of.Place(1), of.Place(2), of.Nothing(), of.Nothing()}),
        _refused(lambda: hash(of.Record(name="a"))),
        hash(of.Own("x")),
    ],
    "set and delete": lambda of: [
        _refused(_set(of.Record(name="a"), "name")),
        _refused(_set(of.Record(name="a"), "id")),
        _refused(_set(of.Place(1), "values")),
        _refused(_set(of.Child(1), "values")),
        _refused(lambda: delattr(of.Place(1), "values")),
    ],
    "how it is made": lambda of: [
        _refused(lambda: of.Record()),
        _refused(lambda: of.Record("a")),
        _refused(lambda: of.Record(name="a", other=1)),
        _refused(lambda: of.Place()),
        _refused(lambda: of.Place(1, "x", True)),
        _refused(lambda: of.Place(-1)),
        _refused(lambda: of.Child(-1)),
        _refused(lambda: of.Nothing(1)),
        of.Record(name="a").extra is of.Record(name="a").extra,
    ],
    "replaced": lambda of: [
        dataclasses.replace(of.Record(name="a", id=4), name="b").id,
        dataclasses.replace(of.Place(1, last=True), values="y").last,
        _refused(lambda: dataclasses.replace(of.Place(1), self_=-1)),
    ],
    "copied": lambda of: [
        copy.copy(item) == item and copy.deepcopy(item) == item
        for item in (of.Record(name="a", extra={"x": "y"}), of.Place(1, "z"), of.Child(3), of.Own("q"))
    ],
    "what it has": lambda of: [
        [(field.name, field.kw_only, field.compare) for field in dataclasses.fields(of.Record)],
        of.Place.__match_args__,
        of.Record.__slots__,
        of.Record.kind,
        of.Record.__doc__,
        hasattr(of.Place(1), "__dict__"),
        hasattr(of.Record(name="a"), "__dict__"),
    ],
}


@pytest.mark.parametrize("compiled", [False, True], ids=["at the first object", "before"])
@pytest.mark.parametrize("asked", QUESTIONS)
def test_they_answer_as_those_of_the_library(asked: str, compiled: bool) -> None:
    ours = Classes(OURS)
    if compiled:
        lazy_dataclasses.compile_constructors()
    assert QUESTIONS[asked](ours) == QUESTIONS[asked](Classes(LIBRARY))


@lazy_dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """A class that a pickle finds."""

    x: int
    y: tuple[int, ...] = ()


def test_they_are_pickled() -> None:
    assert pickle.loads(pickle.dumps(Point(1, (2, 3)))) == Point(1, (2, 3))


def test_a_constructor_is_compiled_once_and_has_the_fields_as_parameters() -> None:
    made = Classes(OURS)
    before = made.Record.__init__
    made.Record(name="a")
    assert made.Record.__init__ is not before
    assert list(inspect.signature(made.Record).parameters) == ["id", "name", "tags", "extra", "seen"]
