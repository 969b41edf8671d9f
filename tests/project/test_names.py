"""Names in the program: nouns for what variables and parameters hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CRM = Path(__file__).resolve().parents[2] / "crm"
# Words that carry no noun.
EMPTY = {"each", "told", "said", "there", "found", "shown", "given", "wanted"}
# Only files with something like `told =` are parsed.
LIKELY = re.compile(rf"(?:\b|\b_)(?:{'|'.join(sorted(EMPTY))})\b *(?:[:=,)]|in\b)")


def bound(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The variables, parameters and attributes of a module, with the line of each; fields of records and results are
    known to scripts by their names, and left out."""
    fields = {part.target for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for part in annotated(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields:
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr.lstrip("_")


def annotated(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [part for part in node.body if isinstance(part, ast.AnnAssign)]


def test_variables_parameters_and_attributes_are_nouns() -> None:
    texts = {path: path.read_text("utf-8") for path in sorted(CRM.rglob("*.py"))}
    assert [
        f"{path.relative_to(CRM)}:{line} {name}"
        for path, text in texts.items()
        if LIKELY.search(text)
        for line, name in bound(ast.parse(text))
        if name in EMPTY
    ] == []
