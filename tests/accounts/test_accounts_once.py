"""Single-use tokens and codes: each works once, also for two people at the same moment, and only while the account is
unchanged."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm.accounts.accounts import Accounts
from crm.accounts.throttling import AttemptLimiter
from crm.errors import SignInRefusedError
from crm.model import User
from tests.accounts.conftest import PASSWORD, Office

NEW = "some other lemon drives south"


def machines(office: Office, count: int = 2) -> list[Accounts]:
    """The accounts as programs on as many machines have them: only the store tells one of the other."""
    found = []
    for number in range(count):
        office.attempts = AttemptLimiter(office.store.folder / f"machine {number}", lambda: office.now().timestamp())
        found.append(office.another())
    return found


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Results of actions that start at the same moment: a value, or the error that was raised."""
    ready, results = threading.Barrier(len(actions)), {}

    def act(number: int, action: Callable[[], Any]) -> None:
        ready.wait()
        try:
            results[number] = action()
        except SignInRefusedError as refused:
            results[number] = refused

    threads = [threading.Thread(target=act, args=action) for action in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(actions))]


def refusals(results: list[Any]) -> int:
    return sum(isinstance(result, SignInRefusedError) for result in results)


# Tokens


def test_one_token_opens_one_session(office: Office) -> None:
    user = office.add()
    _, codes = office.with_app(user)
    token = office.asked().token
    office.accounts.authentication.answer(token, codes[0])
    for code in codes[1:3]:
        with pytest.raises(SignInRefusedError, match="Sign in again"):
            office.accounts.authentication.answer(token, code)
    # The codes are not lost by it.
    assert office.accounts.authentication.answer(office.asked().token, codes[1]).user == user.id


def test_a_token_by_sms_opens_one_session_on_whichever_machine(office: Office) -> None:
    user = office.add(phone="+436601234567")
    office.accounts.self_service.confirm_sms(
        user.id, office.accounts.self_service.begin_sms(user.id), office.telephone.code
    )
    token = office.asked().token
    here, other = machines(office)
    here.authentication.answer(token, office.telephone.code)
    with pytest.raises(SignInRefusedError):
        other.authentication.answer(token, office.telephone.code)


@pytest.mark.parametrize("ways", [(0, 0), (0, 1)])
def test_a_sign_in_token_used_twice_at_once_works_once(office: Office, ways: tuple[int, int]) -> None:
    user = office.add()
    _, codes = office.with_app(user)
    token = office.asked().token
    both = machines(office)
    results = at_once(
        *(lambda at=at, code=code: both[at].authentication.answer(token, codes[code]) for code, at in enumerate(ways))
    )
    assert refusals(results) == 1
    assert len(office.accounts.sessions.of_user(user.id)) == 1


def test_a_sign_in_token_ends_when_the_account_changes(office: Office) -> None:
    user = office.add()
    office.add("ben@example.com")
    _, codes = office.with_app(user)
    token = office.asked().token
    for active in (False, True):
        office.accounts.administration.edit(office.user(user), active=active)
    with pytest.raises(SignInRefusedError):
        office.accounts.authentication.answer(token, codes[0])


def test_a_wrong_code_does_not_use_a_token_up(office: Office) -> None:
    user = office.add()
    app, _ = office.with_app(user)
    token = office.asked().token
    with pytest.raises(SignInRefusedError):
        office.accounts.authentication.answer(token, "000000")
    office.accounts.authentication.note_refusals()
    assert office.accounts.authentication.answer(token, app.at(office.now())).user == user.id


def test_a_token_for_a_telephone_ends_with_its_number(office: Office) -> None:
    user = office.add(phone="+436601234567")
    token = office.accounts.self_service.begin_sms(user.id)
    office.accounts.administration.edit_profile(user.id, phone="+436607654321")
    with pytest.raises(SignInRefusedError):
        office.accounts.self_service.confirm_sms(user.id, token, office.telephone.code)


# One-time passwords


def one_time(office: Office, email: str = "ben@example.com") -> str:
    office.add()
    return office.accounts.administration.add(email=email, name="Ben", role="staff")[1]


def test_a_one_time_password_is_good_until_another_is_chosen(office: Office) -> None:
    password = one_time(office)
    # Whoever leaves before choosing one comes back with the same.
    assert office.sign_in("ben@example.com", password).must_change
    who = office.sign_in("ben@example.com", password)
    assert who.must_change
    office.accounts.self_service.change_password(who.user, password, NEW, but=who.session)
    assert not office.sign_in("ben@example.com", NEW).must_change
    with pytest.raises(SignInRefusedError, match="is wrong"):
        office.sign_in("ben@example.com", password)


def test_a_one_time_password_that_an_older_version_has_marked_as_used_is_good_as_well(file_office: Office) -> None:
    password = one_time(file_office)
    with file_office.store.repository.read() as snapshot:
        ben = snapshot.get(User, 2)
    file_office.store.change(lambda tx: tx.change(tx.get(User, 2), password=f"{ben.password} used"), "signed in before")
    assert file_office.sign_in("ben@example.com", password).must_change
    file_office.pass_time(days=8)
    with pytest.raises(SignInRefusedError):
        file_office.sign_in("ben@example.com", password)


def test_a_new_one_time_password_takes_the_place_of_the_old_one(office: Office) -> None:
    password = one_time(office)
    user = office.sign_in("ben@example.com", password).user
    again = office.accounts.administration.set_one_time_password(user)
    assert office.sign_in("ben@example.com", again).must_change
    with pytest.raises(SignInRefusedError):
        office.sign_in("ben@example.com", password)


def test_a_one_time_password_leaves_the_second_factor_on(office: Office) -> None:
    user = office.add()
    app, codes = office.with_app(user)
    password = office.accounts.administration.set_one_time_password(user.id)
    tokens = [office.accounts.authentication.sign_in("anna@example.com", password).token for _ in range(2)]  # type: ignore[union-attr]
    assert office.accounts.authentication.answer(tokens[0], app.at(office.now())).must_change
    # A token still opens one session.
    with pytest.raises(SignInRefusedError):
        office.accounts.authentication.answer(tokens[1], codes[0])


# Links


def link(office: Office, email: str = "anna@example.com") -> str:
    """The token of a link that is mailed."""
    office.accounts.self_service.ask_reset(email, link=lambda token: f"<{token}>")
    office.accounts._notifications.finish()
    return office.mailbox.letters[-1][2].partition("<")[2].partition(">")[0]


def test_a_link_works_for_the_address_that_it_was_sent_to(office: Office) -> None:
    user = office.add()
    token = link(office)
    office.accounts.administration.edit(office.user(user), email="anna@example.org")
    with pytest.raises(SignInRefusedError, match="changed since"):
        office.accounts.self_service.reset_password(token, NEW)
    # Not even once the address is that one again.
    office.accounts.administration.edit(office.user(user), email="anna@example.com")
    with pytest.raises(SignInRefusedError):
        office.accounts.self_service.reset_password(token, NEW)
    assert office.sign_in().user == user.id


def test_a_reset_link_ends_when_the_account_is_deactivated(office: Office) -> None:
    office.add("ben@example.com")
    user = office.add()
    token = link(office)
    for active in (False, True):
        office.accounts.administration.edit(office.user(user), active=active)
    with pytest.raises(SignInRefusedError):
        office.accounts.self_service.reset_password(token, NEW)
    office.accounts.self_service.reset_password(link(office), NEW)
    assert office.sign_in(password=NEW).user == user.id


def test_a_sign_in_elsewhere_does_not_end_a_link(office: Office) -> None:
    # Whoever has found the password out could keep its owner from setting another.
    office.add()
    token = link(office)
    office.sign_in()
    office.accounts.self_service.reset_password(token, NEW)
    with pytest.raises(SignInRefusedError):
        office.sign_in(password=PASSWORD)


@pytest.mark.parametrize("ways", [(0, 0), (0, 1)])
def test_a_link_at_the_same_moment(office: Office, ways: tuple[int, int]) -> None:
    office.add()
    token = link(office)
    both = machines(office)
    words = [NEW, f"{NEW} now"]
    tries = zip(ways, words, strict=True)
    results = at_once(*(lambda at=at, new=new: both[at].self_service.reset_password(token, new) for at, new in tries))
    assert refusals(results) == 1
    opened = at_once(*(lambda new=new: office.sign_in(password=new) for new in words))
    assert refusals(opened) == 1


# Clocks


@pytest.mark.parametrize(("back", "holds"), [(1, True), (299, True), (360, False)])
def test_tokens_and_links_stay_valid_when_the_clock_is_set_back_a_little(
    office: Office, back: int, holds: bool
) -> None:
    _, codes = office.with_app(office.add())
    office.add("ben@example.com")
    session, sign_in_token, token = (
        office.sign_in("ben@example.com"),
        office.asked().token,
        link(office, "ben@example.com"),
    )
    office.passed -= timedelta(seconds=back)
    assert (office.accounts.sessions.find(session.token) is not None) is holds
    used = at_once(lambda: office.accounts.authentication.answer(sign_in_token, codes[1]))
    used += at_once(lambda: office.accounts.self_service.reset_password(token, NEW))
    assert refusals(used) == (0 if holds else 2)
