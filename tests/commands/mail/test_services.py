"""The settings of this computer for e-mail and SMS, as commands: who may change them, which of several wins, and that
no password is shown again."""

import io
import json
import stat
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.app import open_crm
from crm.commands.mail.services import SERVICES, current
from crm.commands.registry import named
from crm.errors import FieldError, ForbiddenError, OutwardError, UsageError
from crm.model.paths import at_another_device
from crm.model.rights import Reader
from crm.shell import run
from tests.commands.conftest import Office
from tests.support.command_line import CommandLine
from tests.support.dovecot import PASSWORD as BOX_PASSWORD
from tests.support.dovecot import USER as BOX_USER
from tests.support.dovecot import Dovecot
from tests.support.mail_server import PASSWORD, USER, Post, served
from tests.support.twilio import FROM, Twilio, standing_in

SECRET = "p#ä€ ?/@:x"
MAIL = {"sender": f"Team <{USER}>", "host": "localhost"}


@pytest.fixture
def trusting(tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer that trusts the authority of these tests."""
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))


def values_of(status: Any) -> dict[str, tuple[str, str]]:
    return {line.name: (line.value, line.source) for line in status.lines}


@pytest.mark.usefixtures("trusting")
def test_mail_is_set_up_tested_and_used_at_once(office: Office, post: Post, authority: trustme.CA) -> None:
    with pytest.raises(UsageError, match=r"No e-mail can be sent yet\. Set it up in the menu under Data & settings"):
        office("email test")
    with served(post, authority, encrypts="always") as port:
        status = office("email setup", {**MAIL, "port": port, "encryption": "tls"}, PASSWORD)
        assert status.is_set_up
        assert values_of(status)["password"] == ("(set)", "this computer")
        assert (office("email test").sent_to, post.taken) == ("", [])
        assert office("email test", to="me").sent_to == USER
        client = office.add(email="anna@example.com")
        office("email send", client, subject="Hello", body="Hi", yes=True)
        assert post.recipients == [USER, "anna@example.com"]
        assert post.signed_in == [True, True]
    assert office("email forget").was_saved
    assert not office("email status").is_set_up
    assert not office("email forget").was_saved
    assert PASSWORD not in repr(office.everything())
    assert not any("mail server" in what or "set up" in what for what in office.history())


@pytest.mark.slow
@pytest.mark.usefixtures("trusting")
def test_a_wrong_password_names_the_place_where_it_is_saved(office: Office, post: Post, authority: trustme.CA) -> None:
    with served(post, authority, encrypts="always") as port:
        office("email setup", {**MAIL, "port": port, "encryption": "tls"}, "wrong")
        with pytest.raises(
            OutwardError, match="does not accept the user and password of the settings of this computer"
        ):
            office("email test")
    assert post.taken == []


@pytest.mark.slow
def test_a_mailbox_is_set_up_and_read(office: Office, dovecot_server: Dovecot) -> None:
    values = {"user": BOX_USER, "host": "127.0.0.1", "port": dovecot_server.port, "encryption": "none"}
    office("mailbox setup", values, "wrong")
    with pytest.raises(OutwardError, match="does not accept the user and password of the settings of this computer"):
        office("mailbox test")
    office("mailbox setup", {}, BOX_PASSWORD)
    assert office("mailbox test").user == BOX_USER
    assert office("email fetch").stopped == ""
    office("mailbox setup", {"folder": "Nowhere"})
    with pytest.raises(OutwardError, match="does not open or show the folder Nowhere"):
        office("mailbox test")


def test_texts_are_set_up_and_sent(office: Office) -> None:
    with standing_in() as twilio:
        crm = office.open(twilio=twilio.url)
        with pytest.raises(FieldError, match="begins with AC"):
            office("sms setup", {"account": f"AC{'0' * 32}", "sender": FROM}, "the token", crm=crm)
        office("sms setup", {"account": "AC-stand-in", "sender": FROM}, "the token", crm=crm)
        assert office("sms test", crm=crm).sent_to == ""
        assert office("sms test", "+43 664 1234567", crm=crm).sent_to == "+436641234567"
        twilio.status, twilio.reply = 401, "{}"
        with pytest.raises(OutwardError, match="does not accept the account"):
            office("sms test", "+43 664 1234567", crm=crm)
    assert asked_as(twilio) == {"Basic QUMtc3RhbmQtaW46dGhlIHRva2Vu"}


def asked_as(twilio: Twilio) -> set[str]:
    return {authorization for _, authorization, _ in twilio.asked}


def test_environment_variables_win_line_by_line_and_say_so(office: Office) -> None:
    office("email setup", {**MAIL, "encryption": "tls"}, SECRET)
    crm = office.open("store", smtp_url="smtp://b:variable@other.example?starttls")
    status = office("email status", crm=crm)
    assert values_of(status) == {
        "sender": (f"Team <{USER}>", "this computer"),
        "host": ("other.example", "CRM_SMTP_URL"),
        "port": ("587", "CRM_SMTP_URL"),
        "encryption": ("STARTTLS", "CRM_SMTP_URL"),
        "user": ("b", "CRM_SMTP_URL"),
        "keep": ("", ""),
        "password": ("(set)", "CRM_SMTP_URL"),
    }
    assert "variable" not in repr(status)
    assert office("email forget", crm=crm).variables == ["CRM_SMTP_URL"]
    above = office.open("store", twilio_token="t", imap_url="imaps://me:x@box.example/Sales", mail_from="c@example.com")
    assert values_of(office("sms status", crm=above))["token"] == ("(set)", "TWILIO_AUTH_TOKEN")
    assert values_of(office("mailbox status", crm=above))["folder"] == ("Sales", "CRM_IMAP_URL")
    assert values_of(office("email status", crm=above))["sender"] == ("c@example.com", "CRM_MAIL_FROM")


@pytest.mark.parametrize("url", ["smtp://localhost:25", "smtp://b@localhost:25"])
def test_a_variable_without_a_password_has_none(office: Office, url: str) -> None:
    office("email setup", {**MAIL, "encryption": "tls"}, SECRET)
    status = office("email status", crm=office.open("store", smtp_url=url))
    assert values_of(status)["password"] == ("", "CRM_SMTP_URL")
    assert values_of(status)["keep"] == ("", "")


@pytest.mark.parametrize(
    "url", ["mail.example.com", "smtp://a:hunter2@mail.example.com", "smtps://a:hun#ter2@x", "gmail:"]
)
def test_an_unusable_variable_is_reported_without_its_value(office: Office, url: str) -> None:
    status = office("email status", crm=office.open(smtp_url=url, mail_from="a@example.com"))
    assert not status.is_set_up
    assert status.problem
    assert "hun" not in repr(status)
    assert status.summary == "does not work: open it to see why"


def test_a_file_that_others_can_read_keeps_nobody_from_signing_in(office: Office) -> None:
    office("email setup", MAIL, SECRET)
    kept = Path(office("email status") and office.folder / "data" / "crm" / "services" / "email.json")
    kept.chmod(0o644)
    status = office("email status")
    assert "chmod 600" in status.problem
    assert SECRET not in repr(status)
    with pytest.raises(Exception, match="chmod 600"):
        office("email setup", {"port": 465})
    office.open("other").accounts.open()
    kept.chmod(0o600)
    assert office("email status").is_set_up


def test_a_password_is_sent_only_to_its_own_server(office: Office) -> None:
    office("email setup", {**MAIL, "encryption": "tls"}, SECRET)
    store = office.crm.outward.saved()
    for changes in ({"port": 2525}, {"sender": "other@example.com", "user": USER}, {"keep": "file"}):
        office("email setup", changes)
        assert store.secret(SERVICES["email"]) == SECRET
    for changes in ({"host": "mail.evil.example"}, {"user": "somebody"}, {}):
        with pytest.raises(FieldError, match="Password: is needed") as refused:
            office("email setup", changes)
        assert refused.value.field == "secret"
    assert store.values(SERVICES["email"])["host"] == "localhost"


def test_another_address_leads_to_another_server(office: Office) -> None:
    office("email setup", {"sender": "anna@gmail.com"}, SECRET)
    assert values_of(office("email status"))["host"] == ("smtp.gmail.com", "this computer")
    assert "app password" in office("email status").advice
    office("email setup", {"sender": "anna@fastmail.com"}, "new")
    lines = values_of(office("email status"))
    assert [lines[name][0] for name in ("host", "port", "user")] == ["smtp.fastmail.com", "465", "anna@fastmail.com"]
    # An alias leaves alone what was typed.
    office("email setup", {"host": "relay.example.com"}, "relay")
    office("email setup", {"sender": "sales@firm.example", "user": "anna@fastmail.com"})
    assert values_of(office("email status"))["host"] == ("relay.example.com", "this computer")
    # A port goes with an encryption.
    office("email setup", {"port": 587})
    assert values_of(office("email status"))["encryption"][0] == "STARTTLS"
    office("email setup", {"encryption": "tls"})
    assert values_of(office("email status"))["port"][0] == "465"


@pytest.mark.parametrize("service", SERVICES)
def test_only_local_admins_change_the_mail_settings(office: Office, service: str) -> None:
    crm, before = office.crm, set(office.folder.rglob("*"))
    staff = replace(crm, reader=Reader(2, "staff", 0, "Staff"))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("setup", {"values": {}, "secret": "x"}), ("status", {}), ("test", {}), ("forget", {}),
    ]  # fmt: skip
    for words, arguments in calls:
        command = named(f"{service} {words}")
        with (
            at_another_device(),
            pytest.raises(ForbiddenError, match="belong to the computer that the program runs on"),
        ):
            command(crm, **arguments)
        with pytest.raises(ForbiddenError):
            command(staff, **arguments)
        with pytest.raises(ForbiddenError, match="Only an admin"):
            command.function(staff, **arguments)
    assert set(office.folder.rglob("*")) == before
    assert current(crm, SERVICES[service]).is_set_up is False


def test_the_shell_reads_the_password_as_a_line_and_shows_it_nowhere(
    shell: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.did("clients", "add", "--first-name", "Anna")
    text = shell.refused("email", "setup", "--sender", USER, "--host", "localhost", "--password", SECRET, code=2)
    assert "--password" in text
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    missing = shell.refused("email", "setup", "--sender", USER, "--host", "localhost", code=2)
    assert missing == "Password is missing. Give it as a line of the input."
    text = ""
    for command in (
        ["email", "setup", "--sender", USER, "--host", "localhost", "--encryption", "tls", "--json"],
        ["email", "setup", "--port", "2525"],
        ["email", "status"],
        ["email", "status", "--json"],
        ["email", "test"],
        ["email", "test", "--debug"],
        ["history", "list", "--json"],
        ["backup", str(shell.folder / "backup.sqlite3")],
        ["export", str(shell.folder / "all.json"), "--what", "all"],
        ["export", str(shell.folder / "all.xlsx"), "--what", "all"],
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n"))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            run(command, shell._environment({}), open_crm)
        text += out.getvalue() + err.getvalue()
    assert "(set)" in text
    assert "2525" in text
    assert SECRET not in text
    assert json.dumps(SECRET).strip('"') not in text
    holding = [path for path in shell.folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert [path.name for path in holding] == ["email.json"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
