"""Every command on a spreadsheet as on a file: the same answers, the same records."""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from crm.accounts.service import AccountService
from crm.app import open_accounts, open_crm
from crm.commands.context import CRM
from crm.commands.registry import Command
from crm.config import Config
from crm.errors import CRMError
from crm.model.encoding import plain
from crm.model.rights import OWNER
from tests.commands.conftest import Office
from tests.conftest import STORES, Store, _new_store
from tests.support.clocks import TODAY, running_on
from tests.support.firm import GIVEN, OUT_OF_ORDER, Firm, command_group, outcome

# What is about files of one machine, or about a spreadsheet itself, is another thing on each.
_OF_ITS_OWN = (
    "backup", "restore", "sheets ", "email fetch", "email adopt", "copy", "demo",
    "email forget", "mailbox forget", "sms forget",
)  # fmt: skip
# What nobody can foretell.
_BY_CHANCE = frozenset(
    ("created_at", "updated_at", "time", "until", "identifier", "password", "seal", "secret", "token")
)

_OF_KIND = {"user": {"version"}}


def _firm(store: Store, office: Office) -> Firm:
    settings = Config(
        f"sqlite:///{office.folder}/none",
        "anna",
        running_on(TODAY),
        secret="what protects the accounts of these tests",
        folder=office.folder / "data",
        **OUT_OF_ORDER,
    )
    accounts = cache(lambda: open_accounts(settings, store.repository))
    store.repository.keep_sealed(accounts().store.roster)
    crm = open_crm(settings)
    office._opened.append(replace(crm, repository=store.repository, accounts=AccountService(accounts, OWNER)))
    return Firm(office)


def _stored(objects: Iterable[Any]) -> list[tuple[str, dict[str, Any]]]:
    """The records, but for what nobody can foretell, and for how often an account was sealed: a file gets another id
    with its first account."""
    return [
        (kind, {name: value for name, value in fields.items() if name not in (_BY_CHANCE | _OF_KIND.get(kind, set()))})
        for kind, fields in objects
        if kind not in ("audit", "transaction", "sign_in", "fact")
    ]


@pytest.fixture
def stores() -> Iterator[tuple[Store, Store]]:
    with _new_store(STORES["sqlite"]) as file, _new_store(STORES["sheets"]) as sheet:
        yield file, sheet


@pytest.fixture
def firms(tmp_path: Path, stores: tuple[Store, Store]) -> tuple[Firm, ...]:
    folders = tmp_path / "sqlite", tmp_path / "sheets"
    for folder in folders:
        folder.mkdir()
    return tuple(_firm(store, Office(folder)) for store, folder in zip(stores, folders, strict=True))


# The commands are tried in so many groups, each in stores of its own: all that is in a store is read after each.
_GROUPS = 6


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("group", range(_GROUPS))
def test_every_command_does_the_same_on_every_store(
    stores: tuple[Store, Store], firms: tuple[Firm, ...], group: int
) -> None:
    for command in command_group(group, _GROUPS):
        if not command.words.startswith(_OF_ITS_OWN):
            one, other = (_done(firm, command) for firm in firms)
            assert one == other, command.words
    assert [store.wrong() for store in stores] == [[], []]
    # Another machine reads the same from the spreadsheet.
    assert _stored(stores[1].another().everything()) == _stored(firms[1].everything())


def _done(firm: Firm, command: Command) -> Any:
    """The result of a command, and all records after it."""
    crm = firm.crms["admin"]
    given = GIVEN[command.words](firm, "admin")
    crm.forget_settings()
    result = outcome(command, crm, given)
    answer = (result.kind, result.sentence) if isinstance(result, CRMError) else _foretold(plain(result), firm)
    return answer, _stored(firm.everything())


def _foretold(document: Any, firm: Firm) -> Any:
    """A result as scripts get it, but for what nobody can foretell."""
    match document:
        case dict():
            return {name: _foretold(value, firm) for name, value in document.items() if name not in _BY_CHANCE}
        case list():
            return [_foretold(value, firm) for value in document]
        case str():
            return re.sub(r"^\d{4}-\d\d-\d\dT.*Z$", "a moment", document.replace(str(firm.office.folder), ""))
    return document


def _currency_in_a_change(crm: CRM) -> str:
    return crm.transact(lambda _: crm.settings["currency"], "asked for a setting")


def test_a_change_that_asks_for_settings_first_waits_for_nobody(tmp_path: Path) -> None:
    with closing(Office(tmp_path)) as office, _new_store(STORES["sheets"]) as store:
        took = []
        # A busy machine may be slow once.
        for _ in range(3):
            began = time.monotonic()
            assert len(_currency_in_a_change(replace(office.crm, repository=store.repository, _settings=None))) == 3
            took.append(time.monotonic() - began)
        # It would wait three seconds for the lock that it has itself.
        assert min(took) < 2
