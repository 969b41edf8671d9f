"""Every command as every role, on a store with other people's data: only what the table of rights allows."""

from collections.abc import Callable
from typing import Any

import pytest

from crm.commands.lookup import selected
from crm.commands.registry import Command, commands, may_run, named
from crm.errors import CRMError, ForbiddenError, NotFoundError, SignedOutError
from crm.model import KEY_MAY, Client
from crm.model.rights import KEY, OWNER, Reader
from tests.support.firm import GIVEN, ROLES, Firm, command_group, outcome, result_text
from tests.support.guarded import FOREIGN, INTERNAL, assert_allowed, records

# The settings of the computer.
_SERVICES = {f"{name} {do}" for name in ("email", "mailbox", "sms") for do in ("setup", "status", "test", "forget")}
# These need what there is not here: a spreadsheet at Google, a mailbox.
_OUT_OF_REACH = {
    "sheets setup", "sheets connect", "sheets leave", "sheets repair", "email fetch", "email adopt", "sms fetch",
    "email test", "mailbox test", "sms test", "history archive",
}  # fmt: skip
# And these are refused in time by what they are given.
_OF_OTHERS = {"invoices show", "invoices pdf", "invoices qr", "payments show", "statements show"}
_OTHERS = {
    "client": {"clients show", "profile end-session", *_OF_OTHERS},
    "staff": {"profile end-session"},
    "admin": set[str](),
}


def test_every_command_is_tried() -> None:
    assert {command.words for command in commands()} == set(GIVEN)


# The commands are tried in so many groups, each in a store of its own: in one store, each command would have to be
# compared with all that the others have left.
_GROUPS = 10


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("group", range(_GROUPS))
def test_no_command_shows_or_changes_more_than_the_rights_allow(firm: Firm, group: int) -> None:
    """Through the register; and where that refuses, past it, where the store and the accounts alone stand in the way.

    Those with the least rights come first: nothing that they could not undo is gone before. To restore signs everybody
    out, so that comes last.
    """
    for role in reversed(ROLES):
        for entry in sorted(command_group(group, _GROUPS), key=lambda command: command.words == "restore"):
            _try(firm, role, entry, entry)
            if not may_run(entry, firm.crms[role].reader):
                _try(firm, role, entry, entry.function)


def _try(firm: Firm, role: str, command: Command, call: Callable[..., Any]) -> None:
    crm = firm.crms[role]
    given = GIVEN[command.words](firm, role)
    before, other = firm.everything(), set(firm.office.folder.rglob("*"))
    crm.forget_settings()
    result = outcome(call, crm, given)
    after, output = firm.everything(), result_text(result)
    where = (role, command.words, "register" if call is command else "function", output)
    # A restored backup may be of any time.
    if (role, command.words) != ("admin", "restore"):
        through_accounts = command.words.startswith(("profile", "users", "keys"))
        assert_allowed(crm.reader, records(before), records(after), through_accounts)
    assert not [secret for secret in firm.secrets() if secret in output], where
    # What somebody has said themselves may be repeated.
    personal = [text for text in firm.personal(role) if text in output and text not in repr(given)]
    assert not personal, (where, personal)
    if role == "client":
        assert FOREIGN not in output, where
        assert INTERNAL not in output, where
    if call is command and not may_run(command, crm.reader):
        assert isinstance(result, ForbiddenError), where
        assert after == before, where
        assert set(firm.office.folder.rglob("*")) == other, where
    elif call is command and command.words in _OTHERS[role]:
        assert isinstance(result, ForbiddenError | NotFoundError), where
        assert after == before, where
    elif call is command and command.words not in _OUT_OF_REACH:
        assert not isinstance(result, CRMError), where
    elif isinstance(result, CRMError):
        assert after == before, where


def test_the_commands_of_each_role() -> None:
    """In words, so that a change of it is seen."""
    runs = {role: {command.words for command in commands() if role in command.roles} for role in ROLES}
    own = {line for line in GIVEN if line.startswith("profile ")}
    assert runs["client"] == {"clients show", "sales list", "invoices list", "payments list", *_OF_OTHERS, *own}
    assert runs["admin"] == set(GIVEN)
    assert set(GIVEN) - runs["staff"] == {
        "clients delete", "clients delete-many", "clients merge", "rules add", "rules edit", "rules move",
        "rules remove", "rules use", "rules apply", "stages add", "stages rename", "stages edit", "stages move",
        "stages delete", "backup", "restore", "copy", "sheets setup", "sheets connect",
        "sheets leave", "sheets repair", "demo", "numbers set", "reminders levels set", "reminders levels remove",
        "history archive",
        "services delete",
        "settings set", "people add", "opt-outs lift", *_SERVICES,
        "keys list", "keys add", "keys revoke",
        *(line for line in GIVEN if line.startswith("users ")),
    }  # fmt: skip
    assert {may: _by_key(may) for may in KEY_MAY} == {
        "mail": {"email outbox", "email due", "email fetch", "sms fetch", "reminders run"},
        "backup": {"backup"},
        "mail+backup": {"email outbox", "email due", "email fetch", "sms fetch", "reminders run", "backup"},
    }
    assert all(may_run(command, OWNER) for command in commands())
    assert not any(may_run(command, Reader(1, "odd", 0, "Odd")) for command in commands())


def _by_key(may: str) -> set[str]:
    return {command.words for command in commands() if may_run(command, Reader(0, f"{KEY}{may}", 0, "nightly (key)"))}


def test_a_client_account_finds_its_own_card_and_sales_by_any_name(firm: Firm) -> None:
    crm = firm.crms["client"]
    for written in (str(firm.own.id), "olga own", "R-Own", "own@example.com"):
        client = selected(crm, Client, written)
        card = named("clients show")(crm, client)
        assert card.client.name == "Olga Own"
        assert [entry.what for entry in card.timeline] == ["Sale 1"]
    assert [sale.client for sale in named("sales list")(crm)] == [firm.own.id]
    for written in (str(firm.other.id), FOREIGN, INTERNAL, f"R-{FOREIGN}", f"{FOREIGN}@example.com", "nobody", "999"):
        with pytest.raises(NotFoundError) as error:
            selected(crm, Client, written)
        # In the very words of somebody who is not there.
        missing = written if written.isdigit() else f"called {written}. Add one with `clients add`"
        assert error.value.sentence == f"No client {missing}. `clients list` shows all."


def test_missing_rights_to_merge_or_delete_are_reported_before_a_question(firm: Firm) -> None:
    crm = firm.crms["staff"]
    for words, given in (
        ("clients merge", {"client": firm.own, "other": firm.other}),
        ("clients delete", {"client": firm.own}),
    ):
        refused = outcome(named(words), crm, given)
        assert isinstance(refused, ForbiddenError)
        assert refused.sentence.startswith("Only an admin can")
        assert refused.exit_code == 3


def test_staff_import_and_export_clients_and_no_accounts(firm: Firm) -> None:
    crm, folder = firm.crms["staff"], firm.office.folder
    file = firm.office.write("new.csv", "name,city\nImported Person,Graz\n")
    assert named("import")(crm, file, as_="clients").new == 1
    assert named("export")(crm, folder / "all.xlsx", what="all").records > 3
    with pytest.raises(ForbiddenError):
        named("export")(crm, folder / "all.json", what="all")
    assert not (folder / "all.json").exists()
    assert firm.office("history list")[0].user == "Staff Person"


def test_a_demoted_or_signed_out_user_is_stopped(firm: Firm) -> None:
    assert named("clients list")(firm.crms["admin"], {})
    firm.office("users add", "second@example.com", "Second Admin", "admin")
    firm.office("users edit", firm.users["admin"], role="staff")
    firm.office("users sign-out", firm.users["staff"])
    before = firm.everything()
    for crm in (firm.crms["admin"], firm.crms["staff"]):
        assert isinstance(outcome(named("clients list"), crm, {"filters": {}}), SignedOutError)
        assert isinstance(outcome(named("clients add"), crm, {"client": {"last_name": "Added"}}), SignedOutError)
        gone = outcome(named("clients delete").function, crm, {"client": firm.own, "yes": True})
        assert isinstance(gone, SignedOutError)
    assert firm.everything() == before
