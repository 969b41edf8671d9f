"""Imports: one way only, without circles, and no file with an empty name."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from crm.model import RECORDS

PROJECT = Path(__file__).resolve().parents[2]
CRM = PROJECT / "crm"

# Which rooms each room may import from, besides itself.
ARROWS: dict[str, set[str]] = {
    "errors": {"wording"},
    "wording": set(),
    "batching": set(),
    "lean_dataclass": set(),
    "lazy_pattern": set(),
    "clock": set(),
    "atomic_write": set(),
    "private_files": set(),
    "local_database": {"errors"},
    # Says how the program is called, and is asked by whoever tells a person what to type.
    "program": set(),
    "model": {"errors"},
    "config": {"errors", "atomic_write", "model"},
    "rules": {"errors", "model"},
    "invoicing": {"errors", "model"},
    "repository": {"errors", "atomic_write", "model", "rules"},
    "files": {"errors", "atomic_write", "model"},
    "outward": {"errors", "atomic_write", "model", "config"},
    "accounts": {"errors", "atomic_write", "model", "repository", "outward"},
    "commands": {"errors", "atomic_write", "model", "config", "rules", "files", "repository", "outward", "accounts"},
    "terminal": {"errors", "model", "config", "rules", "files", "repository", "accounts", "commands"},
    "shell": {"errors", "model", "config", "rules", "files", "repository", "accounts", "commands", "terminal"},
    "web": {"errors", "model", "config", "repository", "accounts", "commands", "terminal"},
}
# Who keeps something on this machine beside the store.
for _room in ("repository", "accounts", "commands", "shell"):
    ARROWS[_room] |= {"local_database"}
# What an invoice comes to is the same for whoever writes, sends or shows it.
for _room in ("repository", "files", "outward", "commands", "terminal", "shell"):
    ARROWS[_room] |= {"invoicing"}
# Who lists names in a sentence, or makes sentences of a reason.
for _room in ("repository", "outward", "commands", "terminal", "shell"):
    ARROWS[_room] |= {"wording"}
for _room in ("repository", "outward", "commands"):
    ARROWS[_room] |= {"batching"}
# Everybody may ask what time it is, keep a file to its owner, declare classes, and look for patterns.
_EVERYBODYS = {"clock", "private_files", "lean_dataclass", "lazy_pattern"}
for _room in ARROWS.keys() - {"errors", "wording", "batching", "atomic_write", *_EVERYBODYS}:
    ARROWS[_room] |= _EVERYBODYS
ARROWS["app"] = set(ARROWS)
ARROWS["start"] = set(ARROWS)
ARROWS["browser_menu"] = set(ARROWS)
# The stores themselves are named where they are chosen, and nowhere else.
CONCRETE = ("crm.repository.sql.", "crm.repository.sqlite.", "crm.repository.sheets.")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base"}

FILES = sorted(CRM.rglob("*.py"))


@cache
def statements(source: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The imports of a source, anywhere in it, those for type checkers too. Only statements are walked through: no
    expression holds an import."""
    found: list[ast.Import | ast.ImportFrom] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            for statement in getattr(node, block, ()):
                walk(statement)

    walk(ast.parse(source))
    return tuple(found)


def imported_names(source: str, package: str = "") -> Iterator[tuple[str, str]]:
    """The modules that a source imports from, each with a name that it takes from there, or with none; `package` is
    where it stands, for relative imports."""
    for node in statements(source):
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        else:
            origin = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*parts, *filter(None, [node.module])])
            yield from ((origin, name.name) for name in node.names)


def imported(source: str, package: str = "") -> Iterator[str]:
    """The modules that a source imports. What is imported from a package may be a module of it."""
    for origin, name in imported_names(source, package):
        yield origin
        if name:
            yield f"{origin}.{name}"


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


def test_every_folder_of_the_program_has_import_rules() -> None:
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
        named = [module for module in imported(path.read_text(), package_of(path)) if f"{module}.".startswith(CONCRETE)]
        assert named == [], path


# Of the terminal: the folders that every subject stands on. A page is opened through the session, and no page of
# another subject is imported, but by the first screen, which shows something of everything, and by the way in.
KERNEL = {"console", "drawing", "toolkit", "loop"}
BETWEEN_SUBJECTS = {("data", "team")}


def modules() -> dict[str, Path]:
    """Every module of crm, and the script that starts it, by its dotted name."""
    paths = (*FILES, PROJECT / "run.py")
    return {".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def dependencies() -> dict[str, set[str]]:
    """The modules that each of them imports, at its head, later, or for type checkers alone."""
    known = modules()
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        target: set[str] = set()
        for origin, what in imported_names(path.read_text("utf-8"), package_of(path)):
            # `from crm.commands import lookup` is an import of the module, not of its folder.
            module = f"{origin}.{what}"
            target.add(module if module in known else origin)
        found[name] = (target & known.keys()) - {name}
    return found


def test_no_module_is_part_of_a_circle() -> None:
    sorter = TopologicalSorter(dependencies())
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' > '.join(error.args[1])}")


def test_no_folder_is_part_of_a_circle() -> None:
    """The folders within a folder, such as the subjects, import each other one way, too."""
    imported_folders: dict[str, dict[str, set[str]]] = {}
    for name, others in dependencies().items():
        for other in others:
            parent, own, target = siblings(name, other)
            if own and target:
                imported_folders.setdefault(parent, {}).setdefault(own, set()).add(target)
    assert {"crm.commands", "crm.terminal", "crm.repository.sheets"} <= imported_folders.keys()
    for parent, folders in imported_folders.items():
        try:
            TopologicalSorter(folders).prepare()
        except CycleError as error:
            pytest.fail(f"in {parent} these folders import each other: {' > '.join(error.args[1])}")


def siblings(name: str, other: str) -> tuple[str, str, str]:
    """The folder that two modules have in common, and the different ones in it that they stand in, '' for none."""
    one, two = ([*module.split("."), ""] for module in (name, other))
    at = next((at for at, parts in enumerate(zip(one, two, strict=False)) if parts[0] != parts[1]), 0)
    parent = PROJECT.joinpath(*one[:at])
    own, target = (parts[at] if at and (parent / parts[at] / "__init__.py").is_file() else "" for parts in (one, two))
    return ".".join(one[:at]), own, target


# Folders in the order in which they may import: each imports none that comes after it. Subjects come last.
IN_ORDER = {
    "crm.terminal": ["drawing", "console", "toolkit"],
    "crm.repository.sheets": ["google", "grid", "mirror", "pull", "push"],
}


def test_folders_import_in_their_order() -> None:
    wrong, count = [], 0
    for name, others in dependencies().items():
        for other in others:
            parent, own, target = siblings(name, other)
            order = IN_ORDER.get(parent, [])
            if own and target and (own in order or target in order):
                own_place, place = (order.index(name) if name in order else len(order) for name in (own, target))
                count += 1
                if own_place <= place:
                    wrong.append((name, other))
    assert wrong == []
    assert count > 100


def test_a_page_imports_no_page_of_another_subject() -> None:
    wrong = set()
    for name, others in dependencies().items():
        for other in others:
            here, target = ([*line.split("."), ""][1:3] for line in (name, other))
            is_between = here[0] == target[0] == "terminal" and here[1] != target[1]
            if is_between and "" not in (here[1], target[1]) and target[1] not in KERNEL and here[1] != "home":
                wrong.add((here[1], target[1]))
    assert wrong == BETWEEN_SUBJECTS


# What registers a page, or makes a class one.
PAGES = {"flow", "list_page", "own_list", "page", "record_page"}
LISTS = {"ListPage", "ClientListPage", "RecordPage"}


def test_no_page_imports_another_one() -> None:
    """Not of the same subject either: a record is opened by `session.open`, a list by `open_list`, and what the menu
    leads through by `session.start`."""
    pages: set[tuple[str, str]] = set()
    imports: set[tuple[str, str, str]] = set()
    for path in sorted((CRM / "terminal").rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text("utf-8"))
        if module.count(".") > 1 and module.split(".")[2] not in KERNEL:
            for node in tree.body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    made = [*node.decorator_list, *(node.bases if isinstance(node, ast.ClassDef) else ())]
                    names = {word.id for part in made for word in ast.walk(part) if isinstance(word, ast.Name)}
                    if names & (PAGES | LISTS):
                        pages.add((module, node.name))
        for part in ast.walk(tree):
            if isinstance(part, ast.ImportFrom) and part.module:
                imports |= {(module, part.module, alias.name) for alias in part.names}
    assert len(pages) > 80
    assert [line for line in sorted(imports) if line[1:] in pages] == []


def test_the_kernel_of_commands_imports_no_subject() -> None:
    subjects = {path.name for path in (CRM / "commands").iterdir() if (path / "__init__.py").is_file()}
    assert len(subjects) >= 8
    for path in (CRM / "commands").glob("*.py"):
        known = {module.split(".")[2] for module in imported(path.read_text("utf-8"), package_of(path))
                 if module.startswith("crm.commands.")}  # fmt: skip
        assert known.isdisjoint(subjects), path


# Who builds statements. What a command or a page asks of a store is a named query in `crm/repository/queries`, and the
# guard filters it there.
BUILD_STATEMENTS = {"repository", "accounts"}


def test_only_the_repository_and_the_accounts_build_statements() -> None:
    building = set()
    for path in FILES:
        modules_there = set(imported(path.read_text("utf-8"), package_of(path)))
        if any(f"{module}.".startswith(("sqlalchemy.", "crm.repository.tables.")) for module in modules_there):
            building.add(room_of(path))
    assert building <= BUILD_STATEMENTS


def test_only_the_sqlite_folder_uses_sqlite() -> None:
    words = re.compile(r"sqlite_(sequence|master|schema)|json_each|fts5|julianday", re.IGNORECASE)
    for path in (CRM / "repository").rglob("*.py"):
        # How each database spells a function, and the mirror of a spreadsheet, which is SQLite on purpose.
        if path.name != "sql_functions.py" and {"sqlite", "sheets"}.isdisjoint(path.parts):
            assert not words.search(path.read_text("utf-8")), path


def test_only_upgrades_of_old_formats_drop_tables() -> None:
    dropping = re.compile(r"DROP\s+TABLE|DropTable|\.drop(_all)?\(", re.IGNORECASE)
    found = {path.relative_to(CRM).as_posix() for path in FILES if dropping.search(path.read_text("utf-8"))}
    assert found == {"repository/sqlite/old_formats.py"}


def test_the_script_holds_the_menu_loop_and_leaves_the_rest_to_the_start() -> None:
    source = (PROJECT / "run.py").read_text()
    assert {module for module in imported(source) if module.startswith("crm")} == {
        "crm.start", "crm.start.main", "crm.terminal.loop", "crm.terminal.loop.EXIT", "crm.terminal.loop.Menu",
    }  # fmt: skip
    assert len(source.splitlines()) <= 40


def test_the_program_imports_no_tests() -> None:
    for path in FILES:
        assert not any(module.split(".")[0] == "tests" for module in imported(path.read_text(), package_of(path)))


def test_file_names_say_what_is_in_them() -> None:
    for path in [*CRM.rglob("*"), *PROJECT.glob("*.py")]:
        assert path.stem.lower() not in EMPTY_NAMES, path


def test_the_head_of_a_module_names_what_it_is() -> None:
    begins = re.compile(r'"""(What|Whether|Which|Whose|Whom|Who|How|Where)\b')
    assert [path for path in FILES if begins.match(path.read_text("utf-8"))] == []
    # A head of a test may say what holds; what the tests are made with is named like the program.
    tools = [*PROJECT.glob("tests/support/**/*.py"), *PROJECT.glob("benchmarks/*.py")]
    assert [path for path in tools if re.match(r'"""(What|Whether)\b', path.read_text("utf-8"))] == []


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
def test_the_check_finds_a_wrong_import(room: str, source: str) -> None:
    assert wrong_arrows(room, source, "crm") != set()


@pytest.mark.parametrize(
    "block",
    ["if x:", "if y:\n    pass\nelse:", "with x:", "for x in y:", "while x:", "def f():", "async def f():", "class C:",
     "try:\n    pass\nfinally:", "try:\n    pass\nexcept E:", "match x:\n  case 1:"],
)  # fmt: skip
def test_the_check_finds_imports_in_every_block(block: str) -> None:
    source = f"{block}\n    import crm.app" + ("\nfinally:\n    pass" if block == "try:" else "")
    assert list(imported(source)) == ["crm.app"]


def test_a_transaction_knows_no_kind_but_those_whose_rules_it_carries_out() -> None:
    """The effects of a record elsewhere are declared with it (`Effects`, `Sum`): only statuses, stages, repeating
    follow-ups and accounts have code of their own there."""
    tree = ast.parse((CRM / "repository" / "transaction.py").read_text("utf-8"))
    kinds = {kind.__name__ for kind in RECORDS}
    known = {word.id for word in ast.walk(tree) if isinstance(word, ast.Name)} & kinds
    assert known == {"Client", "Deal", "FollowUp", "SignIn", "Stage", "StageMove", "StatusRule", "User"}


def test_tables_are_built_by_the_parts_of_a_page_alone() -> None:
    built = [
        path.relative_to(CRM).as_posix()
        for path in sorted((CRM / "terminal").rglob("*.py"))
        if path.parent.name != "drawing"
        and any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Table"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
        )
    ]
    assert built == []
