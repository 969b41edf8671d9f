"""Links and copied text: no text of a record reaches a terminal sequence unescaped."""

import base64
import io
import re

import pytest
from rich.text import Text

from crm.model import Client, Conventions
from crm.terminal.clients.rendering import draw_client
from crm.terminal.drawing.links import copied, linked, mail_link, phone_link, web_link, without_links
from crm.terminal.drawing.screen import Screen
from tests.support.clocks import TODAY, standing_on

BY = Conventions(clock=standing_on(TODAY))
COLOURED = {"TERM": "xterm-256color", "COLUMNS": "80"}


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (mail_link("anna.o'neil+x@example.com"), "mailto:anna.o%27neil%2Bx@example.com"),
        (mail_link("änne@example.com"), "mailto:%C3%A4nne@example.com"),
        (mail_link("a@b?subject=x&bcc=y@z"), "mailto:a@b%3Fsubject%3Dx%26bcc%3Dy@z"),
        (mail_link("a@example.com\x1b]8;;x"), ""),
        (mail_link("a@example.com?bcc=eve"), "mailto:a@example.com%3Fbcc%3Deve"),
        (mail_link("no address"), ""),
        (mail_link(""), ""),
        (phone_link("+436601234567"), "tel:+436601234567"),
        (phone_link("0660 / 123-45.67"), "tel:06601234567"),
        (phone_link("+43 660 1234567 ext 5"), ""),
        (phone_link("1-800-FLOWERS"), ""),
        (phone_link("\x1b[31m123"), ""),
        (web_link("https://example.com/a?b=c#d"), "https://example.com/a?b=c#d"),
        (web_link("https://example.com/a b\x1b\\c"), "https://example.com/a%20b%1B%5Cc"),
        (web_link("javascript:alert(1)"), ""),
        (web_link("file:///etc/passwd"), ""),
        (web_link("https://user:secret@example.com"), ""),
        (web_link("https://[::1"), ""),
        (web_link("gold customer"), ""),
    ],
)
def test_a_link_has_a_known_scheme_and_is_encoded(link: str, address: str) -> None:
    assert link == address


def test_copied_text_is_encoded_and_has_no_control_characters() -> None:
    sequence = copied("a\x1b]52;c;x\x07@example.com")
    assert re.fullmatch(r"\x1b\]52;c;[A-Za-z0-9+/=]+\x07", sequence)
    text = base64.b64decode(sequence[7:-1]).decode()
    assert "\x1b" not in text
    assert text.endswith("@example.com")


def test_a_card_has_links_only_in_a_real_terminal() -> None:
    client = Client(
        id=1, kind="person", last_name="Berg", email="a@example.com", phone="+436601234567",
        extra={"site": "https://example.com", "trap": "javascript:x"},
    )  # fmt: skip

    def drawn(*, plain: bool) -> str:
        out = io.StringIO()
        draw_client(Screen(out, plain=plain, environment=COLOURED), client, BY)
        return out.getvalue()

    links = re.findall(r"\x1b]8;id=\d+;([^\x1b]+)\x1b\\", drawn(plain=False))
    assert sorted(links) == ["https://example.com", "mailto:a@example.com", "tel:+436601234567"]
    assert "\x1b" not in drawn(plain=True)


def test_links_are_removed_where_only_colours_are_supported() -> None:
    out = io.StringIO()
    Screen(out, plain=False, environment=COLOURED).print(linked(Text("a@example.com", "bold"), "mailto:a@example.com"))
    assert "]8;" in out.getvalue()
    left = without_links(out.getvalue())
    assert "]8;" not in left
    assert "\x1b[1m" in left
