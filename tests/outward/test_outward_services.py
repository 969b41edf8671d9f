"""Saved settings for e-mail and SMS: private files, keyrings that work and that fail, and presets for well-known
providers."""

import json
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keyring
import pytest
import trustme

from crm.clock import machine_now
from crm.config import Config
from crm.errors import FieldError, FileError, OutwardError
from crm.outward import mailbox, smtp, system_keyring
from crm.outward.mailbox import Mailbox
from crm.outward.providers import PROVIDERS, advice_for, provider_of
from crm.outward.saved_services import SavedServices
from crm.outward.servers import Server
from crm.outward.services import EMAIL, FILE, KEYRING, MAILBOX, SERVICES, SMS, email_server, mailbox_server
from crm.outward.smtp import SmtpMailer
from tests.support.mail_server import Post, free_port, served

CONFIG = Config("sqlite:///none", "anna")
VALUES = {
    "sender": "Anna <anna@example.com>",
    "host": "mail.example.com",
    "port": 465,
    "encryption": "tls",
    "user": "a",
}
# As people and password managers make them.
PASSWORDS = [
    "simple",
    "pä€ss",
    "a#b/c?d",
    "p@ss:w/rd?",
    "two words",
    '"quoted"\\',
    "100%25",
    "パスワード",
    "{name}",
    "=1+1",
]


@pytest.fixture
def saved(tmp_path: Path) -> SavedServices:
    return SavedServices(tmp_path / "services")


class Ring:
    """A keyring that keeps what it is given, or does not."""

    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, name: str, secret: str) -> None:
        self.kept[service, name] = secret

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


class Forgetful(Ring):
    """A keyring that stores nothing, without an error."""

    def set_password(self, service: str, name: str, secret: str) -> None:
        pass


class Locked(Ring):
    """A locked keyring, whose error contains the secret."""

    def set_password(self, service: str, name: str, secret: str) -> None:
        raise RuntimeError(f"cannot keep {secret}")


class Silent(Ring):
    """A keyring that waits for a dialog that nobody sees."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = threading.Event()

    def set_password(self, service: str, name: str, secret: str) -> None:
        self.ends.wait(10)


@contextmanager
def using(ring: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with monkeypatch.context() as patched:
        patched.setattr(keyring, "get_keyring", lambda: ring)
        yield ring


def texts_in(folder: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("password", PASSWORDS)
def test_without_a_keyring_a_password_is_in_a_file_for_its_owner_alone(
    saved: SavedServices, tmp_path: Path, password: str
) -> None:
    assert saved.save(EMAIL, VALUES, password, "") == FILE
    file = tmp_path / "services" / "email.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["email.json"]
    # Another program reads the same.
    again = SavedServices(tmp_path / "services")
    assert again.values(EMAIL) == {**VALUES, "keep": FILE}
    assert again.secret(EMAIL) == password
    assert again.values(MAILBOX) == {}
    assert again.forget(EMAIL) is True
    assert again.forget(EMAIL) is False
    assert (again.values(EMAIL), again.secret(EMAIL), list(file.parent.iterdir())) == ({}, "", [])


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_in_a_keyring_is_in_no_file(
    saved: SavedServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with using(Ring(), monkeypatch) as ring:
        assert saved.save(EMAIL, VALUES, password, "") == KEYRING
        assert list(ring.kept.values()) == [password]
        assert "secret" not in json.loads(texts_in(tmp_path))
        assert saved.secret(EMAIL) == password
        # The new one takes the place of the old one, and a file that of the keyring.
        assert saved.save(EMAIL, VALUES, "new", "") == KEYRING
        assert list(ring.kept.values()) == ["new"]
        assert saved.save(EMAIL, VALUES, "new", FILE) == FILE
        assert ring.kept == {}
        saved.save(EMAIL, VALUES, "third", KEYRING)
        saved.forget(EMAIL)
        assert ring.kept == {}


@pytest.mark.parametrize("ring", [Forgetful, Locked, Silent], ids=lambda kind: kind.__name__)
def test_a_broken_keyring_is_not_used(saved: SavedServices, monkeypatch: pytest.MonkeyPatch, ring: type[Ring]) -> None:
    monkeypatch.setattr(system_keyring, "TO_UNLOCK", 0.1)
    with using(ring(), monkeypatch) as broken:
        assert saved.save(EMAIL, VALUES, "hunter2", "") == FILE
        assert saved.secret(EMAIL) == "hunter2"
        with pytest.raises(FieldError, match="no keyring here that works") as refused:
            saved.save(EMAIL, VALUES, "other", KEYRING)
        assert "other" not in str(refused.value)
        # What was saved before is as it was.
        assert saved.secret(EMAIL) == "hunter2"
        if isinstance(broken, Silent):
            broken.ends.set()


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "no.such.Thing"])
def test_a_backend_without_storage_is_not_used_as_a_keyring(
    saved: SavedServices, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    assert saved.save(EMAIL, VALUES, "hunter2", "") == FILE
    assert saved.secret(EMAIL) == "hunter2"


def test_a_bus_that_never_answers_holds_nothing_up(
    saved: SavedServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real library, as it is on a desktop whose bus hangs."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setattr(system_keyring, "TO_FIND", 0.3)
    path = str(tmp_path / "bus")
    with closing(socket.socket(socket.AF_UNIX)) as bus:
        bus.bind(path)
        bus.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")
        assert saved.save(EMAIL, VALUES, "hunter2", "") == FILE
    assert saved.secret(EMAIL) == "hunter2"


def test_a_keyring_that_is_gone_says_what_to_do(saved: SavedServices, monkeypatch: pytest.MonkeyPatch) -> None:
    with using(Ring(), monkeypatch):
        saved.save(EMAIL, VALUES, "hunter2", "")
    # As for a job of cron.
    with pytest.raises(OutwardError, match=r"keyring of this computer.*email setup --keep file") as refused:
        saved.secret(EMAIL)
    assert "hunter2" not in str(refused.value)
    assert saved.save(EMAIL, VALUES, "again", FILE) == FILE
    assert saved.secret(EMAIL) == "again"


@pytest.mark.skipif(os.name != "posix", reason="where files have no modes there is nothing to refuse")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
def test_a_file_that_others_may_read_or_change_is_refused(saved: SavedServices, tmp_path: Path, mode: int) -> None:
    saved.save(EMAIL, VALUES, "hunter2", FILE)
    file = tmp_path / "services" / "email.json"
    file.chmod(mode)
    with pytest.raises(FileError) as refused:
        saved.values(EMAIL)
    assert f"chmod 600 {file}" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(OutwardError, match="chmod 600"):
        saved.secret(EMAIL)
    # Nothing else suffers, and it can be mended, or removed.
    assert saved.values(SMS) == {}
    file.chmod(0o600)
    assert saved.secret(EMAIL) == "hunter2"
    file.chmod(mode)
    assert saved.forget(EMAIL) is True


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(saved: SavedServices, tmp_path: Path) -> None:
    saved.save(EMAIL, VALUES, "hunter2", FILE)
    os.chown(tmp_path / "services" / "email.json", 12345, -1)
    with pytest.raises(FileError, match="belongs to another user"):
        saved.values(EMAIL)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "5", '{"values": 5}', '{"values": {"port": "x"}}', "\udcff", "[" * 100_000]
)
def test_a_file_that_is_damaged_says_so(saved: SavedServices, tmp_path: Path, content: str) -> None:
    saved.save(EMAIL, VALUES, "hunter2", FILE)
    (tmp_path / "services" / "email.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileError, match=r"email\.json cannot be understood. Delete it, and set up again"):
        saved.values(EMAIL)


def test_a_symbolic_link_cannot_redirect_the_password_file(saved: SavedServices, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    (tmp_path / "services").mkdir(mode=0o700)
    (tmp_path / "services" / "email.json").symlink_to(elsewhere)
    saved.save(EMAIL, VALUES, "hunter2", FILE)
    assert elsewhere.read_text() == "theirs"
    assert saved.secret(EMAIL) == "hunter2"


def test_the_environment_alone_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crm.app import open_outward

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "crm" / "services"
    for service in SERVICES.values():
        SavedServices(folder).save(service, {}, "x", FILE)
        (folder / f"{service.name}.json").chmod(0o644)
    sid = f"AC{'0' * 32}"
    sms = {"twilio_account": sid, "twilio_token": "t", "twilio_from": "CRM"}
    mail = {"smtp_url": "smtps://mail.example.com", "mail_from": "a@example.com", "imap_url": "imaps://a:b@example.com"}
    ways = open_outward(Config("sqlite:///none", "anna", machine_now, **mail, **sms))
    assert ways.mailer() is not None
    assert ways.mailbox() is not None
    assert ways.texter() is not None
    ways = open_outward(Config("sqlite:///none", "anna"))
    for way in (ways.mailer, ways.mailbox, ways.texter):
        with pytest.raises(FileError, match="chmod 600"):
            way()


@pytest.mark.parametrize("which", ["smtp_url", "mail_from"])
def test_an_environment_variable_overrides_its_saved_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    from crm.app import open_mailer

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    SavedServices(tmp_path / "crm" / "services").save(EMAIL, VALUES, "saved", FILE)
    above = {"smtp_url": "smtp://b:variable@other.example:2525?starttls", "mail_from": "b@example.com"}
    mailer = open_mailer(Config("sqlite:///none", "anna", **{which: above[which]}))
    assert isinstance(mailer, SmtpMailer)
    server, sender = mailer.server, mailer.sender.address
    if which == "smtp_url":
        assert (server.host, server.port, server.user, server.password()) == ("other.example", 2525, "b", "variable")
        assert sender == "anna@example.com"
    else:
        assert (server.host, server.port, server.user, server.password()) == ("mail.example.com", 465, "a", "saved")
        assert sender == "b@example.com"
    assert "saved" not in repr(server)
    assert "variable" not in repr(server)


@pytest.mark.parametrize(
    ("typed", "host", "port", "encryption"),
    [
        ({"sender": "Anna <anna@GMAIL.com>"}, "smtp.gmail.com", 587, "starttls"),
        ({"sender": "anna@fastmail.com"}, "smtp.fastmail.com", 465, "tls"),
        ({"sender": "anna@gmx.at"}, "mail.gmx.net", 587, "starttls"),
        ({"sender": "anna@icloud.com"}, "smtp.mail.me.com", 587, "starttls"),
        # What is typed counts.
        ({"sender": "anna@gmail.com", "host": "relay.example.com"}, "relay.example.com", 587, "starttls"),
        ({"sender": "anna@gmail.com", "port": 465, "encryption": "tls"}, "smtp.gmail.com", 465, "tls"),
        ({"sender": "anna@firm.example", "host": "mail.firm.example", "port": 465}, "mail.firm.example", 465, "tls"),
        ({"sender": "anna@firm.example", "host": "h.example", "encryption": "tls"}, "h.example", 465, "tls"),
    ],
)
def test_the_server_follows_from_the_address(typed: dict[str, Any], host: str, port: int, encryption: str) -> None:
    filled = EMAIL.fill(typed)
    assert (filled["host"], filled["port"], filled["encryption"]) == (host, port, encryption)
    assert filled["user"] == typed["sender"].rpartition("<")[2].rstrip(">")
    EMAIL.check(filled, CONFIG)


def test_providers_are_known_by_every_domain_once() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))
    for provider in PROVIDERS:
        assert provider.smtp.encrypts == ("always" if provider.smtp.port == 465 else "first")
        assert (provider.imap.port, provider.imap.encrypts) == (993, "always")
    assert "app password" in advice_for(Server("smtp.gmail.com", 587, "first"))
    assert "will probably refuse this" in advice_for(Server("smtp-mail.outlook.com", 587, "first"))
    assert provider_of("anna@notgmail.com") is provider_of("gmail.com@example.com") is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender": ""}, "sender"),
        ({"sender": "nobody"}, "sender"),
        ({"sender": "a@b.example\nBcc: all@example.com"}, "sender"),
        ({"host": ""}, "host"),
        ({"encryption": "none"}, "encryption"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        EMAIL.check({**VALUES, **changes}, CONFIG)
    assert refused.value.field == field


@contextmanager
def greeting_with(certificate: trustme.LeafCert | trustme.CA) -> Iterator[int]:
    """A server that shows a certificate and hangs up; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if isinstance(certificate, trustme.CA):
        with certificate.cert_pem.tempfile() as pem, certificate.private_key_pem.tempfile() as key:
            context.load_cert_chain(pem, key)
    else:
        certificate.configure_cert(context)

    def greet() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            connection.settimeout(5)
            context.wrap_socket(connection, server_side=True).close()

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=greet)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


def failure_of(port: int, ours: ssl.SSLContext, encryption: str = "tls", host: str = "localhost") -> str:
    """The error for a mail server that cannot be used."""
    server = email_server({"host": host, "port": port, "encryption": encryption, "user": "a"}, lambda: "hunter2")
    with pytest.raises(OutwardError) as refused:
        SmtpMailer(server, "a@example.com", context=ours, time_out=1.0).check()
    assert "hunter2" not in str(refused.value)
    return str(refused.value)


def test_each_certificate_error_has_its_own_message(authority: trustme.CA, ours: ssl.SSLContext) -> None:
    past, long_past = datetime(2020, 2, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    with greeting_with(authority.issue_cert("localhost", not_after=past, not_before=long_past)) as port:
        assert "has a certificate that has expired" in failure_of(port, ours)
    with greeting_with(authority.issue_cert("mail.example.com")) as port:
        assert "has a certificate for another name" in failure_of(port, ours)
    with greeting_with(authority.issue_cert("localhost")) as port:
        assert "has a certificate for another name" in failure_of(port, ours, host="127.0.0.1")
    with greeting_with(trustme.CA().issue_cert("localhost")) as port:
        assert "from an authority that is not" in failure_of(port, ours)
    with greeting_with(trustme.CA()) as port:
        assert "has a self-signed certificate" in failure_of(port, ours)


def test_other_connection_errors_have_their_own_messages(authority: trustme.CA, ours: ssl.SSLContext) -> None:
    port = free_port()
    assert f"cannot be reached: nothing answers on port {port}" in failure_of(port, ours)
    no_name = failure_of(587, ours, "starttls", "no-such-host.invalid")
    assert "no-such-host.invalid cannot be reached" in no_name
    with served(Post(), authority) as port:
        assert "does not encrypt from the start on this port; choose STARTTLS" in failure_of(port, ours)
    with served(Post(), authority) as port:
        assert "does not offer the encryption" in failure_of(port, ours, "starttls")
    with served(Post(), authority, encrypts="always") as port:
        # It waits for the first word of whoever calls.
        assert "does not answer; if it encrypts from the start, choose TLS" in failure_of(port, ours, "starttls")


def test_a_test_of_the_settings_soon_reports_a_silent_server(
    authority: trustme.CA, ours: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (smtp, mailbox):
        monkeypatch.setattr(module, "GREETING_TIME_OUT", 0.2)
    with served(Post(), authority, encrypts="always") as port:
        settings = {"host": "localhost", "port": port, "encryption": "starttls", "user": "a"}
        mailer = SmtpMailer(email_server(settings, lambda: "p"), "a@example.com", context=ours, time_out=60.0)
        box = Mailbox(mailbox_server({**settings, "folder": "INBOX"}, lambda: "p"), context=ours, time_out=60.0)
        for check in (mailer.check, box.end):
            started = time.monotonic()
            with pytest.raises(OutwardError, match="does not answer; if it encrypts from the start, choose TLS"):
                check()
            assert time.monotonic() - started < 20


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_saved_password_signs_in_as_it_was_typed(
    saved: SavedServices, authority: trustme.CA, ours: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    from tests.support import mail_server

    monkeypatch.setattr(mail_server, "PASSWORD", password)
    post = Post()
    with served(post, authority, encrypts="always") as port:
        values = {**VALUES, "host": "localhost", "port": port, "user": mail_server.USER}
        saved.save(EMAIL, values, password, FILE)
        server = email_server(saved.values(EMAIL), lambda: saved.secret(EMAIL))
        mailer = SmtpMailer(server, "team@example.com", context=ours)
        mailer.check()
        assert post.taken == []
        mailer.send("anna@example.com", "Hello", "Text")
    assert post.signed_in == [True]


def test_a_mailbox_says_why_it_cannot_be_reached() -> None:
    server = Server("localhost", free_port(), "never", "a", lambda: "hunter2")
    with pytest.raises(OutwardError, match="nothing answers on port") as refused:
        Mailbox(server).end()
    assert "hunter2" not in str(refused.value)
