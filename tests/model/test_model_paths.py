"""Paths as a person types and reads them, also in every error."""

import ast
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from crm.config import store_file
from crm.errors import CRMError, FieldError, UsageError
from crm.files import open_source, write_csv
from crm.model.paths import at_another_device, at_home, display_path, path_of
from crm.terminal.console.text_prompt import _paths

CRM = Path(__file__).parents[2] / "crm"
# What a path or the URL of a store is called in this program.
PATHS = {"path", "file", "folder", "source", "url", "_path", "_folder"}


@pytest.mark.parametrize(
    ("where", "elsewhere"),
    [
        (Path("/srv/crm/upload-1/contacts.csv"), "contacts.csv"),
        ("sqlite:////srv/my crm/crm.sqlite3", "crm.sqlite3"),
        ("sheets://1AbC", "sheets://1AbC"),
        ("contacts.csv", "contacts.csv"),
        (Path("/"), "the folder"),
    ],
)
def test_a_remote_user_sees_only_the_file_name(where: Path | str, elsewhere: str) -> None:
    assert display_path(where) == str(where)
    with at_another_device():
        assert display_path(where) == elsewhere
    assert display_path(where) == str(where)


def test_file_errors_show_no_folder_to_a_remote_user(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    closed = tmp_path / "missing" / "list.csv"
    for attempt in (
        lambda: open_source(closed),
        lambda: open_source(tmp_path / "inner"),
        lambda: write_csv(closed, ["A"], [["1"]]),
        lambda: write_csv(tmp_path / "inner", ["A"], [["1"]]),
    ):
        with pytest.raises(CRMError) as here:
            attempt()
        assert str(tmp_path) in here.value.sentence
        with at_another_device(), pytest.raises(CRMError) as other:
            attempt()
        assert str(tmp_path) not in other.value.sentence
        assert "/" not in other.value.sentence


def test_a_path_is_read_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    for typed, meant in (("~/a.csv", "/home/ann/a.csv"), ("a~b.csv", "a~b.csv"), ("./~xyz", "~xyz"), ("", ".")):
        assert path_of(typed) == Path(meant)
    # The name of a file need not be text.
    assert path_of("a\udcff.csv") == Path("a\udcff.csv")


def test_each_menu_has_a_home_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    (tmp_path / "bills.csv").touch()
    with at_home({"HOME": str(tmp_path)}):
        assert path_of("~/a.csv") == tmp_path / "a.csv"
        assert path_of("~") == tmp_path
        completions = [completion.text for completion in _paths().get_completions(Document("~/bi"), CompleteEvent())]
        with ThreadPoolExecutor(1) as other:
            assert other.submit(path_of, "~/a.csv").result() == Path("/home/ann/a.csv")
    assert completions == ["lls.csv"]
    with at_home({}):
        assert path_of("~/a.csv") == Path("/home/ann/a.csv")


# What belongs to the process and not to a menu, by the files that may ask for it.
PROCESS = {
    "clock.py": "the time zone of the computer",
    "app.py": "the process in which a menu of the web terminal runs",
    "config.py": "language and user name of the computer, for a new store",
    "model/paths.py": "the home folders of others, and of a process without menus",
    "start.py": "the start of the process",
    "commands/mail/outbox/signals.py": "Ctrl-C while mail is sent, which only the main thread handles",
    "outward/invoice_pdf/compiling.py": "the environment of the process that makes a PDF",
}


def test_a_menu_asks_the_process_for_nothing_that_its_own_environment_says() -> None:
    asking = re.compile(
        r"\b(environb?|getenvb?)\b|Path\.home\(|expanduser|locale\.(get|set)|\bgetuser\b"
        r"|signal\.(signal|setitimer|alarm)\(|from signal import"
    )
    found = {
        path.relative_to(CRM).as_posix()
        for path in CRM.rglob("*.py")
        # The command line and the web server are processes of their own.
        if path.relative_to(CRM).parts[0] not in ("shell", "web") and asking.search(path.read_text())
    }
    assert found == PROCESS.keys()


@pytest.mark.parametrize(
    ("typed", "why"), [("~no-such-user/a.csv", "no home folder ~no-such-user; "), ("a\0b", "NUL"),
                       ("a\ud800b", "U+D800")],
)  # fmt: skip
def test_an_impossible_file_name_is_refused(typed: str, why: str) -> None:
    with pytest.raises(FieldError, match=re.escape(why)):
        path_of(typed)
    with pytest.raises(UsageError, match=re.escape(why)) as raised:
        store_file(f"sqlite:///{typed}")
    assert raised.value.sentence.endswith(".")


def test_a_name_that_is_too_long_for_the_backups_of_a_store_is_refused() -> None:
    assert store_file(f"sqlite:////tmp/{'a' * 221}.sqlite3")
    for name in (f"{'a' * 222}.sqlite3", "ä" * 111):
        with pytest.raises(UsageError, match="file name is too long"):
            store_file(f"sqlite:////tmp/{name}")


def raised(tree: ast.AST) -> Iterator[ast.FormattedValue]:
    """The values that a module puts into its error messages."""
    for call in ast.walk(tree):
        name = getattr(call.func, "id", "") if isinstance(call, ast.Call) else ""
        if name.endswith("Error") or name == "_bad":
            yield from (field for field in ast.walk(call) if isinstance(field, ast.FormattedValue))


def test_every_error_with_a_path_hides_folders_from_remote_users() -> None:
    # Only modules with something like `{self.path` are parsed.
    likely = re.compile(rf"\{{[^}}]*\b(?:{'|'.join(sorted(PATHS))})\b")
    bare = [
        f"{ast.unparse(node.value)} in {module.relative_to(CRM)}:{node.lineno}"
        for module in sorted(CRM.rglob("*.py"))
        if "web" not in module.parts and likely.search(text := module.read_text("utf-8"))
        for node in raised(ast.parse(text))
        if getattr(node.value, "attr", getattr(node.value, "id", "")) in PATHS
    ]
    assert bare == []
