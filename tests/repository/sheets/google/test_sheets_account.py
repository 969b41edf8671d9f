"""Credentials and addresses of spreadsheets: accepted forms, and clear errors for everything else."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from crm.config import from_environment
from crm.errors import StoreAccessError, UsageError
from crm.repository.sheets.google.access_tokens import Tokens
from crm.repository.sheets.google.credentials import SCOPES, Account, account_from, spreadsheet_id
from tests.conftest import PROJECT
from tests.support.google_double import ADDRESS, SPREADSHEET, FakeClock, credentials, private_key

GOOGLE = "https://oauth2.googleapis.com/token"


def written(**changed: Any) -> str:
    """The text of good credentials, but for what was changed."""
    return json.dumps({name: value for name, value in credentials(GOOGLE, **changed).items() if value is not None})


# Where they come from


def test_credentials_from_the_variable_come_first(tmp_path: Path) -> None:
    (tmp_path / "creds.json").write_text(written(client_email="other@team.example"), "utf-8")
    found = account_from(written(), folders=[tmp_path])
    assert found == Account(ADDRESS, "team-1", GOOGLE, "0123abcd", private_key())
    assert "PRIVATE" not in repr(found)
    assert "0123abcd" not in repr(found)


def test_credentials_from_the_first_folder_that_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = tmp_path / "second"
    second.mkdir()
    (second / "creds.json").write_bytes(b"\xef\xbb\xbf" + written().encode())
    assert account_from("", folders=[tmp_path, second]).address == ADDRESS
    monkeypatch.chdir(second)
    assert account_from(" \n").address == ADDRESS


def test_credentials_from_a_file_that_is_named(tmp_path: Path) -> None:
    named = tmp_path / "key.json"
    with pytest.raises(StoreAccessError, match=r"No file .*key\.json, which CRM_CREDS names") as caught:
        account_from("", str(named))
    assert caught.value.reason == "no_credentials"
    named.write_text(written(), "utf-8")
    assert account_from("", str(named)).address == ADDRESS


def test_no_credentials_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreAccessError, match=r"service account.*creds\.json in this folder.*CREDS") as caught:
        account_from("", folders=[tmp_path])
    assert caught.value.reason == "no_credentials"


def test_the_environment_is_read() -> None:
    read = from_environment({"CREDS": '{\n  "a": 1}\n', "CRM_CREDS": "k.json", "CRM_GOOGLE_URL": "http://127.0.0.1:8/"})
    assert (read.credentials, read.credentials_file, read.google) == ('{\n  "a": 1}\n', "k.json", "http://127.0.0.1:8")
    assert '"a"' not in repr(read)
    assert from_environment({}).google == ""


@pytest.mark.parametrize(
    "address", ["127.0.0.1:80", "ftp://127.0.0.1", "http://", "http://a@b", "http://a/b", "http://a:x", "http://[", "x"]
)
def test_a_stand_in_has_an_address(address: str) -> None:
    with pytest.raises(UsageError, match="CRM_GOOGLE_URL cannot be used: it must be an http or https address"):
        from_environment({"CRM_GOOGLE_URL": address})


# What is wrong with them

KEY = private_key()
BODY = "".join(KEY.splitlines()[1:-1])
WRONG = {
    "empty": ("{}", "no type"),
    "no JSON": ("{'type': 'service_account'}", r"is not JSON, or not all of it \(line 1"),
    "cut JSON": (written()[:-30], "not JSON, or not all of it"),
    "a list": ("[]", "not the key of a service account"),
    "deep": ("[" * 5_000, "not the key of a service account|not JSON"),
    "too long": ("x" * 200_000, "too long"),
    "a bare key": (KEY, "only a private key"),
    "an API key": ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "contains an API key"),
    "a name": ("/home/me/creds.json", "Use CRM_CREDS for that"),
    "an OAuth client": ('{"installed": {"client_id": "x"}}', "contains an OAuth client"),
    "a web client": ('{"web": {"client_id": "x"}}', "contains an OAuth client"),
    "a login": ('{"type": "authorized_user", "refresh_token": "x"}', "contains a person's own login"),
    "another type": ('{"type": "gdch_service_account"}', "contains something else"),
    "a type that is none": ('{"type": ["x"]}', "no type"),
    "no address": (written(client_email=None), "lacks client_email:"),
    "nothing": (written(client_email=None, private_key="", token_uri=5), "client_email and private_key and token_uri"),
    "an odd address": (written(client_email="team"), "client_email that is not an address"),
    "an odd token_uri": (written(token_uri="nowhere"), "token_uri that is not an address"),
    "an escaped key": (written(private_key=KEY.replace("\n", "\\n")), r"private_key with \\\\n"),
    "no key": (written(private_key="secret"), "private_key that is not one"),
    "a cut key": (written(private_key=KEY[: len(KEY) // 2]), "cut or damaged"),
    "a key without its middle": (
        written(private_key=KEY.replace(KEY.splitlines()[5] + "\n", "")),
        "cut or damaged",
    ),
    "a key of no letters": (written(private_key=KEY.replace(KEY.splitlines()[4], "*" * 64)), "cut or damaged"),
    "an empty key": (
        written(private_key="-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"),
        "cut or damaged",
    ),
    "the example": ((PROJECT / "creds.example.json").read_text("utf-8"), "still the example"),
}


@pytest.mark.parametrize("name", WRONG)
def test_credentials_that_cannot_be_used(name: str, tmp_path: Path) -> None:
    text, message = WRONG[name]
    file = tmp_path / "creds.json"
    file.write_text(text, "utf-8")
    for read, where in (
        (lambda: account_from(text), "The variable CREDS"),
        (lambda: account_from("", str(file)), file),
    ):
        with pytest.raises(StoreAccessError, match=message) as caught:
            read()
        assert caught.value.reason == "bad_credentials"
        assert caught.value.sentence.startswith(str(where))
        assert caught.value.sentence.endswith(".")
        # No part of what may be a key is told.
        assert not any(BODY[at : at + 20] in caught.value.sentence for at in range(0, len(BODY) - 20, 7))
        assert "AIza" not in caught.value.sentence


@pytest.mark.parametrize(("content", "message"), [(b"\xff\xfe{\x00", "is not text"), (b"", "is empty")])
def test_files_that_are_no_credentials(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_bytes(content)
    with pytest.raises(StoreAccessError, match=message):
        account_from("", str(file))
    with pytest.raises(StoreAccessError, match="cannot be read"):
        account_from("", str(tmp_path))


def test_the_example_has_the_shape_of_credentials() -> None:
    example = json.loads((PROJECT / "creds.example.json").read_text("utf-8"))
    assert set(credentials(GOOGLE)) <= set(example)
    assert example["type"] == "service_account"


# Real credentials go to Google only, a stand-in's to the stand-in only


def account(token_uri: str) -> Account:
    return Account(ADDRESS, "", token_uri, "", "")


def test_credentials_are_sent_only_to_their_service() -> None:
    account("https://oauth2.googleapis.com/token").check_meets("")
    account("https://accounts.google.com/o/oauth2/token").check_meets("")
    account("http://127.0.0.1:8000/token").check_meets("http://127.0.0.1:8000")
    for token_uri, google in (
        ("https://oauth2.googleapis.com/token", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/token", ""),
        ("http://127.0.0.1:8000/token", "http://127.0.0.1:8001"),
        ("http://127.0.0.1:8000/token", "https://127.0.0.1:8000"),
        ("http://127.0.0.1:8000@127.0.0.1:8001/token", "http://127.0.0.1:8000"),
        ("http://oauth2.googleapis.com/token", ""),
        ("https://oauth2.googleapis.com.example.org/token", ""),
        ("https://notgoogle.com/token", ""),
    ):
        with pytest.raises(StoreAccessError, match="Nothing was sent") as caught:
            account(token_uri).check_meets(google)
        assert caught.value.reason == "elsewhere"


# Which spreadsheet


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "sheets://{}",
        "sheets://{}/",
        " {}\n",
        "https://docs.google.com/spreadsheets/d/{}/edit#gid=0",
        "https://docs.google.com/spreadsheets/d/{}/edit?gid=12#gid=12",
        "https://docs.google.com/spreadsheets/d/{}",
        "https://docs.google.com/spreadsheets/u/0/d/{}/edit?usp=sharing",
        "https://docs.google.com/a/team.example/spreadsheets/d/{}/edit",
        "http://docs.google.com/spreadsheets/d/{}/edit",
        "docs.google.com/spreadsheets/d/{}/edit#gid=0",
        "sheets://docs.google.com/spreadsheets/d/{}/edit#gid=0",
        "sheets://https://docs.google.com/spreadsheets/d/{}/edit#gid=0",
        "https://drive.google.com/open?id={}",
        "<https://docs.google.com/spreadsheets/d/{}/edit>",
    ],
)
def test_a_spreadsheet_is_named(text: str) -> None:
    assert spreadsheet_id(text.format(SPREADSHEET)) == SPREADSHEET


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No spreadsheet is named"),
        ("sheets://", "No spreadsheet is named"),
        ("Clients 2026", "neither the id nor the address"),
        ("1AbC", "neither the id nor the address"),
        (f"https://example.org/spreadsheets/d/{SPREADSHEET}/edit", "neither the id nor the address"),
        (f"https://docs.google.com.example.org/spreadsheets/d/{SPREADSHEET}", "neither the id nor the address"),
        ("https://[", "neither the id nor the address"),
        ("https://docs.google.com/spreadsheets/d/1AbC/edit", "missing or cut"),
        ("https://docs.google.com/spreadsheets/u/0/", "missing or cut"),
        (f"https://docs.google.com/spreadsheets/d/e/2PACX-{SPREADSHEET}/pubhtml", "copy published to the web"),
        (f"https://docs.google.com/document/d/{SPREADSHEET}/edit", "not a Google Sheets spreadsheet"),
        (f"https://drive.google.com/file/d/{SPREADSHEET}/view", "not a Google Sheets spreadsheet"),
        (f"https://drive.google.com/drive/folders/{SPREADSHEET}", "is a folder"),
        (f"sheets://{'x' * 300}", "neither the id nor the address"),
    ],
)
def test_an_invalid_spreadsheet_address_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        spreadsheet_id(text)
    assert len(caught.value.sentence) < 300


# Tokens


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def tokens(folder: Path, clock: FakeClock, **changed: str) -> Tokens:
    given = {"address": ADDRESS, "project": "", "token_uri": GOOGLE, "key_id": "1", "private_key": private_key()}
    return Tokens(Account(**{**given, **changed}), folder, clock.clock.day)


def kept_file(folder: Path) -> Path:
    (file,) = folder.glob("token-*")
    return file


def test_a_token_is_kept_until_shortly_before_its_end(tmp_path: Path, clock: FakeClock) -> None:
    until = tokens(tmp_path / "new", clock).keep("secret", 3600)
    assert tokens(tmp_path / "new", clock).kept() == ("secret", until)
    assert stat.S_IMODE(kept_file(tmp_path / "new").stat().st_mode) == 0o600
    clock.time += 3400
    assert tokens(tmp_path / "new", clock).kept()[0] == "secret"
    clock.time += 30
    assert tokens(tmp_path / "new", clock).kept() == ("", 0)


@pytest.mark.parametrize("changed", ["address", "token_uri", "key_id"])
def test_a_token_is_stored_for_one_account_and_address(tmp_path: Path, clock: FakeClock, changed: str) -> None:
    tokens(tmp_path, clock).keep("secret", 3600)
    other = tokens(tmp_path, clock, **{changed: "https://elsewhere.example/token"})
    assert other.kept() == ("", 0)
    # Not even in the other's place.
    kept_file(tmp_path).rename(other._path)
    assert other.kept() == ("", 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"null",
        b'{"token": "secret"}',
        b'{"token": "secret", "until": 1900000000}',
        b"[" * 10_000,
        b"{" * 30_000,
    ],
)
def test_a_damaged_token_is_ignored(tmp_path: Path, clock: FakeClock, content: bytes) -> None:
    tokens(tmp_path, clock).keep("secret", 3600)
    file = kept_file(tmp_path)
    file.write_bytes(content)
    assert tokens(tmp_path, clock).kept() == ("", 0)
    tokens(tmp_path, clock).keep("another", 3600)
    assert tokens(tmp_path, clock).kept()[0] == "another"


@pytest.mark.parametrize(
    ("name", "value"),
    [("token", 5), ("token", "two words"), ("token", "a\nX: y"), ("until", "never"), ("until", 1e400), ("scopes", [])],
)
def test_a_token_that_was_changed_is_ignored(tmp_path: Path, clock: FakeClock, name: str, value: Any) -> None:
    tokens(tmp_path, clock).keep("secret", 3600)
    file = kept_file(tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))
    assert tokens(tmp_path, clock).kept() == ("", 0)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_token_file_that_others_can_read_or_write_is_ignored(tmp_path: Path, clock: FakeClock) -> None:
    tokens(tmp_path, clock).keep("secret", 3600)
    file = kept_file(tmp_path)
    file.chmod(0o640)
    assert tokens(tmp_path, clock).kept() == ("", 0)
    file.chmod(0o600)
    assert tokens(tmp_path, clock).kept()[0] == "secret"
    elsewhere = file.rename(tmp_path / "elsewhere")
    file.symlink_to(elsewhere)
    assert tokens(tmp_path, clock).kept() == ("", 0)


def test_a_token_ends_when_the_clock_is_set_back(tmp_path: Path, clock: FakeClock) -> None:
    tokens(tmp_path, clock).keep("secret", 3600)
    clock.time -= 100_000
    assert tokens(tmp_path, clock).kept() == ("", 0)


def test_only_the_token_that_was_refused_is_forgotten(tmp_path: Path, clock: FakeClock) -> None:
    tokens(tmp_path, clock).keep("new", 3600)
    tokens(tmp_path, clock).forget("old")
    assert tokens(tmp_path, clock).kept()[0] == "new"
    tokens(tmp_path, clock).forget("new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_keeps_no_token(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "taken").write_text("")
    kept = tokens(tmp_path / "taken", clock)
    assert kept.keep("secret", 3600) > 0
    assert kept.kept() == ("", 0)


def test_a_token_request_has_a_signed_assertion(tmp_path: Path, clock: FakeClock) -> None:
    import base64

    claims = tokens(tmp_path, clock).assertion().split(".")[1]
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    at = int(clock.clock.day())
    assert read == {"iss": ADDRESS, "scope": " ".join(SCOPES), "aud": GOOGLE, "iat": at, "exp": at + 3600}
    assert SCOPES == (
        "https://www.googleapis.com/auth/spreadsheets",
        "https://www.googleapis.com/auth/drive.metadata.readonly",
    )
