"""Credentials of the service account, and the id of the spreadsheet."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crm.errors import FieldError, StoreAccessError, UsageError
from crm.model.paths import display_path, path_of

# What the program may do at Google: read and write spreadsheets shared with it, and ask when one changed.
SCOPES = (
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
)
FILE = "creds.json"
_PROJECT = Path(__file__).resolve().parents[4]
_KEY = re.compile(r"\s*-----BEGIN (RSA )?PRIVATE KEY-----(.*?)-----END \1?PRIVATE KEY-----\s*", re.DOTALL)
_LONGEST = 100_000
_NEEDED = ("client_email", "private_key", "token_uri")
_MAKE_ONE = (
    "make a service account at https://console.cloud.google.com/iam-admin/serviceaccounts, under Keys add a key of"
    " type JSON, and save the file that it downloads as"
)


@dataclass(frozen=True, slots=True)
class Account:
    """A service account: the `address` to share spreadsheets with, and the key that signs for it."""

    address: str
    project: str
    token_uri: str
    key_id: str = field(repr=False)
    private_key: str = field(repr=False)

    def check_meets(self, google: str) -> None:
        """Refuse to bring the credentials of Google to a stand-in (at `google`; '' is Google) or a stand-in's to
        Google. Raises StoreAccessError."""
        asked = urlsplit(self.token_uri)
        if google:
            expected = urlsplit(google)
            if (asked.scheme, asked.netloc.lower()) != (expected.scheme, expected.netloc.lower()):
                raise StoreAccessError(
                    f"CRM_GOOGLE_URL names a stand-in for Google, and the credentials of {self.address} are not made"
                    " for it (their token_uri is elsewhere). Nothing was sent. Unset CRM_GOOGLE_URL, or use the"
                    " credentials that the stand-in gives.",
                    reason="elsewhere",
                )
        elif asked.scheme != "https" or not re.search(r"(^|\.)(googleapis|google)\.com$", asked.hostname or ""):
            raise StoreAccessError(
                f"The credentials of {self.address} are not Google's: their token_uri leads elsewhere. Nothing was"
                " sent. Download a new key for the service account.",
                reason="elsewhere",
            )


def account_from(credentials: str, file: str = "", folders: Sequence[Path] = ()) -> Account:
    """The service account of the variable CREDS (`credentials`), else of the `file` that CRM_CREDS names, else of
    creds.json in the first of `folders` that has one: the current one, then that of run.py. Raises StoreAccessError.
    """
    if credentials.strip():
        return _account(_read(credentials, "The variable CREDS"), "The variable CREDS")
    if file:
        try:
            path = path_of(file)
        except FieldError as error:
            raise StoreAccessError(
                f"The variable CRM_CREDS names no file: {error.reason}.", reason="no_credentials"
            ) from error
        with suppress(OSError):
            if not path.exists():
                raise StoreAccessError(
                    f"No file {display_path(path)}, which CRM_CREDS names. Correct the variable, or"
                    f" {_MAKE_ONE} {display_path(path)}.",
                    reason="no_credentials",
                )
    else:
        paths = [folder / FILE for folder in folders or (Path.cwd(), _PROJECT) if (folder / FILE).exists()]
        if not paths:
            raise StoreAccessError(
                f"No credentials for Google Sheets: {_MAKE_ONE} {FILE} in this folder, or put its text into"
                " the variable CREDS.",
                reason="no_credentials",
            )
        path = paths[0]
    return _account(_read(_text(path), display_path(path)), display_path(path))


def _bad(sentence: str) -> StoreAccessError:
    return StoreAccessError(sentence, reason="bad_credentials")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            written = opened.read(_LONGEST + 1)
    except OSError as error:
        raise _bad(f"{display_path(path)} cannot be read: {error.strerror or type(error).__name__}.") from None
    try:
        return written.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad(f"{display_path(path)} is not text: {_AGAIN}") from None


_AGAIN = "download the key of the service account again, as JSON, and leave the file as it is."


def _read(text: str, where: str) -> Mapping[str, Any]:
    """The JSON of the credentials. The text itself is never shown: it may be a key."""
    if len(text) > _LONGEST:
        raise _bad(f"{where} is too long for credentials: {_AGAIN}")
    if not text.strip():
        raise _bad(f"{where} is empty: {_AGAIN}")
    try:
        read = json.loads(text)
    except ValueError as error:
        if text.lstrip().startswith("-----BEGIN"):
            raise _bad(f"{where} contains only a private key. The whole JSON file is needed: {_AGAIN}") from None
        if re.fullmatch(r"AIza[\w-]{20,}", text.strip()):
            raise _bad(_of_another_kind(where, "an API key")) from None
        if text.strip().endswith(".json"):
            raise _bad(
                f"{where} contains the name of a file. Use CRM_CREDS for that. CREDS is for the JSON itself."
            ) from None
        at = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise _bad(f"{where} is not JSON, or not all of it{at}: {_AGAIN}") from None
    except RecursionError:
        raise _bad(f"{where} is not the key of a service account: {_AGAIN}") from None
    if not isinstance(read, dict):
        raise _bad(f"{where} is not the key of a service account: {_AGAIN}")
    return read


def _of_another_kind(where: str, kind: str) -> str:
    return f"{where} contains {kind}. A service account's key is needed: {_MAKE_ONE} {FILE}."


def _account(read: Mapping[str, Any], where: str) -> Account:
    if "installed" in read or "web" in read:
        raise _bad(_of_another_kind(where, "an OAuth client"))
    if (kind := read.get("type")) != "service_account":
        known = {
            "authorized_user": "a person's own login",
            "external_account": "an external account",
            "impersonated_service_account": "an impersonated account",
        }
        raise _bad(_of_another_kind(where, known.get(kind, "something else") if isinstance(kind, str) else "no type"))
    missing = [name for name in _NEEDED if not isinstance(read.get(name), str) or not read[name].strip()]
    if missing:
        raise _bad(f"{where} lacks {' and '.join(missing)}: {_AGAIN}")
    if "@" not in read["client_email"] or not read["client_email"].isprintable():
        raise _bad(f"{where} has a client_email that is not an address: {_AGAIN}")
    if urlsplit_or_none(read["token_uri"]) is None:
        raise _bad(f"{where} has a token_uri that is not an address: {_AGAIN}")
    return Account(
        address=read["client_email"].strip(),
        project=str(read.get("project_id") or ""),
        token_uri=read["token_uri"].strip(),
        key_id=str(read.get("private_key_id") or ""),
        private_key=_whole_key(read["private_key"], where),
    )


def urlsplit_or_none(address: str) -> str | None:
    """The address as it stands, or None where it is no http(s) address."""
    try:
        parts = urlsplit(address.strip())
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        return None
    return address.strip() if good else None


def _whole_key(key: str, where: str) -> str:
    """The private key, if it is all there."""
    if "\\n" in key:
        raise _bad(
            f"{where} has a private_key with \\\\n where \\n belongs: the text was escaped twice. Use the text as"
            " it was downloaded."
        )
    if "YOUR" in key or "not-a-real-key" in key:
        raise _bad(f"{where} is still the example: {_MAKE_ONE} {FILE}.")
    if not key.lstrip().startswith("-----BEGIN"):
        raise _bad(f"{where} has a private_key that is not one: {_AGAIN}")
    match = _KEY.fullmatch(key)
    try:
        decoded = base64.b64decode("".join(match.group(2).split()), validate=True) if match else b""
    except (binascii.Error, ValueError):
        decoded = b""
    if not _is_whole(decoded):
        raise _bad(f"{where} has a private_key that is cut or damaged: {_AGAIN}")
    return key


def _is_whole(der: bytes) -> bool:
    """Return whether a key is as long as it says itself (its DER: a tag, the length's length, the length)."""
    if len(der) < 4 or der[0] != 0x30 or not 0x81 <= der[1] <= 0x84:
        return False
    start = 2 + der[1] - 0x80
    return len(der) == start + int.from_bytes(der[2:start], "big")


_ID = re.compile(r"[A-Za-z0-9_-]{20,200}")
_ADDRESS = re.compile(r"/spreadsheets/(?:u/\d+/)?d/(?!e/)([A-Za-z0-9_-]{20,200})(?:/|$)")
_COPY = "Open the spreadsheet in the browser and copy its address."


def spreadsheet_id(text: str) -> str:
    """The id in a spreadsheet's id or address, with or without sheets:// before it. Raises UsageError."""
    written = text.strip().strip("<>\"'").removeprefix("sheets:").strip("/").strip()
    if not written:
        raise UsageError(f"No spreadsheet is named. {_COPY}")
    if _ID.fullmatch(written):
        return written
    try:
        parts = urlsplit(written if "://" in written else f"https://{written}")
        host = (parts.hostname or "").lower()
    except ValueError:
        host = ""
    if host == "drive.google.com" and (named := parse_qs(parts.query).get("id")) and _ID.fullmatch(named[0]):
        return named[0]
    if host not in ("docs.google.com", "drive.google.com", "sheets.google.com"):
        raise UsageError(f"{_cut(text)} is neither the id nor the address of a Google spreadsheet. {_COPY}")
    if match := _ADDRESS.search(parts.path):
        return match.group(1)
    if "/spreadsheets/d/e/" in parts.path:
        raise UsageError(
            f"{_cut(text)} is a copy published to the web, which nobody can write. Open the spreadsheet itself and"
            " copy its address."
        )
    if "/folders/" in parts.path:
        raise UsageError(f"{_cut(text)} is a folder. Open the spreadsheet in it and copy its address.")
    if "/spreadsheets" not in parts.path:
        raise UsageError(f"{_cut(text)} is not a Google Sheets spreadsheet. {_COPY}")
    raise UsageError(f"The id of the spreadsheet is missing or cut in {_cut(text)}. {_COPY}")


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 120 else f"{text[:117]}…"
