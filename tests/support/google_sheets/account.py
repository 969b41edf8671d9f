"""The service account that may use the stand-in, and the tokens that it is given."""

import base64
import binascii
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .refusals import UNKNOWN_TOKEN, Refusal, drive_refusal, refusal

ALWAYS_KNOWN = "test-token"
"""A token that needs no asking for, so that recordings can be sent again."""
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600
CLOCK = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)
AUTH = "https://www.googleapis.com/auth/"
TO_WRITE = {AUTH + "spreadsheets", AUTH + "drive", AUTH + "drive.file"}
TO_READ = TO_WRITE | {AUTH + "spreadsheets.readonly", AUTH + "drive.readonly"}
TO_CHANGE_FILES = {AUTH + "drive", AUTH + "drive.file"}
TO_SEE_FILES = TO_CHANGE_FILES | {
    AUTH + "drive.readonly",
    AUTH + "drive.metadata",
    AUTH + "drive.metadata.readonly",
}


def _refused(description: str) -> Refusal:
    return Refusal(400, {"error": "invalid_grant", "error_description": description})


def _part(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@dataclass
class Account:
    """A service account: its key, and the tokens given out for it."""

    project: str = "crm-for-tests"
    number: str = "271828182845"
    pem: str = ""
    tokens: dict[str, tuple[float, list[str]]] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    exists: bool = True
    clock_right: bool = True
    lock: Any = field(default_factory=threading.Lock)

    def __getstate__(self) -> dict[str, Any]:
        # The key is kept as text; what it was read into is not kept.
        return {name: value for name, value in self.__dict__.items() if name not in ("lock", "key")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()

    @property
    def email(self) -> str:
        """The address that a person shares a spreadsheet with."""
        return f"crm@{self.project}.iam.gserviceaccount.com"

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        """The key of the account, made when it is first needed."""
        if self.pem:
            key = serialization.load_pem_private_key(self.pem.encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            return key
        key = rsa.generate_private_key(65537, 2048)
        form = serialization.PrivateFormat.PKCS8
        self.pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
        return key

    def credentials(self, url: str) -> dict[str, str]:
        """The account's credentials, as the file that Google lets a person download."""
        with self.lock:
            assert self.key
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "0123456789abcdef0123456789abcdef01234567",
            "private_key": self.pem,
            "client_email": self.email,
            "client_id": "314159265358979323846",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{url}/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{self.email}",
            "universe_domain": "googleapis.com",
        }

    def token(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """A new token for a signed claim."""
        if form.get("grant_type") != [GRANT]:
            raise Refusal(400, {"error": "unsupported_grant_type", "error_description": "Invalid grant_type"})
        claim = self._claim(form.get("assertion", [""])[0])
        scopes = str(claim.get("scope", "")).split()
        if not scopes:
            raise Refusal(
                400,
                {"error": "invalid_scope", "error_description": "Invalid OAuth scope or ID token audience provided."},
            )
        token = "ya29.c." + secrets.token_urlsafe(48)
        with self.lock:
            self.asked.append(scopes)
            self.tokens[token] = (time.time() + LIFETIME, scopes)
        return {"access_token": token, "expires_in": LIFETIME - 1, "token_type": "Bearer"}

    def _claim(self, assertion: str) -> dict[str, Any]:
        try:
            head, body, signature = assertion.split(".")
            header, claim = _part(head), _part(body)
            signed = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        except (ValueError, binascii.Error) as error:
            raise Refusal(400, {"error": "invalid_request", "error_description": "Bad Request"}) from error
        if not self.exists or claim.get("iss") != self.email:
            raise _refused("Invalid grant: account not found")
        try:
            with self.lock:
                public = self.key.public_key()
            public.verify(signed, f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise _refused("Invalid JWT Signature.") from error
        if header.get("alg") != "RS256":
            raise _refused("Invalid JWT Signature.")
        issued, expires = float(claim.get("iat", 0)), float(claim.get("exp", 0))
        if not self.clock_right or abs(issued - time.time()) > 600 or not 0 < expires - issued <= LIFETIME:
            raise _refused(CLOCK)
        result: dict[str, Any] = claim
        return result

    def refuse(self, header: str, enough: set[str], drive: bool) -> None:
        """Refuse a request whose token is not known, or was not asked for what it is used for."""
        kind, _, token = header.partition(" ")
        if token == ALWAYS_KNOWN and kind == "Bearer":
            return
        until, scopes = self.tokens.get(token, (0.0, []))
        if kind != "Bearer" or until < time.time():
            if drive:
                error = drive_refusal(401, "authError", "Invalid Credentials", "Authorization", "header")
                error.body["error"]["status"] = "UNAUTHENTICATED"
                raise error
            raise refusal(401, UNKNOWN_TOKEN)
        if not enough.intersection(scopes):
            details = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "domain": "googleapis.com",
                "metadata": {"service": "drive.googleapis.com" if drive else "sheets.googleapis.com"},
            }
            raise refusal(403, "Request had insufficient authentication scopes.", [details])
