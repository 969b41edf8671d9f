"""Programs that were open before the store had accounts: once it has one, they do nothing without a sign-in."""

from dataclasses import replace
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.errors import CRMError, SignedOutError
from crm.model import Client, Deal, FollowUp, User
from tests.commands.conftest import Office
from tests.support.clocks import TODAY

HAS_ACCOUNTS = "This store has accounts now. Sign in."


def owner(office: Office) -> CRM:
    """The CRM of a program of its own, opened while there are no accounts."""
    crm = office.open()
    return crm.enter(crm, None)


def test_an_open_program_stops_once_there_is_an_account(office: Office) -> None:
    mine, others = owner(office), owner(office)
    client = named("clients add")(mine, {"last_name": "Arm"})
    admin = named("users add")(others, "boss@example.com", "Boss", role="admin")
    boss = others.accounts.open()
    with office.crm.read() as snapshot:
        before = snapshot.revision
    for words, given in {
        "clients list": ({},), "clients add": ({"last_name": "Bein"},), "clients edit": (client, {"last_name": "Bein"}),
        "users list": (), "users add": ("eve@example.com", "Eve", "admin"), "history undo": (), "today": (),
        "backup": (office.folder / "copy.sqlite3",),
    }.items():  # fmt: skip
        with pytest.raises(SignedOutError) as refused:
            named(words)(mine, *given)
        assert refused.value.sentence.startswith(HAS_ACCOUNTS), words
    for action in (
        lambda: mine.accounts.new_one_time_password(admin.user),
        lambda: mine.accounts.sign_out(admin.user),
        lambda: mine.repository.set_fact("sample", "yes"),
        lambda: mine.repository.restore(office.crm.repository.backup()),
        lambda: list(mine.repository.everything()),
    ):
        with pytest.raises(SignedOutError):
            action()
    with office.crm.read() as snapshot:
        assert snapshot.revision == before
    assert boss.authentication.sign_in("boss@example.com", admin.password) is not None
    assert sorted(path.suffix for path in office.folder.glob("*") if path.stem == "copy") == []


def test_the_program_that_adds_the_first_account_says_so_and_stops_as_well(office: Office) -> None:
    crm = owner(office)
    made = named("users add")(crm, "boss@example.com", "Boss", role="admin")
    assert made.password
    with pytest.raises(SignedOutError) as out:
        named("users list")(crm)
    assert out.value.done
    assert out.value.sentence == f"It is done: added the account of Boss (admin). {HAS_ACCOUNTS}"


def test_of_two_first_accounts_at_once_one_is_added(office: Office) -> None:
    programs = [owner(office), owner(office), owner(office)]
    ready, answers = Barrier(len(programs)), list[Any]()

    def add(crm: CRM, email: str) -> None:
        ready.wait()
        try:
            answers.append(named("users add")(crm, email, email.partition("@")[0].title(), role="admin"))
        except CRMError as error:
            answers.append(error)

    threads = [
        Thread(target=add, args=(crm, f"{name}@example.com"))
        for crm, name in zip(programs, ("ada", "ben", "cy"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if isinstance(answer, SignedOutError)]
    assert len(refused) == 2, answers
    assert len(named("users list")(office.crm)) == 1


def test_people_without_a_sign_in_do_not_close_the_store(office: Office) -> None:
    crm = owner(office)
    named("people add")(crm, "Sam")
    named("clients add")(crm, {"last_name": "Arm"})
    with crm.read() as snapshot:
        assert snapshot.count(Client) == 1


def test_earlier_changes_belong_to_the_creator_of_the_first_account(office: Office) -> None:
    """Under the name of the machine's user; what is somebody else's stays theirs."""
    crm = replace(owner(office), attended=True)
    acme = named("clients add")(crm, {"company": "Acme", "owner": crm.me})
    other = named("clients add")(crm, {"company": "Other", "owner": "Dana"})
    named("follow-ups add")(crm, acme, "send the quote", TODAY)
    named("deals add")(crm, acme, "Tables")
    password = "three quiet green lamps"
    named("users add")(crm, "boss@example.com", "Boss", role="admin", password=password, again=password)
    with office.crm.read() as snapshot:
        (boss,) = snapshot.find_all(User)
        assert [client.owner for client in map(partial(snapshot.get, Client), (acme.id, other.id))] == ["Boss", "Dana"]
        (due,), (deal,) = snapshot.find_all(FollowUp), snapshot.find_all(Deal)
        assert {(due.user, due.user_id), (deal.owner, deal.owner_id)} == {("Boss", boss.id)}
        # It is in the history, with the account.
        changes = snapshot.changes(record=acme, limit=1)
    assert "owner" in str(changes[0])
