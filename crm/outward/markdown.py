"""Text that people write, as Markdown, made into what a mail shows: simple HTML, and plain text."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from crm.outward.sanitizing import prose

_BARE = re.compile(r"(?<![\w@/=])https?://[^\s<>\"'`]+", re.IGNORECASE)
_NOT_AT_THE_END = ".,;:!?*_~]}…"
_LINKED = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")
_LINE_BEGINS = re.compile(r"(?m)^[ \t]+")
_PAGE = """\
<!DOCTYPE html>
<html><head><meta charset="utf-8"></head>
<body>
{body}</body></html>
"""


class _Markdown(MarkdownIt):
    """CommonMark in which a line ends where its writer ended it, without HTML and without pictures."""

    def __init__(self) -> None:
        # Pictures from elsewhere would tell their owner who reads the mail, and when.
        super().__init__("commonmark", {"html": False, "breaks": True})
        self.add_render_rule("image", _instead_of_image)
        # Before what was escaped is joined with the rest: an address in a record is text.
        self.core.ruler.before("text_join", "bare_addresses", _link_addresses)

    def validateLink(self, url: str) -> bool:
        return _LINKED.match(url) is not None


class _AnyLinks(_Markdown):
    """The same for a text that is not filled in yet: every address may become one."""

    def validateLink(self, url: str) -> bool:
        return True


def html(text: str) -> str:
    """The text as a page of simple HTML: no HTML of its own, links to http, https and mailto only, no pictures."""
    return _PAGE.format(body=_markdown().render(prose(text)))


def plain(text: str) -> str:
    """The text without HTML: lists and quotes stay, and a link is followed by its address."""
    tree = SyntaxTreeNode(_markdown().parse(prose(text)))
    return _blocks(tree.children) + "\n"


def escaped(value: str) -> str:
    """Escape a value from a record for such a text, so that no sign in it means anything."""
    if value.replace(" ", "a").isalnum():
        return value.strip()
    return _SIGNS.sub(r"\\\1", _LINE_BEGINS.sub("", prose(value)).strip())


def link_value(value: str, *, whole: bool) -> str:
    """A value from a record as a part of the address of a link, or where it is the `whole` address, as that."""
    if not whole:
        return quote(value, safe="")
    written = value if _LINKED.match(value) or ":" in value.partition("/")[0] else f"https://{value}"
    return quote(written, safe="/:?#[]@!$&'*+,;=%~-._")


def code_value(value: str) -> str:
    """A value from a record within code, which it cannot end."""
    return prose(value).replace("`", "'")


def placed_in(text: str, names: Sequence[str]) -> dict[str, str]:
    """The places in a text of words that stand for something else: 'link' within the address of a link, 'whole' at its
    beginning, or 'code'; the others, which are text, are left out."""
    places: dict[str, str] = {}
    # What leads nowhere yet may be the address of a link once it is filled in.
    for node in SyntaxTreeNode(_AnyLinks().parse(prose(text))).walk():
        if node.type in ("code_inline", "fence", "code_block"):
            places |= {name: "code" for name in names if name in node.content}
        elif node.type in ("link", "image"):
            address = str(node.attrs.get("href" if node.type == "link" else "src", ""))
            places |= {name: "whole" if address.startswith(name) else "link" for name in names if name in address}
    return places


def _link_addresses(state: StateCore) -> None:
    """Make links of the addresses that are in a text by themselves."""
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = list(_with_links(block.children))


def _with_links(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type != "text" or depth:
            yield token
            continue
        end = 0
        for match in _BARE.finditer(token.content):
            address = match[0].rstrip(_NOT_AT_THE_END)
            if address.count("(") < address.count(")"):
                address = address.rpartition(")")[0]
            if not address.partition("://")[2]:
                continue
            yield _text_token(token, token.content[end : match.start()])
            opens = Token("link_open", "a", 1, attrs={"href": normalizeLink(address)}, markup="linkify", info="auto")
            yield opens
            yield _text_token(token, address)
            yield Token("link_close", "a", -1, markup="linkify", info="auto")
            end = match.start() + len(address)
        yield _text_token(token, token.content[end:])


def _text_token(like: Token, content: str) -> Token:
    return Token("text", "", 0, content=content, level=like.level)


@cache
def _markdown() -> _Markdown:
    return _Markdown()


def _instead_of_image(_renderer: Any, tokens: Sequence[Token], at: int, *_: Any) -> str:
    return escapeHtml(tokens[at].content)


def _blocks(nodes: Sequence[SyntaxTreeNode], between: str = "\n\n") -> str:
    return between.join(_block(node) for node in nodes)


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "bullet_list" | "ordered_list":
            first = int(node.attrs.get("start", 1))
            tight = all(child.hidden for item in node.children for child in item.children if child.type == "paragraph")
            between = "\n" if tight else "\n\n"
            return between.join(
                _led(_blocks(item.children, between), f"{first + at}. " if node.type == "ordered_list" else "- ")
                for at, item in enumerate(node.children)
            )
        case "blockquote":
            return _led(_blocks(node.children), "> ", "> ")
        case "fence" | "code_block":
            return _led(node.content.rstrip("\n"), "    ")
        case "hr":
            return "-" * 20
    return "".join(_inline(child) for child in node.children)


def _inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return node.content
    text = "".join(_inline(child) for child in node.children)
    if node.type != "link":
        return text
    address = str(node.attrs["href"])
    if node.info == "auto":
        return text
    return text if address in (text, f"mailto:{text}") else f"{text} ({address})"


def _led(text: str, first: str, others: str | None = None) -> str:
    """The text with something before its first line, and as much room or the same before the others."""
    rest = " " * len(first) if others is None else others
    return "\n".join(f"{rest if at else first}{part}".rstrip() for at, part in enumerate(text.split("\n")))
