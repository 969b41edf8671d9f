"""Text that people write, as Markdown, made into what a mail shows: simple HTML, and plain text."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from crm.outward.sanitizing import prose

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

    def validateLink(self, url: str) -> bool:
        return _LINKED.match(url) is not None


def html(text: str) -> str:
    """The text as a page of simple HTML: no HTML of its own, links to http, https and mailto only, no pictures."""
    return _PAGE.format(body=_markdown().render(prose(text)))


def plain(text: str) -> str:
    """The text as one reads it without HTML: lists and quotes stay, an address stands behind what links to it."""
    tree = SyntaxTreeNode(_markdown().parse(prose(text)))
    return _blocks(tree.children) + "\n"


def escaped(value: str) -> str:
    """Escape a value from a record for such a text, so that no sign in it means anything."""
    return _SIGNS.sub(r"\\\1", _LINE_BEGINS.sub("", prose(value)).strip())


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
    return text if address in (text, f"mailto:{text}") else f"{text} ({address})"


def _led(text: str, first: str, others: str | None = None) -> str:
    """The text with something before its first line, and as much room or the same before the others."""
    rest = " " * len(first) if others is None else others
    return "\n".join(f"{rest if at else first}{part}".rstrip() for at, part in enumerate(text.split("\n")))
