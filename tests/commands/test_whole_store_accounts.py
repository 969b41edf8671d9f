"""Accounts in an imported dump of a whole store: if they let nobody in, the result says so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import SignInRefusedError, StoreAccessError
from tests.commands.conftest import Office

ADMIN, STAFF = "ada@example.com", "sam@example.com"
PASSWORD = "a kettle, two spoons and rain"
Objects = list[list[Any]]


@pytest.fixture
def exported(office: Office) -> tuple[Path, Objects]:
    """An export of a whole store with an admin and somebody else, and what is in it."""
    accounts = office.crm.accounts.open()
    for email, role in ((ADMIN, "admin"), (STAFF, "staff")):
        accounts.administration.add(email=email, name=email.partition("@")[0].title(), role=role, password=PASSWORD)
    file = office.folder / "whole.json"
    named("export")(office.crm, file, what="all")
    return file, json.loads(file.read_text())["objects"]


def into_another(office: Office, file: Path) -> tuple[CRM, Any]:
    crm = office.open("another")
    return crm, named("import")(crm.enter(crm, None), file, as_="all")


def lacks_admin(objects: Objects) -> Objects:
    return [entry for entry in objects if entry[1].get("role") != "admin"]


def lacks_accounts(objects: Objects) -> Objects:
    return [entry for entry in objects if entry[0] not in ("user", "sign_in", "transaction", "audit")]


def lacks_roster(objects: Objects) -> Objects:
    return [entry for entry in objects if entry[0] != "fact"]


def lowers_admin(objects: Objects) -> Objects:
    return [[name, {**fields, "role": "staff"} if name == "user" else fields] for name, fields in objects]


@pytest.mark.parametrize("edit", [lacks_admin, lacks_accounts, lacks_roster, lowers_admin])
def test_a_whole_store_import_warns_if_no_admin_can_sign_in(
    office: Office, exported: tuple[Path, Objects], edit: Callable[[Objects], Objects]
) -> None:
    file, objects = exported
    file.write_text(json.dumps({**json.loads(file.read_text()), "objects": edit(objects)}))
    crm, report = into_another(office, file)
    assert report.applied
    accounts = crm.accounts.open()
    with pytest.raises((StoreAccessError, SignInRefusedError)):
        accounts.authentication.sign_in(ADMIN, PASSWORD)
    assert "users recover" in report.done
    assert accounts.recovery.recover(ADMIN, "Ada").password
    crm.repository.close()


def test_a_whole_store_import_with_valid_accounts_gives_no_warning(
    office: Office, exported: tuple[Path, Objects]
) -> None:
    crm, report = into_another(office, exported[0])
    assert report.done == ""
    assert crm.accounts.open().authentication.sign_in(ADMIN, PASSWORD)
    crm.repository.close()


def test_a_restore_warns_if_no_admin_can_sign_in(office: Office, exported: tuple[Path, Objects]) -> None:
    assert exported
    crm = office.crm
    crm.repository.transact(lambda tx: tx.connection.exec_driver_sql("DELETE FROM user WHERE role = 'admin'"), "x")
    copy = crm.repository.backup(office.folder / "copy.sqlite3")
    other = office.open("another")
    answer = named("restore")(other.enter(other, None), copy, yes=True)
    assert "users recover" in answer.done
    with pytest.raises(StoreAccessError):
        other.accounts.open().authentication.sign_in(STAFF, PASSWORD)
    other.repository.close()
