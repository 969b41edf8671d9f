"""E-mail through Gmail's API, answered by a server on loopback that checks the signature and keeps the messages."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from crm.app import open_mailer
from crm.config import from_environment
from crm.errors import CRMError, OutwardError, StoreAccessError, UsageError
from crm.outward.gmail import GmailMailer
from crm.outward.gmail_errors import SCOPE
from crm.outward.mail import Fate, Outcome
from crm.outward.outgoing import Mail, Party
from crm.repository.sheets.google.credentials import account_from
from tests.support.google_sheets.account import Account
from tests.support.google_sheets.refusals import Refusal

ANNA, BEN, CLEO = Party("anna@example.com", "Anna"), Party("ben@example.com"), Party("cleo@example.com")
CRM = Party("crm@example.com", "Kuhn, Söhne & Co")
SENT = {"id": "18c1d2e3f4a5b6c7", "threadId": "18c1d2e3f4a5b6c7", "labelIds": ["SENT"]}
HANGS_UP, HANGS_UP_EARLY = -1, -2
# As Google's documentation shows them.
UNAUTHORIZED = {
    "error": "unauthorized_client",
    "error_description": "Client is unauthorized to retrieve access tokens using this method, or client not authorized"
    " for any of the scopes requested.",
}


def refusal(status: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    errors = [{"message": message, "domain": "usageLimits", "reason": reason}]
    return status, {"error": {"code": status, "message": message, "errors": errors}}


class Gmail(ThreadingHTTPServer):
    """A stand-in for Gmail that accepts mail with a valid token; `answers` are given first, one after the other."""

    def __init__(self, account: Account) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.account = account
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.token_answers: list[tuple[int, dict[str, Any]]] = []
        self.claims: list[dict[str, Any]] = []
        self.taken: list[Message] = []
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    server: Gmail
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/token":
            self._answer(*self._token(self._body()))
            return
        status, answer = self.server.answers.pop(0) if self.server.answers else (200, SENT)
        if status == HANGS_UP_EARLY:
            # Before all of it was read, so that the rest is turned away.
            self.close_connection = True
            return
        body = json.loads(self._body())
        if status == 200:
            try:
                self.server.account.refuse(self.headers.get("Authorization", ""), {SCOPE}, drive=False)
            except Refusal as error:
                self._answer(error.status, error.body)
                return
            raw = base64.urlsafe_b64decode(body["raw"])
            self.server.taken.append(message_from_bytes(raw, policy=policy.default))
        if status == HANGS_UP:
            self.close_connection = True
            return
        self._answer(status, answer)

    def _token(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.server.token_answers:
            return self.server.token_answers.pop(0)
        form = parse_qs(body.decode())
        try:
            token = self.server.account.token(form)
        except Refusal as error:
            return error.status, error.body
        part = form["assertion"][0].split(".")[1]
        self.server.claims.append(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
        return 200, token

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        written = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


@pytest.fixture
def gmail(account: Account) -> Iterator[Gmail]:
    server = Gmail(account)
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def mailer(gmail: Gmail, google: str = "") -> GmailMailer:
    ours = account_from(json.dumps(gmail.account.credentials(gmail.url)))
    return GmailMailer(ours, "Kuhn, Söhne & Co <crm@example.com>", google=google or gmail.url, time_out=(2.0, 2.0))


def mail(**changed: Any) -> Mail:
    given = {
        "message_id": "<1@example.com>",
        "at": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        "sender": CRM,
        "to": (ANNA,),
        "cc": (BEN,),
        "bcc": (CLEO,),
        "subject": "Grüße",
        "text": "Hi **Anna**",
    }
    return Mail(**{**given, **changed})


def deliver(by: GmailMailer, *mails: Mail) -> tuple[Outcome, ...]:
    with by.connection() as connection:
        return tuple(outcome for message in mails for outcome in connection.deliver(message))


def test_a_mail_is_sent_in_the_name_of_its_sender(gmail: Gmail) -> None:
    found = deliver(mailer(gmail), mail())
    assert [(outcome.address, outcome.fate) for outcome in found] == [
        (party.address, Fate.SENT) for party in (ANNA, BEN, CLEO)
    ]
    (claim,) = gmail.claims
    assert (claim["sub"], claim["scope"], claim["iss"]) == ("crm@example.com", SCOPE, gmail.account.email)
    (message,) = gmail.taken
    assert message["Message-ID"] == "<1@example.com>"
    assert message["Subject"] == "Grüße"
    # Google reads here whom it goes to, and takes the blind copies out.
    assert message["Bcc"] == "cleo@example.com"
    assert gmail.asked == ["/token", "/gmail/v1/users/me/messages/send"]


def test_one_token_serves_many_mails_of_a_sender(gmail: Gmail) -> None:
    other = replace(mail(), sender=Party("ben@example.com"))
    assert {outcome.fate for outcome in deliver(mailer(gmail), mail(), mail(), other, mail())} == {Fate.SENT}
    assert [claim["sub"] for claim in gmail.claims] == ["crm@example.com", "ben@example.com"]
    assert len(gmail.taken) == 4


def test_a_revoked_token_is_replaced(gmail: Gmail) -> None:
    gmail.answers = [refusal(401, "authError", "Invalid Credentials")]
    assert {outcome.fate for outcome in deliver(mailer(gmail), mail())} == {Fate.SENT}
    assert len(gmail.taken) == 1
    gmail.answers = [refusal(401, "authError", "Invalid Credentials")] * 2
    with pytest.raises(OutwardError) as caught:
        deliver(mailer(gmail), mail())
    assert caught.value.reason == "refused"
    assert len(gmail.taken) == 1


def test_an_admin_sees_what_to_click(gmail: Gmail) -> None:
    gmail.token_answers = [(401, UNAUTHORIZED)]
    with pytest.raises(OutwardError) as caught:
        deliver(mailer(gmail), mail())
    assert caught.value.reason == "refused"
    for part in (gmail.account.email, "crm@example.com", "domainwidedelegation", "Add new", "client_id", SCOPE):
        assert part in caught.value.sentence
    assert gmail.taken == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((400, {"error": "invalid_grant", "error_description": "Invalid email or User ID\x1b[31m"}), "refused"),
        ((400, {"error": "invalid_grant"}), "refused"),
        ((400, {}), "refused"),
        ((404, {"error": {"nested": True}}), "refused"),
    ],
)
def test_without_a_token_nothing_is_sent(gmail: Gmail, answer: tuple[int, dict[str, Any]], reason: str) -> None:
    gmail.token_answers = [answer]
    with pytest.raises(OutwardError) as caught:
        deliver(mailer(gmail), mail())
    assert caught.value.reason == reason
    assert caught.value.sentence.isprintable()
    assert gmail.asked == ["/token"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, "invalidArgument", "Invalid To header"), Fate.REFUSED),
        (refusal(413, "uploadTooLarge", "Too large"), Fate.REFUSED),
        ((400, {"error": ["what"]}), Fate.REFUSED),
        (refusal(500, "backendError", "Backend Error"), Fate.LATER),
        (refusal(503, "backendError", "Try again"), Fate.LATER),
        # The mail may be on its way behind the machine that says so.
        (refusal(502, "badGateway", "Bad Gateway"), Fate.UNKNOWN),
        (refusal(504, "gatewayTimeout", "Timeout"), Fate.UNKNOWN),
        ((HANGS_UP, {}), Fate.UNKNOWN),
    ],
)
def test_the_delivery_status_of_a_mail_is_known(
    gmail: Gmail, answer: tuple[int, dict[str, Any]], expected: Fate
) -> None:
    gmail.answers = [answer]
    found = deliver(mailer(gmail), mail())
    assert [outcome.fate for outcome in found] == [expected] * 3
    assert all(outcome.words.isprintable() and outcome.words for outcome in found)
    # It is asked once: a second time might send it twice.
    assert gmail.asked.count("/gmail/v1/users/me/messages/send") == 1


@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        (refusal(429, "rateLimitExceeded", "User-rate limit exceeded. Retry after …"), "busy", "Retry after"),
        (refusal(403, "userRateLimitExceeded", "Rate Limit Exceeded"), "busy", "Rate Limit"),
        (refusal(403, "accessNotConfigured", "Gmail API has not been used"), "refused", "project=crm-for-tests"),
        (refusal(403, "forbidden", "Delegation denied"), "refused", "Delegation denied"),
        (refusal(400, "failedPrecondition", "Mail service not enabled"), "refused", "Mail service not enabled"),
    ],
)
def test_a_failure_that_affects_every_mail_is_an_error(
    gmail: Gmail, answer: tuple[int, dict[str, Any]], reason: str, message: str
) -> None:
    gmail.answers = [answer]
    with pytest.raises(OutwardError, match=message) as caught:
        deliver(mailer(gmail), mail())
    assert caught.value.reason == reason


def test_a_connection_that_breaks_during_a_mail_has_sent_nothing(gmail: Gmail) -> None:
    gmail.answers = [(HANGS_UP_EARLY, {})]
    found = deliver(mailer(gmail), mail(text="word " * 3_000_000, is_markdown=False))
    assert {outcome.fate for outcome in found} == {Fate.LATER}


def test_nothing_was_sent_if_google_cannot_be_reached(gmail: Gmail) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OutwardError) as caught:
        deliver(mailer(gmail, nowhere), mail())
    assert caught.value.reason == "offline"


@pytest.mark.slow
def test_a_temporary_token_failure_sends_nothing(gmail: Gmail) -> None:
    gmail.token_answers = [(503, {"error": "server_error"})] * 10
    with pytest.raises(OutwardError) as caught:
        deliver(mailer(gmail), mail())
    assert caught.value.reason == "busy"
    assert gmail.taken == []


def test_mail_of_the_program_itself_uses_the_same_transport(gmail: Gmail) -> None:
    mailer(gmail).send("anna@example.com", "Your link", "https://crm.example.com/reset")
    (message,) = gmail.taken
    assert message["Auto-Submitted"] == "auto-generated"
    gmail.answers = [(HANGS_UP, {})]
    with pytest.raises(OutwardError) as caught:
        mailer(gmail).send("anna@example.com", "Your link", "https://crm.example.com/reset")
    assert caught.value.reason == "unknown"


def test_a_damaged_key_is_reported_without_showing_it(gmail: Gmail) -> None:
    ours = account_from(json.dumps(gmail.account.credentials(gmail.url)))
    half = replace(ours, private_key=ours.private_key.replace("A", "B"))
    with pytest.raises(OutwardError) as caught:
        deliver(GmailMailer(half, "crm@example.com", google=gmail.url), mail())
    assert ours.private_key.splitlines()[1] not in str(caught.value)
    assert gmail.asked == []


def test_gmail_is_chosen_by_the_settings(gmail: Gmail) -> None:
    given = {
        "CRM_SMTP_URL": "gmail:",
        "CRM_MAIL_FROM": "CRM <crm@example.com>",
        "CREDS": json.dumps(gmail.account.credentials(gmail.url)),
        "CRM_GOOGLE_URL": gmail.url,
    }
    by = open_mailer(from_environment(given))
    assert isinstance(by, GmailMailer)
    # To try it sends nothing.
    by.check()
    assert (len(gmail.claims), gmail.taken) == (1, [])
    by.send("anna@example.com", "Hello", "Hi")
    assert gmail.taken[0]["From"] == "CRM <crm@example.com>"
    wrong: list[tuple[str, str, type[CRMError]]] = [
        ("CRM_MAIL_FROM", "", UsageError),
        ("CREDS", "{}", StoreAccessError),
        # A stand-in's key is not brought to Google.
        ("CRM_GOOGLE_URL", "", StoreAccessError),
    ]
    for name, value, error in wrong:
        with pytest.raises(error):
            open_mailer(from_environment({**given, name: value}))
    assert open_mailer(from_environment({})) is None
