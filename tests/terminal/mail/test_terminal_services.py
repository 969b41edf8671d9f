"""E-mail setup at the menu: with a real server, and a password that is never shown again."""

import io
import stat
from pathlib import Path
from typing import Any

import pytest
import trustme

from crm.commands.context import CRM
from crm.commands.mail.outbox import refuse_unsendable
from crm.commands.registry import named
from crm.errors import UsageError
from crm.model.paths import at_another_device
from crm.terminal.data.settings import _services
from crm.terminal.drawing.screen import Screen
from crm.terminal.toolkit.session import Session as Page
from tests.support.mail_server import PASSWORD, USER, Post, served
from tests.terminal.conftest import Session, Start

pytestmark = [pytest.mark.end_to_end]


def in_settings(start: Start, crm: CRM, **environment: str) -> Session:
    if crm.repository.is_empty():
        named("clients add")(crm, {"first_name": "Anna"})
    return start(lines=30, **environment).choose("Data").choose("Settings").sees("Company name")


def test_esc_after_the_questions_leads_into_no_hidden_field(start: Start, crm: CRM) -> None:
    session = in_settings(start, crm).choose("Sending e-mail").choose("Set up on this computer").sees("Sender:")
    session.press(USER, "enter").sees("Password (of this account; hidden as you type):").press(PASSWORD, "enter")
    session.sees("1) Save and test it").press("esc")
    session.sees("Discard what you typed?").sees("esc keep editing").press("y").sees("Discarded").sees("1) Set up on")


@pytest.mark.slow
def test_mail_is_set_up_tested_used_and_removed(start: Start, crm: CRM, tmp_path: Path, authority: trustme.CA) -> None:
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    post = Post()
    with served(post, authority, encrypts="always") as port:
        session = in_settings(start, crm, SSL_CERT_FILE=str(trusted))
        session.sees("Sending e-mail not set up").choose("Sending e-mail").sees("Sending e-mail is not set up yet.")
        session.choose("Set up on this computer").sees("Sender:").press(f"Team <{USER}>", "enter")
        session.sees("Password (").press("wrong", "enter").sees("1) Save and test it")
        # Nothing is known of the provider of that address.
        session.sees(f"User name {USER}").choose("Mail server").sees("its name, like").press("localhost", "enter")
        session.choose("Port").sees("Port (").press("kill", str(port), "enter").choose("Encryption")
        session.choose("TLS from the start").sees("Encryption TLS from the start").choose("Save and test it")
        session.sees("Saved on this computer.").sees("does not accept the user and password of the settings")
        session.choose("Edit").sees("1) Save and test it").choose("Password").sees("Enter keeps the saved one")
        session.press(PASSWORD, "enter").sees("1) Save and test it").choose("Save and test it")
        session.sees(f"It works. Signed in at localhost as {USER}.").choose("Send a test e-mail").sees(f"To: {USER}")
        session.press("enter").sees(f"A test went to {USER} over localhost.").choose("Test the connection")
        session.sees("It works.")
        (test,) = post.taken
        assert (test["From"], test["To"], test["Subject"]) == (f"Team <{USER}>", USER, "Test")
        # It is used at once, and by the next program.
        session.press("esc").sees(f"Sending e-mail Team <{USER}>, localhost").press("esc", "esc").sees("Exit")
        session.press("0")
        assert session.exit_code() == 0
        kept = tmp_path / "crm" / "services" / "email.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert [path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()] == [
            kept
        ]
        assert PASSWORD.encode() not in session.raw
        again = (
            in_settings(start, crm, SSL_CERT_FILE=str(trusted))
            .choose("Sending e-mail")
            .choose("Test the connection")
            .sees("It works.")
        )
    again.choose("Remove from this computer").sees("are removed from this computer").choose("Remove them")
    again.sees("were removed from this computer").sees("Sending e-mail is not set up yet.")
    assert not kept.exists()


def test_environment_variables_override_saved_settings_line_by_line(start: Start, crm: CRM) -> None:
    session = in_settings(
        start, crm, CRM_SMTP_URL="smtps://anna:hunter2@mail.example.com", CRM_MAIL_FROM="a@example.com"
    )
    session.sees("a@example.com, mail.example.com (from CRM_MA").choose("Sending e-mail")
    session.sees("Sender a@example.com from CRM_MAIL_FROM").sees("Password (set) from CRM_SMTP_URL")
    session.sees("Encryption TLS from the start from CRM_SMTP_URL").choose("Set up on this computer").sees("Sender:")
    # What the provider says is filled in, and what it demands is said.
    session.press("kill", "me@gmail.com", "enter").sees("Gmail does not accept your usual password here")
    session.sees("Password (")
    session.press("x", "enter").sees("Mail server smtp.gmail.com").sees("Port 587").sees("Encryption STARTTLS")
    session.press("c-c")
    assert b"hunter2" not in session.raw


def test_in_a_browser_the_mail_settings_of_the_server_are_hidden(crm: CRM) -> None:
    """They are the server's there, whoever asks."""
    keyboard: Any = None
    screen = Screen(io.StringIO(), plain=True)
    exchange: Any = object()
    here, elsewhere = Page(crm, keyboard, screen), Page(crm, keyboard, screen, exchange=exchange)
    assert [row.label for row in _services(here)] == ["Sending e-mail", "Reading e-mail", "SMS (Twilio)"]
    assert _services(elsewhere) == []
    with at_another_device(), pytest.raises(UsageError, match="the person who runs the server has to set CRM_SMTP_URL"):
        refuse_unsendable(crm)
