"""Start-up time: each command loads only what it needs."""

import json
import subprocess
import sys

import pytest

from crm.commands import subjects
from tests.conftest import PROJECT
from tests.support.command_line import CommandLine

_PROGRAM = """
import contextlib, json, sys
sys.argv = ["run.py", *sys.argv[1:]]
from run import run
with contextlib.suppress(SystemExit):
    run()
tables = sys.modules.get("crm.repository.tables")
made = sorted(kind.__name__ for kind in tables.TABLES) if tables else []
print(json.dumps([sorted(sys.modules), made]), file=sys.stderr)
"""
# What a list of records needs nothing of, however it is shown.
_FOR_OTHERS = (
    "argon2", "cryptography", "email_validator", "google", "gspread", "icalendar", "imapclient", "inscriptis", "jinja2",
    "lxml", "markdown_it", "matplotlib", "openpyxl", "phonenumbers", "prompt_toolkit", "publicsuffixlist", "pydantic",
    "pyotp", "questionary", "rapidfuzz", "requests", "segno", "starlette", "typst", "uvicorn", "xlsxwriter", "zxcvbn",
    "crm.outward", "crm.files", "crm.web", "crm.commands.mail.inbox", "crm.commands.data.importing",
    "crm.commands.reports.report", "crm.commands.mail.mailings", "crm.commands.mail.outbox", "crm.terminal.home.menu",
    "crm.terminal.console.prompt_toolkit_keyboard",
)  # fmt: skip
# What a list of one kind needs nothing of: writing, undoing and restoring, what only other subjects ask for, and what
# is drawn beside a single client.
_FOR_NO_LIST = (
    "crm.invoicing", "crm.repository.bills", "crm.repository.history", "crm.repository.migrations",
    "crm.repository.queries.mail", "crm.repository.queries.billing", "crm.repository.restoring",
    "crm.repository.sqlite.old_formats", "crm.repository.sums", "crm.repository.transaction", "crm.repository.undo",
    "crm.repository.writing", "crm.repository.wrong_values", "crm.commands.consent",
    "crm.commands.timeline_sources", "asyncio", "ssl", "socket", "importlib.metadata", "zipfile",
    "crm.model.written_dates", "crm.rules",
)  # fmt: skip


@pytest.fixture
def shell(shell: CommandLine) -> CommandLine:
    shell.did("clients", "add", "--first-name", "Anna")
    return shell


def loaded(shell: CommandLine, *arguments: str, **environment: str) -> set[str]:
    """The modules that are loaded once a command has run."""
    return _loaded_and_made(shell, *arguments, **environment)[0]


def _loaded_and_made(shell: CommandLine, *arguments: str, **environment: str) -> tuple[set[str], set[str]]:
    """The same, and the records whose tables have been made."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env={**shell.child_environment(**environment), "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        cwd=shell.folder,
        capture_output=True,
        check=True,
        text=True,
    )
    modules, tables = json.loads(done.stderr.splitlines()[-1])
    return set(modules), set(tables)


def within(modules: set[str], names: tuple[str, ...]) -> set[str]:
    """Those of the modules that are, or belong to, what is named."""
    return {module for module in modules if module.startswith(tuple(f"{name}." for name in names)) or module in names}


def test_the_version_loads_almost_no_modules(shell: CommandLine) -> None:
    modules = loaded(shell, "--version")
    libraries = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    # The last three are loaded by Python itself, on machines that have them.
    assert libraries <= {"click", "crm", "run", "__main__", "_distutils_hack", "sitecustomize", "usercustomize"}
    assert within(modules, ("crm",)) <= {
        "crm", "crm.commands", "crm.errors", "crm.program", "crm.shell", "crm.shell.completion", "crm.shell.program",
        "crm.shell.tree", "crm.shell.words", "crm.start", "crm.terminal", "crm.terminal.loop", "crm.commands.subject",
        "crm.wording", "crm.lazy_pattern", "crm.lean_dataclass",
        *(subject.__name__ for subject in subjects()),
    }  # fmt: skip


def test_a_list_loads_its_own_group_and_nothing_for_others(shell: CommandLine) -> None:
    modules = loaded(shell, "--json", "clients", "list")
    assert "crm.commands.clients.clients" in modules
    others = (*_FOR_OTHERS, *_FOR_NO_LIST, "rich", "babel", "crm.terminal.drawing.render")
    assert within(modules, others) == set()


@pytest.mark.parametrize(
    ("subject", "arguments"),
    [
        ("clients", ("clients", "list")),
        ("sales", ("deals", "list")),
        ("sales", ("sales", "list")),
        ("sales", ("stages", "list")),
    ],
)
def test_a_list_for_a_pipe_loads_the_texts_of_rich_and_what_makes_its_cells(
    shell: CommandLine, subject: str, arguments: tuple[str, ...]
) -> None:
    modules = loaded(shell, *arguments)
    assert "rich.text" in modules
    assert within(modules, (*_FOR_OTHERS, *_FOR_NO_LIST, "rich.console", "rich.table")) == set()
    kernel = ("crm.terminal.console", "crm.terminal.drawing", "crm.terminal.loop")
    terminal = within(modules, ("crm.terminal",)) - within(modules, kernel)
    pages = {module for module in terminal if module.count(".") == 3} - {f"crm.terminal.{subject}.rendering"}
    assert pages == set()


@pytest.mark.parametrize(
    ("group", "unused"),
    [
        ("email", ("crm.commands.mail.inbox", "crm.commands.mail.mailings", "crm.commands.mail.outbox", "crm.outward")),
        (
            "history",
            (
                "crm.commands.data.demo",
                "crm.commands.data.exporting",
                "crm.commands.billing",
                "crm.invoicing",
                "crm.rules",
            ),
        ),
        ("invoices", ("crm.commands.mail", "crm.outward", "crm.commands.billing.issuing")),
        ("services", ("crm.commands.mail", "crm.outward", "crm.invoicing")),
        ("users", ("crm.outward", "email", "markdown_it", "smtplib", "ssl")),
    ],
)
def test_a_list_loads_no_other_commands_of_its_group(shell: CommandLine, group: str, unused: tuple[str, ...]) -> None:
    declared = {subject.__name__ for subject in subjects()}
    assert within(loaded(shell, "--json", group, "list"), unused) - declared == set()


@pytest.mark.parametrize("arguments", [("--json", "clients", "list"), ("clients", "list")])
def test_a_list_makes_the_tables_that_it_reads_and_no_others(shell: CommandLine, arguments: tuple[str, ...]) -> None:
    _, tables = _loaded_and_made(shell, *arguments)
    # Contacts are looked through, too; users and rules are asked for by every command.
    assert tables == {"Client", "Contact", "Setting", "StatusRule", "User"}


def test_the_first_menu_loads_no_rules_and_nothing_that_writes(shell: CommandLine) -> None:
    modules = loaded(shell)
    assert "crm.terminal.home.main_menu" in modules
    writing = ("crm.repository.bills", "crm.repository.sums", "crm.repository.transaction", "crm.repository.writing")
    pressed_later = ("crm.terminal.clients.search", "crm.terminal.clients.picking", "crm.commands.clients.contacts")
    unused = ("crm.rules", "crm.outward", "crm.files", "crm.repository.undo", *writing, *pressed_later)
    assert within(modules, unused) == set()


@pytest.mark.parametrize(
    "line", ["run.py\nclients\nl", "run.py\nclients\nlist\n--kind\nc", "run.py\nclients\nshow\nAn"]
)
def test_completing_loads_no_command_and_leaves_nothing_behind(shell: CommandLine, line: str) -> None:
    asking = {"_RUN_PY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count("\n"))}
    modules = loaded(shell, **asking)
    assert {"crm.shell.words"} <= modules
    assert within(modules, (*_FOR_OTHERS, "rich", "babel", "sqlalchemy", "crm.app", "crm.commands.registry")) == set()
    assert {path.name for path in shell.folder.iterdir()} <= {shell.file.name, "data", "backups"}


def test_help_of_a_group_loads_no_other(shell: CommandLine) -> None:
    assert within(loaded(shell, "clients", "--help"), _FOR_OTHERS) == set()


def test_a_new_store_has_all_tables_whatever_was_loaded_before() -> None:
    asking = (
        "from crm.model import RECORDS; from crm.repository.tables import metadata;"
        " print({kind.kind_name for kind in RECORDS} - metadata().tables.keys())"
    )
    done = subprocess.run([sys.executable, "-c", asking], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
