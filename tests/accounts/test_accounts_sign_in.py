"""Sign-in by password, the session that follows, and limits on guessing."""

from datetime import timedelta
from time import perf_counter

import pytest

from crm.accounts import SignedIn
from crm.errors import SignInRefusedError, StoreAccessError, StoreBusyError, TooManyAttemptsError
from crm.model import SignIn, User
from tests.accounts.conftest import PASSWORD, Office
from tests.support.quick_hashes import AS_THE_PROGRAM

# Signing in


def test_a_sign_in_opens_a_session_that_its_token_finds(office: Office) -> None:
    assert not office.accounts.store.exist()
    anna = office.add()
    assert office.accounts.store.exist()
    signed_in = office.accounts.authentication.sign_in(
        " Anna@Example.com ", PASSWORD, address="10.1.2.3", device="Firefox"
    )
    assert isinstance(signed_in, SignedIn)
    assert (signed_in.user, signed_in.name, signed_in.role, signed_in.must_change) == (anna.id, "Anna", "admin", False)
    (kept,) = office.accounts.sessions.of_user(anna.id)
    assert (kept.state, kept.method, kept.address, kept.device) == ("open", "password", "10.1.2.3", "Firefox")
    assert signed_in.token not in repr(signed_in)
    assert signed_in.token not in str(list(office.store.repository.everything()))
    found = office.accounts.sessions.find(signed_in.token)
    assert found == office.accounts.sessions.still_holds(signed_in.session)
    assert found is not None
    assert (found.user, found.session, found.token) == (anna.id, signed_in.session, "")
    assert office.history()[0] == ("Anna", "signed in")


def test_another_program_with_the_same_secret_knows_the_session(office: Office) -> None:
    office.add()
    token = office.sign_in().token
    assert office.another().sessions.find(token) is not None


def test_every_sign_in_has_a_token_of_its_own(office: Office) -> None:
    office.add()
    assert office.sign_in().token != office.sign_in().token


@pytest.mark.parametrize("token", ["", "x", "1.2.3", "1..", "٣.٤.x", "9" * 200, "1.1764000000.\ud800"])
def test_an_invalid_token_opens_no_session(file_office: Office, token: str) -> None:
    file_office.add()
    assert file_office.accounts.sessions.find(token) is None


def test_a_token_with_too_large_numbers_opens_no_session(file_office: Office) -> None:
    file_office.add()
    now = int(file_office.now().timestamp())
    for token in (f"{10**19}.{now}.x", f"1.{now}{'0' * 80}.x", f"1.{10**18}.x"):
        assert file_office.accounts.sessions.find(token) is None


def test_a_password_matches_in_every_unicode_form(file_office: Office) -> None:
    file_office.accounts.administration.add(
        email="anna@example.com", name="Anna", role="admin", password="ein kühles Örtchen am Fluß"
    )
    decomposed = "ein ku\u0308hles O\u0308rtchen am Fluß"
    assert isinstance(file_office.accounts.authentication.sign_in("anna@example.com", decomposed), SignedIn)


def test_a_long_user_agent_is_shortened(file_office: Office) -> None:
    anna = file_office.add()
    file_office.sign_in(address="a" * 100, device="Evil\x1b[2J\nbrowser " + "b" * 200)
    (kept,) = file_office.accounts.sessions.of_user(anna.id)
    assert kept.device.startswith("Evil [2J browser bbb")
    assert (len(kept.address), len(kept.device)) == (60, 100)


# Who is refused


def refused(office: Office, email: str, password: str, **given: str) -> str:
    with pytest.raises(SignInRefusedError) as caught:
        office.accounts.authentication.sign_in(email, password, **given)
    return caught.value.sentence


def test_every_refused_sign_in_gets_the_same_message(office: Office) -> None:
    office.add()
    bo = office.add("bo@example.com", "staff")
    cy = office.add("cy@example.com", "staff")
    office.accounts.administration.edit(bo, active=False)
    office.by_hand(cy, role="admin")
    rows = {
        refused(office, "anna@example.com", "wrong"),
        refused(office, "nobody@example.com", PASSWORD),
        refused(office, "no address at all", PASSWORD),
        refused(office, "bo@example.com", PASSWORD),
        refused(office, "cy@example.com", PASSWORD),
        refused(office, "", ""),
        refused(office, "anna@example.com", "x" * 100_000),
    }
    assert len(rows) == 1


def test_a_refused_sign_in_is_logged_after_the_reply(office: Office) -> None:
    office.add()
    refused(office, "anna@example.com", "wrong", address="10.0.0.1", device="Lynx")
    refused(office, "nobody@example.com", "wrong")
    assert office.sign_ins() == []
    office.accounts.authentication.note_refusals()
    office.accounts.authentication.note_refusals()
    (noted,) = office.sign_ins()
    assert (noted.state, noted.method, noted.address, noted.device) == ("refused", "wrong password", "10.0.0.1", "Lynx")
    assert office.history()[0] == ("Anna", "wrong password")


@pytest.mark.slow
def test_an_unknown_account_takes_as_long_to_refuse(file_office: Office) -> None:
    office = file_office
    office.accounts.self_service._passwords._hasher = AS_THE_PROGRAM(None)
    office.add()
    taken: dict[str, list[float]] = {"anna@example.com": [], "nobody@example.com": []}
    refused(office, "nobody@example.com", "warm up")
    for _ in range(4):
        for email, times in taken.items():
            began = perf_counter()
            refused(office, email, "wrong")
            times.append(perf_counter() - began)
    other, missing_record = (min(times) for times in taken.values())
    assert missing_record > other * 0.6
    assert other > missing_record * 0.6


@pytest.mark.slow
def test_the_parameters_of_argon2_are_those_of_the_library(file_office: Office) -> None:
    anna = file_office.add()
    assert file_office.user(anna).password.startswith("$argon2id$v=19$m=64,")
    file_office.accounts.self_service._passwords._hasher = AS_THE_PROGRAM(None)
    file_office.sign_in()
    kept = file_office.user(anna).password
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "hashed again at the sign-in"
    file_office.sign_in()
    assert file_office.user(anna).password == kept


# How long a session lasts


def test_a_session_ends_after_twelve_hours(office: Office) -> None:
    anna = office.add()
    signed_in = office.sign_in()
    office.pass_time(hours=11)
    assert office.accounts.sessions.find(signed_in.token) is not None
    office.pass_time(hours=1.5)
    assert office.accounts.sessions.find(signed_in.token) is None
    assert office.accounts.sessions.still_holds(signed_in.session) is None
    assert office.accounts.sessions.of_user(anna.id) == []


def test_a_session_can_be_ended_alone_or_with_all_others(office: Office) -> None:
    anna = office.add()
    first, second, third = (office.sign_in() for _ in range(3))
    office.accounts.sessions.end(first.session)
    assert office.accounts.sessions.find(first.token) is None
    assert office.history()[0] == ("Anna", "signed out")
    office.accounts.sessions.end(first.session)
    assert office.acting(office.add("bo@example.com")).sessions.end_all(anna.id, but=third.session) == 1
    assert office.history()[0] == ("Bo", "ended the sessions of Anna")
    assert office.accounts.sessions.find(second.token) is None
    assert office.accounts.sessions.find(third.token) is not None


def test_old_sign_ins_are_deleted(office: Office) -> None:
    office.add()
    old = office.sign_in()
    office.store.today += timedelta(days=60)
    office.sign_in()
    office.store.today += timedelta(days=31)
    office.sign_in()
    assert old.session not in {sign_in.id for sign_in in office.sign_ins()}
    assert [sign_in.state for sign_in in office.sign_ins()] == ["ended", "open"]


# Who edits a store by hand gets in no further


def test_a_session_written_by_hand_gives_no_access(office: Office) -> None:
    anna, bo = office.add(), office.add("bo@example.com", "staff")
    mine = office.sign_in("bo@example.com")
    (kept,) = office.accounts.sessions.of_user(bo.id)
    forged = SignIn(user=anna.id, state="open", token=kept.token)
    office.store.change(lambda tx: tx.change(kept, token=""))
    office.store.change(lambda tx: tx.add(forged))
    assert office.accounts.sessions.find(mine.token) is None
    assert office.accounts.sessions.find(mine.token.replace(f"{bo.id}.", f"{anna.id}.", 1)) is None


@pytest.mark.parametrize(
    "changes", [{"role": "admin"}, {"email": "eve@example.com"}, {"password": ""}, {"active": False}, {"client": 1}]
)
def test_an_account_edited_by_hand_ends_its_sessions(file_office: Office, changes: dict[str, object]) -> None:
    file_office.add()
    bo = file_office.add("bo@example.com", "staff")
    token = file_office.sign_in("bo@example.com").token
    file_office.by_hand(bo, **changes)
    assert file_office.accounts.sessions.find(token) is None
    assert [finding.record_id for finding in file_office.accounts.store.seal_findings()] == [bo.id]


def test_a_phone_number_can_be_edited_by_hand_and_a_name_cannot(file_office: Office) -> None:
    anna = file_office.add()
    token = file_office.sign_in().token
    file_office.by_hand(anna, phone="+436641234567")
    assert file_office.accounts.sessions.find(token)
    assert list(file_office.accounts.store.seal_findings()) == []
    file_office.by_hand(anna, name="Bo")
    assert file_office.accounts.sessions.find(token) is None
    (found,) = file_office.accounts.store.seal_findings()
    assert found.record_id == anna.id


def test_the_row_of_another_account_gives_no_access(file_office: Office) -> None:
    anna, bo = file_office.add(), file_office.add("bo@example.com", "staff")
    mine = file_office.user(bo)
    file_office.by_hand(anna, password=mine.password, seal=mine.seal, second_factor="")
    with pytest.raises(StoreAccessError, match="users recover"):
        file_office.sign_in()


def test_with_another_secret_the_error_says_what_to_fix(office: Office) -> None:
    office.add()
    other = office.another(secret="another secret that is long enough too")
    with pytest.raises(StoreAccessError, match="CRM_SECRET"):
        other.authentication.sign_in("anna@example.com", PASSWORD)
    with pytest.raises(StoreAccessError, match="CRM_SECRET"):
        other.authentication.sign_in("nobody@example.com", PASSWORD)
    assert other.sessions.find(office.sign_in().token) is None


# Slowed down


def attempts_until_slowed(office: Office, email: str, **given: str) -> int:
    for count in range(40):
        try:
            office.accounts.authentication.sign_in(email, "wrong", **given)
        except SignInRefusedError:
            continue
        except TooManyAttemptsError:
            return count
    return 40


@pytest.mark.parametrize("email", ["anna@example.com", "nobody@example.com", "NOBODY at all"])
def test_guessing_waits_longer_and_longer_with_or_without_an_account(file_office: Office, email: str) -> None:
    file_office.add()
    assert attempts_until_slowed(file_office, email) == 5
    waits = []
    for _ in range(8):
        with pytest.raises(TooManyAttemptsError) as caught:
            file_office.accounts.authentication.sign_in(email.upper(), PASSWORD)
        waits.append(caught.value.retry_after)
        file_office.pass_time(seconds=caught.value.retry_after)
        refused(file_office, email, "wrong")
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_successful_sign_in_resets_the_count_of_attempts(file_office: Office) -> None:
    file_office.add()
    for _ in range(3):
        for _ in range(4):
            refused(file_office, "anna@example.com", "wrong")
        file_office.sign_in()
    assert file_office.sign_in().role == "admin"


def test_an_address_is_slowed_down_whichever_accounts_it_tries(file_office: Office) -> None:
    file_office.add()
    for number in range(20):
        refused(file_office, f"nobody{number}@example.com", "wrong", address="10.6.6.6")
    with pytest.raises(TooManyAttemptsError):
        file_office.sign_in(address="10.6.6.6")
    assert file_office.sign_in(address="10.7.7.7")
    file_office.pass_time(minutes=11)
    assert file_office.sign_in(address="10.6.6.6")


def test_all_addresses_of_an_ipv6_network_are_slowed_down(file_office: Office) -> None:
    file_office.add()
    for number in range(20):
        refused(file_office, f"nobody{number}@example.com", "wrong", address=f"2001:db8:0:6::{number:x}")
    with pytest.raises(TooManyAttemptsError):
        file_office.sign_in(address="2001:db8:0:6:ffff::1")
    assert file_office.sign_in(address="2001:db8:0:7::1")


def test_a_stranger_does_not_shut_the_owner_out(office: Office) -> None:
    office.add()
    office.sign_in(address="10.1.1.1", device="Firefox on Linux")
    assert attempts_until_slowed(office, "anna@example.com", address="10.6.6.6", device="curl") == 5
    assert office.sign_in(address="10.1.1.1", device="Firefox on Linux")
    with pytest.raises(TooManyAttemptsError):
        office.sign_in(address="10.1.1.1", device="Firefox on another device")
    assert office.sign_in(), "at the machine itself"


def test_a_known_device_is_slowed_down_too(file_office: Office) -> None:
    file_office.add()
    known = {"address": "10.1.1.1", "device": "Firefox on Linux"}
    file_office.sign_in(**known)
    assert attempts_until_slowed(file_office, "anna@example.com", **known) == 5


def test_the_history_has_no_secrets_of_accounts(office: Office) -> None:
    anna = office.add()
    app, codes = office.with_app(anna)
    asked = office.asked()
    signed_in = office.accounts.authentication.answer(asked.token, app.at(office.now()))
    office.accounts.self_service.change_password(anna.id, PASSWORD, "another lemon drives south")
    office.accounts.sessions.end_all(anna.id)
    now = office.user(anna)
    secrets = [app.secret, PASSWORD, *codes, signed_in.token, now.password, now.second_factor, now.seal]
    with office.store.repository.read() as snapshot:
        for kind in (User, SignIn):
            for record in snapshot.find_all(kind):
                text = str(snapshot.changes(record=record))
                assert not any(secret in text for secret in secrets)
                assert "argon2" not in text
        office.store.change(lambda tx: [tx.delete(sign_in) for sign_in in tx.find_all(SignIn)], "forgot")
    history = [fields for name, fields in office.store.repository.everything() if name in ("audit", "transaction")]
    assert not any(secret in str(history) for secret in secrets)
    assert "argon2" not in str(history)


def test_the_address_of_a_sign_in_is_deleted_with_it(office: Office) -> None:
    office.add()
    office.sign_in(address="10.1.2.3", device="Firefox")
    office.store.today += timedelta(days=91)
    office.sign_in()
    kept = str(list(office.store.repository.everything()))
    assert "10.1.2.3" not in kept
    assert "Firefox" not in kept


def test_a_refused_sign_in_that_could_not_be_logged_is_logged_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.add()
    refused(office, "anna@example.com", "wrong")

    def busy(*_: object) -> None:
        raise StoreBusyError("Another program is saving.")

    with monkeypatch.context() as patch:
        patch.setattr(office.store.repository, "transact", busy)
        with pytest.raises(StoreBusyError):
            office.accounts.authentication.note_refusals()
    office.accounts.authentication.note_refusals()
    assert [sign_in.state for sign_in in office.sign_ins()] == ["refused"]
