"""The second factor: codes from an app or by SMS, recovery codes, and limits on guessing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp import TOTP

from crm.accounts import SignedIn
from crm.errors import FieldError, OutwardError, RefusedError, SignInRefusedError, TooManyAttemptsError
from crm.model import Setting, User
from tests.accounts.conftest import PASSWORD, Office


def refused(office: Office, token: str, code: str) -> None:
    with pytest.raises(SignInRefusedError):
        office.accounts.authentication.answer(token, code)


def with_sms(office: Office, **given: Any) -> User:
    """An account with codes by SMS."""
    anna = office.add(phone="+436641234567", **given)
    token = office.accounts.self_service.begin_sms(anna.id)
    office.accounts.self_service.confirm_sms(anna.id, token, office.telephone.code)
    return anna


# Codes of an app


def test_a_code_of_the_app_is_required_after_setup(office: Office) -> None:
    anna = office.add()
    offer = office.accounts.self_service.begin_totp(anna.id)
    shown = urlsplit(offer.uri)
    assert (shown.scheme, shown.netloc) == ("otpauth", "totp")
    assert parse_qs(shown.query)["secret"] == [offer.secret]
    assert office.user(anna).second_factor == ""
    app = TOTP(offer.secret)
    codes = office.accounts.self_service.confirm_totp(anna.id, offer.secret, app.at(office.now()))
    assert len(set(codes)) == 10
    assert all(len(code) == 29 for code in codes)
    assert office.accounts.administration.second_factors() == {anna.id: "totp"}
    kept = office.user(anna).second_factor
    assert offer.secret not in kept
    assert "totp" not in kept
    office.pass_time(minutes=1)
    asked = office.asked()
    assert (asked.method, asked.hint) == ("totp", "")
    assert asked.token not in repr(asked)
    code = app.at(office.now())
    signed_in = office.accounts.authentication.answer(
        asked.token, f"{code[:3]} {code[3:]}", address="10.1.2.3", device="Firefox"
    )
    assert office.accounts.sessions.find(signed_in.token) is not None
    assert office.accounts.sessions.of_user(anna.id)[0].method == "password and app"


def test_a_wrong_code_does_not_switch_the_second_factor_on(file_office: Office) -> None:
    anna = file_office.add()
    offer = file_office.accounts.self_service.begin_totp(anna.id)
    with pytest.raises(SignInRefusedError):
        file_office.accounts.self_service.confirm_totp(anna.id, offer.secret, "000000")
    assert isinstance(file_office.sign_in(), SignedIn)


def test_a_code_is_accepted_once(office: Office) -> None:
    app, _ = office.with_app(office.add())
    code = app.at(office.now())
    assert office.accounts.authentication.answer(office.asked().token, code)
    refused(office, office.asked().token, code)
    # Nor one of before.
    refused(office, office.asked().token, app.at(office.now() - timedelta(seconds=30)))
    assert office.accounts.authentication.answer(office.asked().token, app.at(office.now() + timedelta(seconds=30)))


def test_a_code_used_several_times_at_once_is_accepted_once(office: Office) -> None:
    app, codes = office.with_app(office.add())
    for code in (app.at(office.now()), codes[0]):
        tokens = [office.asked().token for _ in range(4)]

        def answers(token: str, code: str = code) -> bool:
            try:
                return bool(office.accounts.authentication.answer(token, code))
            except (SignInRefusedError, TooManyAttemptsError):
                return False

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(answers, tokens)) == 1
        office.pass_time(hours=1)


def test_the_code_that_switched_on_a_second_factor_does_not_sign_in(file_office: Office) -> None:
    anna = file_office.add()
    offer = file_office.accounts.self_service.begin_totp(anna.id)
    code = TOTP(offer.secret).at(file_office.now())
    file_office.accounts.self_service.confirm_totp(anna.id, offer.secret, code)
    refused(file_office, file_office.asked().token, code)


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_half_a_minute(file_office: Office, steps: int, *, fits: bool) -> None:
    app, _ = file_office.with_app(file_office.add())
    code = app.at(file_office.now() + timedelta(seconds=30 * steps))
    if fits:
        assert file_office.accounts.authentication.answer(file_office.asked().token, code)
    else:
        refused(file_office, file_office.asked().token, code)


@pytest.mark.parametrize("code", ["", "abc", "12345", "١٢٣٤٥٦", "0" * 10_000, "\ud800", "x" * 16])
def test_an_invalid_code_is_refused(file_office: Office, code: str) -> None:
    file_office.with_app(file_office.add())
    refused(file_office, file_office.asked().token, code)


# Recovery codes


def test_a_recovery_code_works_once(office: Office) -> None:
    anna = office.add()
    app, codes = office.with_app(anna)
    # Five bits in each letter: of 112 and more a fast hash is enough.
    assert all(5 * len(code.replace("-", "")) >= 112 for code in codes)
    assert len(set(codes)) == 10
    assert office.accounts.authentication.answer(office.asked().token, codes[3])
    assert office.accounts.sessions.of_user(anna.id)[0].method == "password and recovery code"
    refused(office, office.asked().token, codes[3])
    assert office.accounts.authentication.answer(office.asked().token, codes[4].upper().replace("-", " "))
    assert office.accounts.authentication.answer(office.asked().token, app.at(office.now()))


# Tokens


def test_a_sign_in_token_expires_after_five_minutes(file_office: Office) -> None:
    app, _ = file_office.with_app(file_office.add())
    token = file_office.asked().token
    file_office.pass_time(minutes=6)
    refused(file_office, token, app.at(file_office.now()))


def test_a_sign_in_token_ends_when_the_password_changes(file_office: Office) -> None:
    anna = file_office.add()
    app, _ = file_office.with_app(anna)
    token = file_office.asked().token
    file_office.accounts.self_service.change_password(anna.id, PASSWORD, "another lemon drives south")
    refused(file_office, token, app.at(file_office.now()))


@pytest.mark.parametrize("token", ["", "x", "gAAAAA", "é", "A" * 10_000])
def test_an_invalid_sign_in_token_is_refused(file_office: Office, token: str) -> None:
    file_office.add()
    refused(file_office, token, "123456")


def test_a_token_outlives_the_program_that_gave_it(file_office: Office) -> None:
    app, _ = file_office.with_app(file_office.add())
    token = file_office.asked().token
    assert file_office.another().authentication.answer(token, app.at(file_office.now()))


def test_a_token_of_another_purpose_is_refused(file_office: Office) -> None:
    anna = with_sms(file_office)
    token = file_office.accounts.self_service.begin_sms(anna.id)
    refused(file_office, token, file_office.telephone.code)


# Guessing


def test_wrong_codes_count_as_attempts_and_a_correct_password_resets_none(office: Office) -> None:
    app, _ = office.with_app(office.add())
    for _ in range(5):
        refused(office, office.asked().token, "000000")
    with pytest.raises(TooManyAttemptsError):
        office.accounts.authentication.sign_in("anna@example.com", PASSWORD)
    office.pass_time(minutes=1)
    asked = office.asked()
    assert office.accounts.authentication.answer(asked.token, app.at(office.now()))
    office.accounts.authentication.note_refusals()
    assert office.history()[0] == ("Anna", "wrong code")


def test_a_sign_in_token_allows_five_codes(file_office: Office) -> None:
    app, _ = file_office.with_app(file_office.add())
    token = file_office.asked().token
    for _ in range(5):
        refused(file_office, token, "000000")
    file_office.attempts.forget("nobody")
    file_office.pass_time(minutes=2)
    refused(file_office, token, app.at(file_office.now()))


# Codes by SMS


def test_a_code_by_sms_signs_in(office: Office) -> None:
    anna = with_sms(office)
    asked = office.asked()
    assert (asked.method, asked.hint) == ("sms", "…67")
    assert office.telephone.texts[-1][0] == "+436641234567"
    code = office.telephone.code
    assert office.accounts.authentication.answer(asked.token, code)
    assert office.accounts.sessions.of_user(anna.id)[0].method == "password and SMS"
    refused(office, asked.token, code)


def test_a_code_by_sms_belongs_to_its_token_and_to_five_minutes(file_office: Office) -> None:
    with_sms(file_office)
    first = file_office.asked()
    code = file_office.telephone.code
    second = file_office.asked()
    refused(file_office, second.token, code if code != file_office.telephone.code else "nothing")
    file_office.pass_time(minutes=6)
    refused(file_office, first.token, code)


def test_a_code_is_sent_again_a_few_times(file_office: Office) -> None:
    with_sms(file_office)
    asked = file_office.asked()
    code = file_office.telephone.code
    file_office.accounts.authentication.send_again(asked.token)
    file_office.accounts.authentication.send_again(asked.token)
    with pytest.raises(TooManyAttemptsError):
        file_office.accounts.authentication.send_again(asked.token)
    assert file_office.telephone.code == code
    assert file_office.accounts.authentication.answer(asked.token, code)


def test_text_messages_with_codes_are_limited(file_office: Office) -> None:
    with_sms(file_office)
    for _ in range(9):
        file_office.asked()
    with pytest.raises(TooManyAttemptsError):
        file_office.asked()
    assert len(file_office.telephone.texts) == 10


def test_codes_go_to_the_verified_number_whatever_is_edited_by_hand(office: Office) -> None:
    anna = with_sms(office)
    office.by_hand(anna, phone="+436649999999")
    office.asked()
    assert office.telephone.texts[-1][0] == "+436641234567"


def test_a_wrong_code_does_not_verify_a_phone_number(file_office: Office) -> None:
    anna = file_office.add(phone="+436641234567")
    token = file_office.accounts.self_service.begin_sms(anna.id)
    wrong = f"{(int(file_office.telephone.code) + 1) % 10**6:06}"
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            file_office.accounts.self_service.confirm_sms(anna.id, token, wrong)
    with pytest.raises(TooManyAttemptsError):
        file_office.accounts.self_service.confirm_sms(anna.id, token, file_office.telephone.code)
    bo = file_office.add("bo@example.com")
    with pytest.raises(SignInRefusedError):
        file_office.accounts.self_service.confirm_sms(bo.id, token, file_office.telephone.code)


def test_codes_by_sms_need_a_number_and_a_service(file_office: Office) -> None:
    anna = file_office.add()
    with pytest.raises(FieldError):
        file_office.accounts.self_service.begin_sms(anna.id)
    without = file_office.another(texter=None)
    assert not without.self_service.can_text
    bo = file_office.add("bo@example.com", phone="+436641234567")
    with pytest.raises(OutwardError) as caught:
        without.self_service.begin_sms(bo.id)
    assert caught.value.reason == "not_set_up"


# On and off


def test_the_second_factor_is_switched_off_with_the_password(office: Office) -> None:
    anna = office.add()
    office.with_app(anna)
    with pytest.raises(SignInRefusedError):
        office.accounts.self_service.switch_off_second_factor(anna.id, "wrong")
    office.accounts.self_service.switch_off_second_factor(anna.id, PASSWORD)
    assert isinstance(office.sign_in(), SignedIn)
    assert office.accounts.administration.second_factors() == {}


def test_the_second_factor_is_replaced_only_with_the_password(file_office: Office) -> None:
    anna = file_office.add()
    app, codes = file_office.with_app(anna)
    offer = file_office.accounts.self_service.begin_totp(anna.id)
    code = TOTP(offer.secret).at(file_office.now())
    with pytest.raises(SignInRefusedError):
        file_office.accounts.self_service.confirm_totp(anna.id, offer.secret, code)
    assert file_office.accounts.self_service.confirm_totp(anna.id, offer.secret, code, password=PASSWORD)
    refused(file_office, file_office.asked().token, app.at(file_office.now()))
    refused(file_office, file_office.asked().token, codes[0])


def test_a_required_second_factor_is_set_up_before_anything_else(office: Office) -> None:
    anna = office.add()
    assert not office.sign_in().needs_second_factor
    office.store.change(lambda tx: tx.add(Setting(key="require_second_factor", value="yes")))
    signed_in = office.sign_in()
    assert signed_in.needs_second_factor
    office.with_app(anna)
    found = office.accounts.sessions.find(signed_in.token)
    assert found is not None
    assert not found.needs_second_factor
    with pytest.raises(RefusedError):
        office.accounts.self_service.switch_off_second_factor(anna.id, PASSWORD)


def test_an_admin_resets_a_second_factor(office: Office) -> None:
    anna = office.add()
    bo = office.add("bo@example.com", "staff")
    token = office.sign_in("bo@example.com").token
    office.with_app(bo)
    office.acting(anna).administration.reset_second_factor(bo.id)
    assert office.history()[0] == ("Anna", "removed the second factor of Bo")
    assert office.accounts.sessions.find(token) is None
    assert isinstance(office.sign_in("bo@example.com"), SignedIn)
