"""Imports go one way only, and no file hides behind a name that says nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CRM = PROJECT / "crm"

# Which rooms each room may import from, besides itself.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "atomic_write": set(),
    "private_files": set(),
    # Says how the program is called, and is asked by whoever tells a person what to type.
    "program": set(),
    "model": {"errors"},
    "config": {"errors", "atomic_write", "model"},
    "rules": {"errors", "model"},
    "repository": {"errors", "atomic_write", "model", "rules"},
    "files": {"errors", "atomic_write", "model"},
    "outward": {"errors", "model"},
    "accounts": {"errors", "atomic_write", "model", "repository", "outward"},
    "commands": {"errors", "atomic_write", "model", "config", "rules", "files", "repository", "outward", "accounts"},
    "terminal": {"errors", "model", "config", "rules", "files", "repository", "accounts", "commands"},
    "shell": {"errors", "model", "config", "rules", "files", "repository", "accounts", "commands", "terminal"},
    "web": {"errors", "model", "config", "repository", "accounts", "commands", "terminal"},
}
# Everybody may ask what time it is, and keep a file to its owner.
for _room in ARROWS.keys() - {"errors", "clock", "atomic_write", "private_files"}:
    ARROWS[_room] |= {"clock", "private_files"}
ARROWS["app"] = set(ARROWS)
ARROWS["start"] = set(ARROWS)
# The stores themselves are named where they are chosen, and nowhere else.
CONCRETE = ("crm.repository.sql", "crm.repository.sqlite.dialect", "crm.repository.sheets")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base"}

FILES = sorted(CRM.rglob("*.py"))


def imported(source: str, package: str = "") -> Iterator[str]:
    """The modules that a source imports, anywhere in it; `package` is where it stands, for relative imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*parts, *filter(None, [node.module])])
            yield origin
            # What is imported from a package may be a module of it.
            yield from (f"{origin}.{name.name}" for name in node.names)


def package_of(path: Path) -> str:
    """The package that a file stands in, dotted."""
    return ".".join(path.relative_to(PROJECT).parent.parts)


def room_of(path: Path) -> str:
    """The part of crm that a file belongs to."""
    return path.relative_to(CRM).parts[0].removesuffix(".py")


def wrong_arrows(room: str, source: str, package: str = "") -> set[str]:
    """The rooms that a source imports from and must not."""
    rooms = {module.split(".")[1] for module in imported(source, package) if module.startswith("crm.")}
    return rooms - ARROWS[room] - {room, "program"}


def test_there_is_something_to_look_at() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} <= set(ARROWS), "a new room needs its arrows"
    assert len(FILES) > 20


def test_imports_go_one_way() -> None:
    wrong = {}
    for path in FILES:
        room, source = room_of(path), path.read_text("utf-8")
        if room == "__init__":
            assert not any(module.startswith("crm") for module in imported(source, "crm"))
        elif found := wrong_arrows(room, source, package_of(path)):
            wrong[str(path.relative_to(PROJECT))] = found
    assert wrong == {}


def test_only_the_composition_root_names_a_store() -> None:
    for path in FILES:
        if room_of(path) in ("repository", "app"):
            continue
        named = [module for module in imported(path.read_text(), package_of(path)) if module.startswith(CONCRETE)]
        assert named == [], path


def test_the_script_holds_the_menu_loop_and_leaves_the_rest_to_the_start() -> None:
    source = (PROJECT / "run.py").read_text()
    assert {module for module in imported(source) if module.startswith("crm")} == {
        "crm.start", "crm.start.main", "crm.terminal.loop", "crm.terminal.loop.EXIT", "crm.terminal.loop.Menu",
    }  # fmt: skip
    assert len(source.splitlines()) <= 40


def test_nobody_imports_the_tests() -> None:
    for path in FILES:
        assert not any(module.split(".")[0] == "tests" for module in imported(path.read_text(), package_of(path)))


def test_names_say_what_is_in_a_file() -> None:
    for path in [*CRM.rglob("*"), *PROJECT.glob("*.py")]:
        assert path.stem.lower() not in EMPTY_NAMES, path


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("model", "from crm.config import Config"),
        ("errors", "def late():\n    from crm.model import Client"),
        ("rules", "import crm.repository.tables"),
        ("terminal", "from crm import shell"),
        ("files", "if True:\n    import crm.rules as r"),
        ("config", "from .rules import METRICS"),
    ],
)
def test_a_wrong_arrow_is_seen(room: str, source: str) -> None:
    assert wrong_arrows(room, source, "crm") != set()
