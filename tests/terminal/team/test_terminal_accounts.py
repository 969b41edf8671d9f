"""Accounts at a real terminal: the first one, sign-in, a second factor, and the pages of each role."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyotp
import pytest

from crm.commands.context import CRM
from crm.commands.registry import named
from crm.model import Client, MachineKey, User
from crm.repository import Query
from tests.support.clocks import running_on
from tests.support.firm import set_seller
from tests.terminal.conftest import Session, Start

PASSWORD = "a kettle, two spoons and rain"


@pytest.fixture
def shop(crm: CRM, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> CRM:
    """A store with an admin, somebody of the staff and a client with an account, each with the same password."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    anna = named("clients add")(crm, {"first_name": "Anna", "last_name": "Arm", "notes": "haggles"})
    named("clients add")(crm, {"first_name": "Bert", "last_name": "Bein"})
    named("sales add")(crm, anna, Decimal("120.50"))
    accounts = crm.accounts.open()
    for email, role, client in (
        ("ada@example.com", "admin", 0),
        ("sam@example.com", "staff", 0),
        ("anna@example.com", "client", anna.id),
    ):
        accounts.administration.add(
            email=email, name=email.partition("@")[0].title(), role=role, client=client, password=PASSWORD
        )
    return crm


def all_keys(shop: CRM) -> list[MachineKey]:
    with shop.read() as snapshot:
        return snapshot.find_all(MachineKey)


def signed_in(start: Start, email: str, **how: Any) -> Session:
    session = start(**how).sees("E-mail").press(email, "enter").sees("Password:").press(PASSWORD, "enter")
    return session.sees("Exit")


def test_the_first_account_chooses_a_password_and_is_signed_in(start: Start, crm: CRM) -> None:
    named("clients add")(crm, {"last_name": "Arm"})
    session = (
        start()
        .choose("Data")
        .choose("Team")
        .choose("Add the first account")
        .sees("everyone who uses this data")
        .sees("E-mail")
    )
    session.press("ada@example.com", "enter").sees("Name:").press("Ada", "enter").sees("Password (at least")
    session.press("short", "enter").sees("A few words in a row").press("kill", PASSWORD, "enter").sees("again:")
    # What is typed the second time is compared at once; Esc goes back to choose another.
    session.press("another thing", "enter").sees("do not match").press("esc").sees("Password (at least")
    session.press(PASSWORD, "enter").sees("again:").press(PASSWORD, "enter").sees("you are signed in")
    assert PASSWORD.encode() not in session.raw
    session.choose("My account").sees("ada@example.com").sees("admin")
    # The others sign in.
    start().sees("E-mail").press("ada@example.com", "enter").sees("Password:").press(PASSWORD, "enter").sees("Exit")


def test_sample_data_is_marked_after_a_new_sign_in_too(start: Start) -> None:
    session = start().choose("Try it on sample data").sees("SAMPLE DATA").choose("Data").choose("Team")
    session.choose("Add the first account").sees("The first account is your own").sees("E-mail")
    session.press("ada@example.com", "enter").sees("Name:")
    session.press("Ada", "enter").sees("Password (at least").press(PASSWORD, "enter").sees("again:")
    session.press(PASSWORD, "enter").sees("you are signed in")
    # Keys are answered late while it is made, and the page says why.
    assert b"One moment, your account is being made." in session.raw
    session.choose("My account").choose("Sign out")
    session.sees("You are signed out.").sees("E-mail").press("ada@example.com", "enter").sees("Password:")
    session.press(PASSWORD, "enter").sees("SAMPLE DATA").choose("Data").choose("Remove the sample")
    session.sees("60 clients").choose("Delete it").sees("Sample data removed").lacks("SAMPLE DATA")


def test_leaving_before_a_password_is_chosen_keeps_the_one_time_password(start: Start, shop: CRM) -> None:
    _, password = shop.accounts.open().administration.add(email="tom@example.com", name="Tom", role="staff")
    for leave in ("c-c", "esc"):
        session = start().sees("E-mail").press("tom@example.com", "enter").sees("Password:").press(password, "enter")
        session.sees("one-time password. Choose one of your own").press(leave)
        assert session.exit_code() == 0
    session = start().sees("E-mail").press("tom@example.com", "enter").sees("Password:").press(password, "enter")
    session.sees("New password").press(PASSWORD, "enter").sees("again:").press(PASSWORD, "enter")
    session.sees("Password changed").sees("Exit")


def test_a_menu_from_before_the_first_account_leads_to_the_sign_in(
    start: Start, crm: CRM, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    named("clients add")(crm, {"last_name": "Arm"})
    session = start().sees("Exit")
    accounts = crm.accounts.open()
    accounts.administration.add(email="ada@example.com", name="Ada", role="admin", password=PASSWORD)
    session.choose("Data").sees("This store has accounts now. Sign in.").sees("E-mail")
    session.press("ada@example.com", "enter").sees("Password:").press(PASSWORD, "enter").sees("Exit")
    session.choose("Data").choose("My account").sees("ada@example.com").sees("admin")


@pytest.mark.usefixtures("shop")
def test_a_refused_sign_in_does_not_say_why(start: Start) -> None:
    session = start().sees("E-mail").press("ada@example.com", "enter").sees("Password:").press("wrong", "enter")
    known = session.sees("✗").settled().text
    # The next password is typed at once: it goes where nothing is shown. The address is a step back.
    session.press("second try", "enter").sees("✗").settled()
    assert b"second try" not in session.raw
    session.sees("E-mail: ada@example.com").press("esc").sees("ada@example.com").press("kill")
    session.press("eve@example.com", "enter").sees("Password:").press("wrong", "enter")
    unknown = session.sees("✗").settled().text
    expression = re.compile(r"✗ .*")
    assert expression.findall(known) == expression.findall(unknown) != []
    session.press("esc").press("esc")
    assert session.exit_code() == 0


@pytest.mark.usefixtures("shop")
def test_codes_by_an_app_from_the_qr_code_to_a_recovery_code(start: Start) -> None:
    session = signed_in(start, "sam@example.com").choose("Data").choose("My account").choose("Second factor")
    # Whoever finds a terminal that is open sets up none of their own.
    session.sees("Password:").press("wrong", "enter").sees("That is not your password.").choose("Second factor")
    session.sees("Password:").press(PASSWORD, "enter").choose("An auth")
    session.sees("Key:").sees("Code from the app:")
    assert sum(line.count("█") + line.count("▀") + line.count("▄") for line in session.lines) > 200
    (key,) = session.reads(r"Key: ((?:[A-Z2-7]{4} ?)+)")
    codes = pyotp.TOTP(key.replace(" ", ""))
    session.press("000000", "enter").sees("Key:").settled()
    session.press("kill").press(codes.at(running_on()()), "enter").sees("Recovery codes")
    recovery = session.reads(r"^ +(\S{4}(?:-\S{4}){5})$", times=10)
    assert len(recovery) == 10
    for key in ("c-c", "esc"):
        assert session.press(key).settled().reads(r"^ +(\S{4}(?:-\S{4}){5})$", times=10) == recovery
    session.sees("Saved it?").press("yes", "enter").sees("codes by an app").press("esc", "esc", "0")
    assert session.exit_code() == 0

    begun = start().sees("E-mail").press("sam@example.com", "enter").sees("Password:").press(PASSWORD, "enter")
    begun.sees("Code").press("123456", "enter").sees("✗").press(
        codes.at(running_on()() + timedelta(seconds=30)), "enter"
    ).sees("Exit")
    again = start().sees("E-mail").press("sam@example.com", "enter").sees("Password:").press(PASSWORD, "enter")
    again.sees("Code").press(recovery[0], "enter").sees("Exit")


@pytest.mark.usefixtures("shop")
def test_staff_are_shown_what_staff_may_do(start: Start) -> None:
    session = signed_in(start, "sam@example.com").choose("Data").choose("Team").sees("1) Workload").lacks(") Add")
    session.press("esc", "esc").choose("Clients").sees("n new").press("g").choose("All ").sees("clients:")
    session.lacks("Delete")


@pytest.mark.usefixtures("shop")
def test_a_client_sees_only_their_own_data(start: Start) -> None:
    session = signed_in(start, "anna@example.com").sees("Anna Arm").sees("0) ").lacks("Clients").lacks("haggles")
    session.choose("My purchases").sees("120.50").press("esc").sees("My account")
    assert "Bert" not in session.raw.decode()


def test_a_client_opens_its_own_invoices_and_changes_none(start: Start, shop: CRM) -> None:
    set_seller(shop)
    with shop.read() as snapshot:
        anna = snapshot.find_all(Client, Query(sort="id"))[0]
    named("clients edit")(shop, anna, {"address": "Weg 1", "city": "Wien", "postcode": "1010", "country": "AT"})
    for line in ("Issued 100 19%", "Hidden 77 19%"):
        draft = named("invoices add")(shop, anna, [line]).invoice
        if line.startswith("Issued"):
            named("invoices issue")(shop, draft)
    named("payments add")(shop, anna, Decimal(30), note="haggled")
    session = signed_in(start, "anna@example.com").sees("Anna Arm").choose("My invoices").sees("RE-2026-0001")
    session.lacks("91.63").lacks("n invoice").choose("RE-2026-0001").sees("1) Make a PDF").lacks("Credit").lacks("Copy")
    session.press("esc", "esc").choose("My payments").sees("30.00").press("esc")
    session.choose("Statement of my account").sees("Balance today").sees("89.00")
    assert "haggled" not in session.raw.decode()


def test_a_deactivated_user_can_do_nothing_more(start: Start, shop: CRM) -> None:
    session = signed_in(start, "sam@example.com")
    accounts = shop.accounts.open()
    with shop.read() as snapshot:
        (sam,) = snapshot.find_all(User, Query({"email": "sam@example.com"}))
    accounts.administration.edit(sam, active=False)
    # What goes on is the sign-in, which says why.
    session.choose("Clients").sees("You have been signed out").sees("E-mail").press("esc")
    assert session.exit_code() == 1


def test_signing_out_ends_the_session_and_shows_the_sign_in(start: Start, shop: CRM) -> None:
    accounts = shop.accounts.open()
    session = signed_in(start, "sam@example.com").choose("Data").choose("My account").choose("My sessions").press("1")
    session.sees("To end it, choose Sign out under My account.").press("esc").choose("Sign out")
    session.sees("You are signed out.").sees("E-mail")
    with shop.read() as snapshot:
        (sam,) = snapshot.find_all(User, Query({"email": "sam@example.com"}))
    assert accounts.sessions.of_user(sam.id) == []
    session.press("ada@example.com", "enter").sees("Password:").press(PASSWORD, "enter").sees("Exit")
    session.choose("Data").choose("My account").choose("Sign out").sees("E-mail").press("esc")
    assert session.exit_code() == 0


def test_an_admin_makes_and_revokes_keys_and_a_changed_role_stops_them(start: Start, shop: CRM) -> None:
    accounts = shop.accounts.open()
    accounts.administration.add(email="ben@example.com", name="Ben", role="admin", password=PASSWORD)
    session = (
        signed_in(start, "ada@example.com")
        .choose("Data")
        .choose("Team")
        .press(".")
        .choose("Keys for unattended commands")
    )
    session.sees("Keys let scheduled jobs").sees("Name (").press("nightly mail", "enter").sees("May:").choose("back up")
    session.sees("Expires").press("enter").sees("Key nightly mail, shown only now.").sees("Saved it?")
    secret = re.search(r"crm_key_\S+", session.text)
    assert secret
    holder = accounts.machine_keys.find(secret[0])
    assert (holder.name, holder.may) == ("nightly mail", "backup")
    # It is not shown again.
    session.press("yes", "enter").choose("Keys for unattended commands").sees("nightly mail").lacks("crm_key_")
    session.press("n").sees("Name (").press("Nightly MAIL", "enter").choose("send and fetch mail and texts").press(
        "enter"
    )
    session.sees("A key called Nightly MAIL already exists").press("kill", "weekly", "enter")
    session.sees("Key weekly, shown only now.").press("yes", "enter").choose("weekly")
    session.sees("Jobs that use the key weekly stop at once, and the key never works again.").press("enter")
    assert len(all_keys(shop)) == 2
    session.choose("weekly").choose("Revoke it").sees("Revoked the key weekly.").lacks("Key weekly")
    assert [key.name for key in all_keys(shop)] == ["nightly mail"]
    session.press("esc").sees("Workload").press("esc").choose("Ada").sees("nightly mail").choose("Change role")
    session.choose("staff")
    session.sees("Keys that stop working: nightly mail. Jobs that use them").press("esc").sees("Change role")
    assert accounts.machine_keys.find(secret[0])
    session.choose("Change role").choose("staff").choose("Change the role")
    session.sees("It is done: gave Ada the role staff. This ended your own session").sees("E-mail")
    session.press("ada@example.com", "enter").sees("Password:").press(PASSWORD, "enter").sees("Exit")
    session.choose("Data").choose("Team").sees("Workload").lacks("Add the first")


@pytest.mark.usefixtures("shop")
def test_an_admin_makes_an_account_for_a_colleague(start: Start) -> None:
    session = (
        signed_in(start, "ada@example.com")
        .choose("Data")
        .choose("Team")
        .choose("Ada")
        .press("esc")
        .sees("n new")
        .press("n")
    )
    session.sees("E-mail").press("tom@example.com", "enter").sees("Name:").press("Tom", "enter")
    # The least right is pointed at.
    session.sees("Role:").sees("» 2) staff").press("enter").sees("Temporary password").sees("Saved it?")
    # No key that was meant for another page takes away what is shown only now.
    for key in ("enter", "enter", "esc", "c-c", "c-d", "1", "enter"):
        session.press(key).settled().sees("Temporary password").lacks("esc back")
    session.press("esc").sees("This page is shown only once. Type yes when you have saved it.")
    session.press("kill", "yes", "enter").sees("n new").choose("Tom")
    session.choose("Deactivate").sees(", deactivated").choose("Reactivate").lacks(", deactivated")


@pytest.mark.usefixtures("shop")
def test_a_form_reports_missing_and_unchanged_input(start: Start) -> None:
    session = start(columns=40).sees("E-mail").press("enter").sees("This is required. Esc goes back.")
    session.press("sam@example.com", "enter").sees("Password:").press(PASSWORD, "enter").sees("Exit")
    session.choose("Data").choose("My account").choose("Change my name").sees("Name").press("enter")
    session.sees("Nothing changed.")
    session.choose("Change my name").press("kill", "A-d-a", "enter")
    # On a narrow screen all of an error is read, also of one that the command finds.
    session.sees("A-d-a looks like Ada, who is someone else. Add a middle initial or last name.")
    session.press("kill", "Samuel", "enter").sees("Saved.").lacks("Nothing")
    session.choose("Change my phone").sees("Password:").press("wrong", "enter").sees("That is not your password.")
    session.choose("Change my password").press(PASSWORD, "enter").sees("New password").press("short", "enter")
    # What cannot be seen is not left to be corrected.
    session.sees("10").press(PASSWORD + ", and wind", "enter").sees("again:").press("esc")
    session.press("esc", "esc", "esc").choose("Status rules").sees("1) VIP")
    session.lacks("n new").press("1").sees("Only an admin can change the rules.")


@pytest.mark.usefixtures("shop")
def test_undo_offers_my_own_last_change_and_never_a_sign_in(start: Start) -> None:
    # What was done before there were accounts is the first admin's.
    ada = signed_in(start, "ada@example.com").press("u").sees("Before that: added Bert Bein").press("0")
    ada.press("/").sees("Find").press("Bert", "enter").choose("Edit").choose("City").sees("City")
    ada.press("Graz", "enter").choose("Save").sees("Saved: Bert Bein")
    sam = signed_in(start, "sam@example.com").press("u").sees("Nothing of yours to undo")
    sam.press("0")
    # A change of an account cannot be undone: that is said before something older is offered, and Enter undoes nothing.
    ada.press("esc", "esc").choose("Data").choose("My account").choose("Change my name").press("kill", "Adele", "enter")
    ada.sees("Saved.").press("u").sees("Your last change, changed the profile, cannot be undone.")
    ada.sees("Before that: edited Bert Bein").sees("» 0) No, go back").sees("Undo the older change")
    ada.choose("Undo the older change").sees("Undone: edited Bert Bein")
