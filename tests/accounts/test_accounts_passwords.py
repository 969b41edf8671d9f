"""New passwords, one's own and forgotten ones."""

import threading
import time
from collections.abc import Callable

import pytest

from crm.accounts import SignedIn
from crm.accounts.passwords import refuse_weak
from crm.errors import FieldError, OutwardError, RefusedError, SignInRefusedError, TooManyAttemptsError
from tests.accounts.conftest import PASSWORD, Office

NEW = "seven green umbrellas whistle"


# Which are taken


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 10"),
        ("", "at least 10"),
        ("          ", "easy to guess"),
        ("x" * 129, "at most 128"),
        ("password123", "easy to guess"),
        ("qwertzuiop", "easy to guess"),
        ("1234567890", "easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("anna.berg@example.com!", "your name"),
        ("Kastanie BERG Kastanie", "your name"),
    ],
)
def test_weak_passwords_are_refused_with_advice(password: str, why: str) -> None:
    with pytest.raises(FieldError, match=why):
        refuse_weak(password, ["anna.berg@example.com", "Anna Berg"])


@pytest.mark.parametrize("password", [NEW, "k3fq-7dmw-xz2a-pn5t", "grün 漢字 kräftig 🦆 tief", "a long story " * 9])
def test_strong_passwords_are_accepted(password: str) -> None:
    refuse_weak(password, ["anna@example.com", "Anna"])


# One's own


def test_a_new_password_ends_the_other_sessions(office: Office) -> None:
    anna = office.add()
    other, here = office.sign_in(), office.sign_in()
    office.accounts.self_service.change_password(anna.id, PASSWORD, NEW, but=here.session)
    assert office.accounts.sessions.find(other.token) is None
    assert office.accounts.sessions.find(here.token) is not None
    assert office.history()[0] == ("Anna", "changed the password")
    with pytest.raises(SignInRefusedError):
        office.sign_in()
    assert isinstance(office.sign_in(password=NEW), SignedIn)


def test_a_new_password_needs_the_old_one_and_must_be_good(file_office: Office) -> None:
    anna = file_office.add()
    for current, new, error in (
        ("wrong", NEW, SignInRefusedError),
        (PASSWORD, "password123", FieldError),
        (PASSWORD, PASSWORD, FieldError),
        (PASSWORD, "anna at the example shop", FieldError),
    ):
        with pytest.raises(error):
            file_office.accounts.self_service.change_password(anna.id, current, new)
    assert isinstance(file_office.sign_in(), SignedIn)


def test_guessing_the_old_password_in_an_open_session_is_slowed_down(file_office: Office) -> None:
    anna = file_office.add()
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            file_office.accounts.self_service.change_password(anna.id, "wrong", NEW)
    with pytest.raises(TooManyAttemptsError):
        file_office.accounts.self_service.change_password(anna.id, PASSWORD, NEW)


def test_a_one_time_password_has_to_be_changed(office: Office) -> None:
    office.add()
    bo, one_time = office.accounts.administration.add(email="bo@example.com", name="Bo", role="staff")
    signed_in = office.sign_in("bo@example.com", one_time)
    assert signed_in.must_change
    office.accounts.self_service.change_password(bo.id, one_time, NEW, but=signed_in.session)
    found = office.accounts.sessions.find(signed_in.token)
    assert found is not None
    assert not found.must_change


def test_a_one_time_password_is_valid_for_a_week(file_office: Office) -> None:
    _, one_time = file_office.accounts.administration.add(email="anna@example.com", name="Anna", role="admin")
    file_office.pass_time(days=6.9)
    assert file_office.sign_in(password=one_time).must_change
    file_office.pass_time(days=0.2)
    with pytest.raises(SignInRefusedError):
        file_office.sign_in(password=one_time)


def test_a_one_time_password_is_invalid_before_it_was_made(file_office: Office) -> None:
    _, one_time = file_office.accounts.administration.add(email="anna@example.com", name="Anna", role="admin")
    file_office.pass_time(days=-0.1)
    with pytest.raises(SignInRefusedError):
        file_office.sign_in(password=one_time)
    file_office.pass_time(days=0.099)
    # A clock that is set right goes back a little.
    assert file_office.sign_in(password=one_time).must_change


def test_an_admin_gives_a_one_time_password(office: Office) -> None:
    anna = office.add()
    token = office.sign_in().token
    one_time = office.accounts.administration.set_one_time_password(anna.id)
    assert office.accounts.sessions.find(token) is None
    with pytest.raises(SignInRefusedError):
        office.sign_in()
    assert office.sign_in(password=one_time).must_change


# Forgotten ones


def mailed(office: Office, email: str = "anna@example.com") -> str:
    """The token of the link that is mailed."""
    before = len(office.mailbox.letters)
    office.accounts.self_service.ask_reset(email, link=lambda token: f"https://crm.example.com/reset/{token}")
    wait_for(lambda: len(office.mailbox.letters) > before)
    to, _, text = office.mailbox.letters[-1]
    assert to == email
    return text.partition("/reset/")[2].split()[0]


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def letters_are_out() -> bool:
    return not any(thread.name == "letter" for thread in threading.enumerate())


def test_a_forgotten_password_is_reset_by_a_link_that_works_once(office: Office) -> None:
    office.add()
    session = office.sign_in()
    token = mailed(office)
    with pytest.raises(FieldError):
        office.accounts.self_service.reset_password(token, "password123")
    office.accounts.self_service.reset_password(token, NEW)
    assert office.history()[0] == ("Anna", "set a new password by mail")
    assert office.accounts.sessions.find(session.token) is None
    with pytest.raises(SignInRefusedError, match="does not work any more"):
        office.accounts.self_service.reset_password(token, PASSWORD)
    assert isinstance(office.sign_in(password=NEW), SignedIn)
    wait_for(letters_are_out)
    assert office.mailbox.letters[-1][1] == "Your password was changed"


def test_a_reset_link_expires_after_half_an_hour(file_office: Office) -> None:
    file_office.add()
    token = mailed(file_office)
    file_office.pass_time(minutes=32)
    with pytest.raises(SignInRefusedError):
        file_office.accounts.self_service.reset_password(token, NEW)


def test_a_second_factor_stays_on(file_office: Office) -> None:
    anna = file_office.add()
    app, _ = file_office.with_app(anna)
    wait_for(letters_are_out)
    file_office.accounts.self_service.reset_password(mailed(file_office), NEW)
    asked = file_office.accounts.authentication.sign_in("anna@example.com", NEW)
    assert not isinstance(asked, SignedIn)
    assert file_office.accounts.authentication.answer(asked.token, app.at(file_office.now()))


def test_no_reset_mail_reveals_which_accounts_exist(file_office: Office) -> None:
    file_office.add()
    bo = file_office.add("bo@example.com", "staff")
    cy = file_office.add("cy@example.com", "staff")
    file_office.accounts.administration.edit(bo, active=False)
    file_office.by_hand(cy, role="admin")
    for email in ("nobody@example.com", "bo@example.com", "cy@example.com", "", "no address"):
        file_office.accounts.self_service.ask_reset(email, link=lambda token: token)
    wait_for(letters_are_out)
    assert file_office.mailbox.letters == []


def test_reset_links_are_limited(file_office: Office) -> None:
    file_office.add()
    for email in ("anna@example.com", "nobody@example.com"):
        for _ in range(5):
            file_office.accounts.self_service.ask_reset(email, link=lambda token: token)
        with pytest.raises(TooManyAttemptsError):
            file_office.accounts.self_service.ask_reset(email, link=lambda token: token)
    wait_for(letters_are_out)
    assert len(file_office.mailbox.letters) == 3


def test_without_a_mailer_a_link_is_refused(file_office: Office) -> None:
    file_office.add()
    without = file_office.another(mailer=None)
    assert not without.self_service.can_mail
    with pytest.raises(OutwardError) as caught:
        without.self_service.ask_reset("anna@example.com", link=lambda token: token)
    assert caught.value.reason == "not_set_up"


def test_a_failed_reset_mail_is_not_revealed(file_office: Office, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def send(self, to: str, subject: str, text: str) -> None:
            raise OutwardError("The mail server cannot be reached.")

    file_office.add()
    broken = file_office.another(mailer=Broken())
    broken.self_service.ask_reset("anna@example.com", link=lambda token: token)
    wait_for(letters_are_out)
    assert "not sent: outward" in caplog.text
    assert "anna" not in caplog.text


def test_a_password_set_by_somebody_who_has_changed_the_account_is_refused(file_office: Office) -> None:
    anna = file_office.add()
    file_office.by_hand(anna, role="staff")
    for refused in (
        lambda: file_office.accounts.administration.set_one_time_password(anna.id),
        lambda: file_office.accounts.self_service.change_password(anna.id, PASSWORD, NEW),
        lambda: file_office.accounts.administration.reset_second_factor(anna.id),
    ):
        with pytest.raises(RefusedError, match="changed outside"):
            refused()
