"""Renderers by the subject of a result: one exists for every type that a command returns."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from crm import commands as package
from crm.commands.registry import Command, commands, commands_outside
from crm.terminal.drawing import render, tables
from crm.terminal.drawing.render import columns_of, renderer, renderer_of, show_as_row

# Drawn by their names and values.
_PLAIN = {"Colleague", "DemoReport", "NoneType"}


def kinds(command: Command) -> Iterator[tuple[type, bool]]:
    """The types that a command returns, and whether it is a list of them."""
    answer = inspect.signature(command.function).return_annotation
    for arg in get_args(answer) or (answer,) if get_origin(answer) is not list else (answer,):
        if isinstance(arg, str):
            yield from ((late(command, name.strip()), False) for name in arg.split("|"))
        elif arg is not None:
            parts = get_args(arg)
            yield (parts[0], True) if parts else (arg, "Sequence" in str(get_origin(answer)))


def late(command: Command, name: str) -> type:
    """A type that the module of a command imports for type checkers alone."""
    tree = ast.parse(Path(inspect.getfile(command.function)).read_text("utf-8"))
    found: list[type] = [
        getattr(import_module(node.module), name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and name in {name.name for name in node.names}
    ]
    return found[0]


RETURNED = sorted(
    {
        (kind, is_list)
        for command in [*commands(), *(command for word in package.first_words() for command in commands_outside(word))]
        for kind, is_list in kinds(command)
        if is_list or kind.__name__ not in _PLAIN
    },
    key=lambda result: (result[0].__module__, result[0].__name__, result[1]),
)


@pytest.mark.parametrize(("kind", "is_list"), RETURNED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_result_is_drawn_by_its_subject(kind: type, is_list: bool) -> None:
    if is_list:
        assert columns_of(kind) is not None
        return
    drawn = renderer_of(kind)
    assert drawn is not None
    if drawn is show_as_row:
        assert columns_of(kind) is not None
        return
    if kind.__module__.startswith("crm.repository"):
        subject = "data"
    elif re.fullmatch(r"crm\.commands\.\w+", kind.__module__):
        subject = "drawing"
    else:
        subject = package.subject_of(kind.__module__)
    assert inspect.getmodule(drawn).__name__.startswith(f"crm.terminal.{subject}.")  # type: ignore[union-attr]


def test_the_list_of_renderers_is_not_empty() -> None:
    assert len(RETURNED) > 50
    assert {is_list for _, is_list in RETURNED} == {True, False}


def test_each_renderer_and_each_set_of_columns_is_for_an_existing_type() -> None:
    defined: set[str] = set()
    for folder in ("commands", "model", "repository"):
        for path in (Path(package.__file__).parents[1] / folder).rglob("*.py"):
            module = ".".join(path.relative_to(Path(package.__file__).parents[2]).with_suffix("").parts).removesuffix(
                ".__init__"
            )
            tree = ast.parse(path.read_text("utf-8"))
            defined |= {f"{module}.{node.name}" for node in tree.body if isinstance(node, ast.ClassDef)}
    for kind, _ in RETURNED:
        columns_of(kind)
    assert set(render._RENDERERS) | set(tables.COLUMNS) <= defined


def test_no_type_has_two_renderers() -> None:
    def draw(result: Any, screen: Any, by: Any) -> None: ...

    import_module("crm.terminal.reports.rendering")
    with pytest.raises(ValueError, match=r"two renderers draw crm\.commands\.reports\.report\.Report"):
        renderer("crm.commands.reports.report.Report")(draw)


def test_types_of_one_name_are_drawn_each_in_its_own_way() -> None:
    other = type("Report", (), {"__module__": "crm.commands.sales.sales"})
    assert renderer_of(other) is None
