"""The secret key of an installation and the count of failed attempts, each in a file that may hold anything."""

import secrets
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm.accounts import throttling as counting
from crm.accounts.accounts import Accounts
from crm.accounts.keys import Secret, guessable, new
from crm.accounts.throttling import AttemptLimiter
from crm.errors import FileError, TooManyAttemptsError, UsageError
from crm.model import User
from tests.accounts.conftest import PASSWORD, Office
from tests.support.unprivileged import as_nobody

LONG = "x" * 32

# The secret


def test_a_private_secret_is_created_when_first_needed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = Secret("", folder)
    assert not folder.exists()
    key = made.key("seals")
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert Secret("", folder).key("seals") == key
    assert Secret("", tmp_path / "other").key("seals") != key


def test_programs_that_make_a_secret_at_the_same_moment_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Secret("", tmp_path).key("seals"), range(16)))
    assert len(keys) == 1


def test_each_purpose_has_a_key_of_its_own(tmp_path: Path) -> None:
    secret = Secret(LONG, tmp_path)
    assert secret.key("a") != secret.key("b")
    assert secret.mac("a", "12", "3") != secret.mac("a", "1", "23")
    assert list(tmp_path.iterdir()) == []


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 32"):
        Secret("short", tmp_path)
    (tmp_path / "secret").write_text("short")
    with pytest.raises(FileError):
        Secret("", tmp_path).key("seals")
    (tmp_path / "secret").write_bytes(b"\xff" * 64)
    with pytest.raises(FileError):
        Secret("", tmp_path).key("seals")


def test_a_secret_that_cannot_be_created_is_reported(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    answer = as_nobody(lambda: Secret("", open_folder).key("seals"))
    assert answer.startswith("FileError: ")
    assert "Set CRM_SECRET instead." in answer


# Counting


class Clock:
    def __init__(self) -> None:
        self.at = 1_764_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(tmp_path: Path, clock: Clock) -> Iterator[AttemptLimiter]:
    made = AttemptLimiter(tmp_path, clock)
    yield made
    made.close()


def fail(attempts: AttemptLimiter, times: int, account: str = "anna", address: str = "") -> None:
    for _ in range(times):
        attempts.begin(account, address)


def test_programs_of_one_machine_share_the_count_of_attempts(
    attempts: AttemptLimiter, tmp_path: Path, clock: Clock
) -> None:
    other = AttemptLimiter(tmp_path, clock)
    fail(attempts, 3)
    fail(other, 2)
    for limiter in (attempts, other):
        with pytest.raises(TooManyAttemptsError):
            limiter.begin("anna")
    other.close()


def test_many_attempts_at_once_get_no_more_tries(attempts: AttemptLimiter) -> None:
    def tries(_: int) -> bool:
        try:
            attempts.begin("anna")
        except TooManyAttemptsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tries, range(40))) == counting.FREE


def test_failures_are_forgotten_after_a_day(attempts: AttemptLimiter, clock: Clock) -> None:
    fail(attempts, 5)
    clock.at += 61
    fail(attempts, 1)
    clock.at += counting.FORGOTTEN_AFTER + 1
    fail(attempts, 5)
    with pytest.raises(TooManyAttemptsError) as caught:
        attempts.begin("anna")
    assert caught.value.retry_after == 60


def test_a_clock_that_is_set_back_does_not_extend_a_wait(attempts: AttemptLimiter, clock: Clock) -> None:
    fail(attempts, 5)
    assert attempts.spend("a token", 1, 300)
    clock.at -= 10 * 86_400
    with pytest.raises(TooManyAttemptsError) as caught:
        attempts.begin("anna")
    assert caught.value.retry_after == 60
    assert attempts.spend("a token", 1, 300)


def test_a_success_resets_the_wait(attempts: AttemptLimiter, clock: Clock) -> None:
    fail(attempts, 5)
    clock.at += 61
    attempts.begin("anna").take_back()
    attempts.begin("anna").succeed()
    fail(attempts, 5)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_file_of_attempts_is_recreated(tmp_path: Path, clock: Clock, content: bytes) -> None:
    (tmp_path / "attempts.sqlite3").write_bytes(content)
    attempts = AttemptLimiter(tmp_path, clock)
    fail(attempts, 5)
    attempts.close()
    again = AttemptLimiter(tmp_path, clock)
    with pytest.raises(TooManyAttemptsError):
        again.begin("anna")
    again.close()


def test_in_a_read_only_folder_each_program_counts_for_itself(open_folder: Path) -> None:
    open_folder.chmod(0o555)

    def slowed() -> int:
        attempts = AttemptLimiter(open_folder)
        fail(attempts, 5)
        try:
            attempts.begin("anna")
        except TooManyAttemptsError as error:
            return error.retry_after
        return 0

    assert as_nobody(slowed) == "done: 60"
    assert list(open_folder.iterdir()) == []


def test_the_file_of_attempts_stays_small_and_keeps_the_worst(
    attempts: AttemptLimiter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(counting, "REMEMBERED", 50)
    fail(attempts, 5)
    for number in range(200):
        fail(attempts, 1, f"nobody {number}")
        attempts.spend(f"token {number}", 1, 300)
    with pytest.raises(TooManyAttemptsError):
        attempts.begin("anna")
    assert (tmp_path / "attempts.sqlite3").stat().st_size < 100_000


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "Wait a second,"), (59, "59 seconds"), (60, "Wait a minute,"), (61, "2 minutes")]
)
def test_a_wait_is_shown_in_words(seconds: int, words: str) -> None:
    assert words in str(TooManyAttemptsError(seconds))


@pytest.mark.parametrize(
    "weak", ["a" * 32, "0123456789" * 4, "lemon tree " * 4, "abcdefghijklmnopqrstuvwxyz0123456789"]
)
def test_a_long_secret_that_is_easily_guessed_makes_no_accounts(file_office: Office, weak: str) -> None:
    store = file_office.store
    other = Accounts.of(store.another(), Secret(weak, store.folder), AttemptLimiter(store.folder))
    with pytest.raises(UsageError, match=r"easily guessed.* Nothing was changed"):
        other.administration.add(email="anna@example.com", name="Anna", role="admin", password=PASSWORD)
    assert list(store.everything()[User]) == []
    other.close()


def test_accounts_that_were_made_with_such_a_secret_go_on_and_check_says_so(
    file_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_office.add()
    monkeypatch.setattr("crm.accounts.keys.guessable", lambda _: "it repeats itself")
    assert file_office.sign_in()
    file_office.add("bo@example.com", "staff")
    (found,) = file_office.accounts.store.seal_findings()
    assert (found.wrong, "CRM_SECRET is easily guessed" in found.what) == (False, True)
    # What is signed again is sealed with a good one.
    with pytest.raises(UsageError, match="easily guessed"):
        file_office.accounts.recovery.recover("cy@example.com", "Cy")


def test_a_random_secret_is_never_called_weak() -> None:
    for make in (new, lambda: secrets.token_hex(16), lambda: secrets.token_hex(32)):
        assert not any(guessable(make()) for _ in range(200))
