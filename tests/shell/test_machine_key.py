"""Unattended commands by an API key, on a store with accounts: run as cron runs them."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.accounts import SignedIn
from crm.app import open_crm, open_menu
from crm.commands.context import CRM
from crm.commands.registry import named
from crm.config import from_environment
from crm.model import Client, MachineKey
from crm.web.terminals.environment import menu_environment
from run import menu_loop
from tests.support import servers
from tests.support.clocks import TODAY, now_on
from tests.support.command_line import CommandLine
from tests.support.dovecot import Dovecot
from tests.support.firm import SELLER
from tests.support.mail_server import Post, served
from tests.support.twilio import FROM, standing_in

authority, dovecot_server = servers.authority, servers.dovecot_server

PASSWORD = "a kettle, two spoons and rain"


class Cron(CommandLine):
    """A store with a client and an admin, on a machine on which nobody is signed in; `key` makes a key."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        monkeypatch.setenv("XDG_DATA_HOME", self.environment["XDG_DATA_HOME"])
        self.did(
            "clients", "add", "--first-name", "Anna", "--last-name", "Arm", "--email", "anna@example.com",
            "--date-of-birth", TODAY.replace(year=1980).isoformat(), "--marketing-consent",
            "--phone", "+436641234567",
        )  # fmt: skip
        for channel, words in (("email", ("--subject", "Happy birthday")), ("sms", ())):
            self.did("templates", "add", channel, "--channel", channel, *words, "--body", "From {my_name}")
            self.did("occasions", "add", f"by {channel}", "--on", "birthday", "--template", channel)
        with self.opened() as crm:
            crm.accounts.open().administration.add(email="ada@example.com", name="Ada", role="admin", password=PASSWORD)

    @contextmanager
    def opened(self) -> Iterator[CRM]:
        """The store as a program of its own has it."""
        crm = open_crm(from_environment({**self.environment, "CRM_NOW": now_on()}))
        try:
            yield crm
        finally:
            crm.accounts.open().close()
            crm.repository.close()

    def as_admin(self, words: str, *settings: Any) -> Any:
        """Run a command as the admin."""
        with self.opened() as crm:
            accounts = crm.accounts.open()
            who = accounts.authentication.sign_in("ada@example.com", PASSWORD)
            assert isinstance(who, SignedIn)
            done = named(words)(crm.enter(crm, who), *settings)
            accounts.sessions.end(who.session)
            return done

    def key(self, may: str = "mail") -> str:
        made: str = self.as_admin("keys add", "nightly", may).secret
        return made

    def revoke(self) -> None:
        with self.opened() as crm, crm.repository.read() as snapshot:
            (key,) = snapshot.find_all(MachineKey)
        self.as_admin("keys revoke", key, True)


@pytest.fixture
def cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cron:
    return Cron(tmp_path, monkeypatch)


def test_a_backup_key_can_do_nothing_else(cron: Cron) -> None:
    key, file = cron.key("backup"), cron.folder / "copy.sqlite3"
    assert "Sign in first" in cron.refused("backup", str(file))
    cron.did("backup", str(file), CRM_KEY=key)
    assert file.is_file()
    for words in (
        "clients list",
        "email outbox",
        "export --what all",
        "history list",
        "users list",
        "keys list",
        "check",
    ):
        answer = cron(*words.split(), CRM_KEY=key)
        assert (answer.code, answer.out, "may not use" in answer.err) == (3, "", True), words
    # Not even where the store cannot be read, which its owner mends without signing in.
    assert "may not use" in cron.refused("restore", str(file), "--yes", code=3, CRM_KEY=key)
    assert "nightly (key) may not use “clients delete”" in cron.refused("clients", "delete", "1", code=3, CRM_KEY=key)
    done = cron.as_admin("history list")
    assert [entry.what for entry in done if entry.user == "nightly (key)"] == ["used the key"]


def test_an_invalid_key_exits_with_1_and_one_message(cron: Cron) -> None:
    key = cron.key()
    assert cron("email", "outbox", CRM_KEY=key).code == 0
    cron.revoke()
    for wrong in (key, "crm_key_x", "guessed"):
        answer = cron.refused("email", "outbox", CRM_KEY=wrong)
        assert answer.startswith("The key does not work here: it was revoked")
        assert wrong not in answer
    assert cron("email", "outbox", "--json", CRM_KEY=key).error["error"] == "sign_in_refused"
    # Nothing is fallen back to: neither the sign-in of this machine nor a store without accounts.
    assert "has no key" in cron.refused("email", "outbox", code=2, CRM_KEY=" ")
    other = f"sqlite:///{cron.folder / 'other.sqlite3'}"
    cron.did("clients", "add", "--last-name", "Bein", CRM_STORE=other)
    assert "no accounts" in cron.refused("clients", "list", CRM_KEY=key, CRM_STORE=other)


def test_a_key_comes_from_a_file_that_only_its_owner_reads(cron: Cron) -> None:
    file = Path(cron.write("key", f"{cron.key()}\n"))
    settings = {"CRM_KEY_FILE": str(file)}
    file.chmod(0o600)
    assert cron("email", "outbox", **settings).code == 0
    file.chmod(0o640)
    assert f"chmod 600 {file}" in cron.refused("email", "outbox", **settings)
    file.chmod(0o600)
    file.write_bytes(b"\xff\xfe")
    assert "has no key" in cron.refused("email", "outbox", **settings)
    file.write_text("")
    assert "has no key" in cron.refused("email", "outbox", code=2, **settings)
    file.unlink()
    assert "cannot be read" in cron.refused("email", "outbox", **settings)
    assert "Set one of them" in cron.refused("email", "outbox", code=2, CRM_KEY="x", **settings)


def test_a_key_opens_no_menu_and_reaches_no_browser(cron: Cron) -> None:
    out = io.StringIO()
    open_menu(io.StringIO("\n"), out, menu_loop, {**cron.environment, "CRM_KEY": cron.key()})
    assert "Sign in" in out.getvalue()
    assert "Arm" not in out.getvalue()
    passed = menu_environment({"CRM_KEY": "x", "CRM_KEY_FILE": "y", "CRM_USER": "anna"})
    assert {"CRM_KEY", "CRM_KEY_FILE"}.isdisjoint(passed)
    assert passed["CRM_USER"] == "anna"


@pytest.mark.slow
def test_cron_sends_and_fetches_mail_with_a_key(cron: Cron, dovecot_server: Dovecot, authority: trustme.CA) -> None:
    key, post = cron.key(), Post()
    dovecot_server.make("Cron")
    letter = (
        "From: anna@example.com\r\nTo: team@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHi\r\n"
    )
    dovecot_server.put("Cron", letter.encode())
    with served(post, authority) as port, standing_in() as twilio:
        settings = {
            "CRM_KEY": key, "CRM_SMTP_URL": f"smtp://127.0.0.1:{port}", "CRM_MAIL_FROM": "team@example.com",
            "CRM_IMAP_URL": dovecot_server.url("Cron"), "TWILIO_ACCOUNT_SID": "AC-stand-in",
            "TWILIO_AUTH_TOKEN": "the token", "TWILIO_FROM": FROM, "CRM_TWILIO_URL": twilio.url,
        }  # fmt: skip
        assert cron.did("email", "due", **settings)["sent"]["sent"] == 2
        # In the name of whoever set the greeting up, who is Ada since she has an account, and not in that of the key.
        assert "From Ada" in str(post.taken[0])
        assert cron.did("email", "fetch", **settings)["filed"] == 1
        twilio.inbound = [("+436641234567", "STOP")]
        assert cron.did("sms", "fetch", **settings)["stopped"] == ["+436641234567"]
        assert cron.did("email", "outbox", **settings)["sent"] == 0
        for name, value in SELLER.items():
            cron.as_admin("settings set", name, value)
        with cron.opened() as crm, crm.repository.read() as snapshot:
            anna = snapshot.get(Client, 1)
        anna = cron.as_admin("clients edit", anna, {"address": "Weg 1", "city": "Wien", "country": "AT"})
        draft = cron.as_admin("invoices add", anna, ["3 h Consulting 100 19%"]).invoice
        late = TODAY - timedelta(days=30)
        cron.as_admin("invoices issue", draft, late, late)
        # The levels that the team has set are read by the key as well.
        cron.as_admin("reminders levels set", 1, 3, Decimal("4.50"))
        (reminded,) = cron.did("reminders", "run", "--yes", **settings)["reminded"]
        assert [asked["fee"] for asked in reminded["amounts"]] == ["4.50"]
        assert cron.did("reminders", "run", "--yes", **settings)["reminded"] == []
    by_key = {entry.what for entry in cron.as_admin("history list", 100) if entry.user == "nightly (key)"}
    assert {"used the key", "read replies to text messages", "greeted 2 clients"} <= by_key
    assert not cron.as_admin("check").wrong
