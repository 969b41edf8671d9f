"""Unsubscribing from mailings: the link in each one, and the effect of following it."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from crm.commands.context import CRM
from crm.commands.mail import unsubscribing
from crm.commands.mail.unsubscribing import UnsubscribeRequest
from crm.errors import RefusedError
from crm.model import Client
from crm.outward.markdown import html, plain
from crm.outward.mime import composed
from crm.outward.outgoing import Mail, Party
from tests.commands.conftest import Office
from tests.conftest import Store

ORIGIN = "https://crm.example.com"


def mailing(office: Office, origin: str = "", sender: str = "Team <team@example.com>") -> CRM:
    """The CRM where mail is set up, over the same store."""
    from crm.app import open_outward

    config = replace(office.crm.config, smtp_url="smtp://127.0.0.1:1", mail_from=sender, origin=origin)
    return replace(office.crm, config=config, outward=open_outward(config))


def anna(office: Office) -> Client:
    return office.add(first_name="Anna", last_name="Fox", email="anna@example.com", marketing_consent=True)


def test_each_unsubscribe_link_identifies_its_recipient(office: Office) -> None:
    client, other = anna(office), office.add(last_name="Other")
    crm = mailing(office, ORIGIN)
    web, mail = unsubscribing.links(crm, client, "anna@example.com")
    assert web.startswith(f"{ORIGIN}/opt-out/")
    assert mail.startswith("mailto:team@example.com?subject=Unsubscribe%20")
    for text in (
        web.removeprefix(f"{ORIGIN}/opt-out/"),
        unquote(mail.partition("subject=")[2]),
        f"Re: {unquote(mail)}",
    ):
        assert unsubscribing.wish_in(crm, text) == UnsubscribeRequest(client.id, "anna@example.com")
    assert unsubscribing.links(crm, other, "anna@example.com")[0] != web
    assert len(unsubscribing.links(mailing(office), client, "anna@example.com")) == 1
    assert unsubscribing.links(office.crm, client, "anna@example.com") == ()


def test_any_address_fits_into_a_mail(office: Office) -> None:
    client = anna(office)
    longest = "ü" * 32 + "@" + ".".join(["b" * 60] * 3) + ".com"
    crm = mailing(office, ORIGIN, "büro+x&y?=@müller.example")
    found = unsubscribing.links(crm, client, longest)
    mail = Mail(
        message_id="<1@example.com>",
        at=datetime.now(UTC),
        sender=Party("team@example.com"),
        to=(Party("anna@example.com"),),
        subject="News",
        text="News",
        unsubscribe=found,
    )
    assert all(link in composed(mail)["List-Unsubscribe"] for link in found)
    assert unsubscribing.wish_in(crm, unquote(found[1])) == UnsubscribeRequest(client.id, longest)


def test_the_line_at_the_end_says_what_to_do_in_any_mail(office: Office) -> None:
    client = anna(office)
    web, mail = unsubscribing.links(mailing(office, ORIGIN), client, "anna@example.com")
    assert f'<a href="{web}">unsubscribe</a>' in html(
        unsubscribing.footer(mailing(office, ORIGIN), client, client.email)
    )
    assert f"unsubscribe ({web})" in plain(unsubscribing.footer(mailing(office, ORIGIN), client, client.email))
    assert f'<a href="{mail}">unsubscribe</a>' in html(unsubscribing.footer(mailing(office), client, client.email))
    assert "reply to this one" in unsubscribing.footer(office.crm, client, client.email)


def test_a_changed_or_forged_unsubscribe_link_is_refused(office: Office) -> None:
    client = anna(office)
    crm = mailing(office, ORIGIN)
    token = unsubscribing.links(crm, client, "anna@example.com")[0].rpartition("/")[2]
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    elsewhere = replace(crm, outward=replace(crm.outward, key=lambda _: b"another"))
    for text in ("", "x" * 40, token[:-4], swapped, token[1:], f"{token}AAAA", token.lower(), "ü" * 60, "_" * 999):
        assert unsubscribing.wish_in(crm, text) is None, text
        assert not unsubscribing.follow(crm, text, act=True)
    assert unsubscribing.wish_in(elsewhere, token) is None
    assert office.client(client).marketing_consent


def test_opening_an_unsubscribe_link_changes_nothing(office: Office) -> None:
    client = anna(office)
    crm = mailing(office, ORIGIN)
    (link, _) = unsubscribing.links(crm, client, "anna@example.com")
    before = office.everything()
    assert unsubscribing.follow(crm, link, act=False)
    assert office.everything() == before
    assert unsubscribing.follow(crm, link, act=True)
    assert not office.client(client).marketing_consent
    done = office("history list", 1)[0]
    assert (done.user, done.what) == ("anna@example.com", "opted out of mailings, asked for by anna@example.com")
    # Once is enough.
    after = office.everything()
    assert unsubscribing.follow(crm, link, act=True)
    assert office.everything() == after
    with pytest.raises(RefusedError, match="An opt-out cannot be undone"):
        office("history undo", done.id)
    assert not office.client(client).marketing_consent


def test_an_unsubscribe_link_applies_to_all_clients_with_the_address(office: Office) -> None:
    first, second = anna(office), anna(office)
    apart = office.add(last_name="Apart", email="apart@example.com", marketing_consent=True)
    crm = mailing(office, ORIGIN)
    wish = unsubscribing.wish_in(crm, unsubscribing.links(crm, first, "anna@example.com")[0])
    assert wish is not None
    office("clients delete", first, yes=True)
    assert [client.id for client in unsubscribing.opt_out(crm, wish)] == [second.id]
    assert [client.marketing_consent for client in office.clients()] == [False, True]
    office("clients delete", office.client(second), yes=True)
    assert unsubscribing.opt_out(crm, wish) == []
    assert office.client(apart).marketing_consent


def test_an_opt_out_by_a_signed_in_user_has_their_name(office: Office) -> None:
    client = anna(office)
    account = office("users add", "ada@example.com", "Ada Admin", "admin")
    who = office.crm.accounts.open().authentication.sign_in("ada@example.com", account.password)
    crm = office.crm.enter(office.crm, who)
    unsubscribing.opt_out(crm, UnsubscribeRequest(client.id, "anna@example.com"))
    assert not office.client(client).marketing_consent
    assert office("history list", 1)[0].user == "Ada Admin"


def test_unsubscribing_is_the_same_on_every_store(store: Store, office: Office) -> None:
    crm = replace(mailing(office, ORIGIN), repository=store.repository)
    client = store.add(email="anna@example.com", marketing_consent=True)
    (link, _) = unsubscribing.links(crm, client, "anna@example.com")
    assert unsubscribing.follow(crm, link, act=True)
    assert not store.client(client).marketing_consent
    with store.repository.read() as snapshot:
        assert snapshot.history(1)[0].user == "anna@example.com"
    assert store.wrong() == []
