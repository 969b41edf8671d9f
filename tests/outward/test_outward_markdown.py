"""Markdown as people write it, as HTML and as plain text; text from records never acts as markup."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.outward.markdown import escaped, html, plain
from crm.outward.sanitizing import prose

signs = st.text(st.sampled_from("*_`#>-+=[]()!<>&\\~|.:@/\"'1a \n\t") | st.characters(codec="utf-8"), max_size=80)
HARMLESS = {
    "html", "head", "meta", "body", "p", "br", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr",
    "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip


class Page(HTMLParser):
    """The elements of a page, where its links lead, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(signs)
def test_any_markdown_becomes_only_simple_html(text: str) -> None:
    page = Page(html(text))
    assert page.elements <= HARMLESS
    for name, value in page.attributes:
        assert name in ("href", "title", "start", "class", "charset")
        if name == "href":
            assert re.match(r"(https?://|mailto:)", value, re.IGNORECASE)


@given(signs)
def test_text_from_a_record_is_plain_text(value: str) -> None:
    text = escaped(value)
    shown = "\n".join(part.strip(" \t") for part in prose(value).split("\n")).strip()
    if shown.isprintable():
        assert plain(f"Dear {text}!") == f"Dear {shown}!\n"
        assert plain(text).strip() == shown
    page = Page(html(f"Dear {text}!"))
    assert page.elements <= {"html", "head", "meta", "body", "p", "br"}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "[x](javascript:alert(1))", "[x](data:text/html,hi)", "<javascript:alert(1)>",
        "[x](JaVaScRiPt:alert(1))", "[x](vbscript:x)", "[x](file:///etc/passwd)", "[x](//example.com)", "[x](/path)",
        "[x]: javascript:x\n\n[x]", "<img src=http://example.com/x.gif>",
    ],
)  # fmt: skip
def test_hostile_markdown_makes_no_script_image_link_or_frame(text: str) -> None:
    assert Page(html(text)).elements.isdisjoint({"script", "img", "a", "iframe"})


def test_pictures_are_not_fetched() -> None:
    assert "http://example.com" not in html("![a duck](http://example.com/track.gif)")
    assert "<p>a duck</p>" in html("![a duck](http://example.com/track.gif)")
    assert plain("![a duck](http://example.com/track.gif)") == "a duck\n"


def test_the_plain_text_version_is_readable() -> None:
    text = """\
# Offer

Dear *Anna*,
we **met** at the `fair`. See <https://example.com>, [our list](https://example.com/list) or <sales@example.com>.

- one
- two
  with more
  1. inner
  2. again

3. third

4. fourth

> You wrote
> this

```
1 < 2
```

***
Regards\\
Ben"""
    assert (
        plain(text)
        == """\
Offer

Dear Anna,
we met at the fair. See https://example.com, our list (https://example.com/list) or sales@example.com.

- one
- two
  with more
  1. inner
  2. again

3. third

4. fourth

> You wrote
> this

    1 < 2

--------------------

Regards
Ben
"""
    )


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see https://x.example/a_b_c.", "https://x.example/a_b_c"),
        ("(https://x.example/y)", "https://x.example/y"),
        ("https://en.example.org/A_(b)", "https://en.example.org/A_(b)"),
        ("HTTP://x.example, and more", "HTTP://x.example"),
        ("**https://x.example/**", "https://x.example/"),
    ],
)
def test_a_bare_address_becomes_a_link(text: str, link: str) -> None:
    assert f'<a href="{link}">{link}</a>' in html(text)
    assert plain(text).strip() == text.strip("*")


@pytest.mark.parametrize(
    "text", ["`https://x.example/`", "https\\://x.example/", "x@https://y", "https://", "ftp://x.y"]
)
def test_text_that_is_not_an_address_is_not_a_link(text: str) -> None:
    assert "<a " not in html(text)
