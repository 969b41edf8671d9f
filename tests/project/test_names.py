"""Names in the program: nouns for what variables and parameters hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Words that carry no noun; the tests keep the second four.
EMPTY = {"each", "told", "said", "there", "its"}
ALSO_EMPTY = {"found", "shown", "given", "wanted"}
# Parts of names that carry no noun, or have a better one: a token, a status, a rollback or repair, permissions, HTML.
POOR_PARTS = {
    "told", "untold", "said", "unsaid", "there", "its", "whom", "ticket", "tickets", "verdict", "verdicts", "mend",
    "mended", "mending", "carrier", "carriers", "rehearse", "rehearsal", "reach", "hypertext", "desk", "anew",
}  # fmt: skip
# What the field calls otherwise, as a name or part of one, with its term.
BETTER = {
    r"_?note_created": "audit",
    r"being_sent": "sending",
    r"_?Stay": "time in stage",
    r"of_whom|how_many": "a noun",
    r"_?InVain": "blocked",
}
# Heads of docstrings that are neither a noun phrase nor an imperative, or leave the reader to guess. People read
# what the live check proves, so those are sentences.
VAGUE_HEAD = re.compile(
    r' *"""(What|Whether|Which|Who|Whose|Whom|Whoever|How|Why|When|While|That|Where|Before|After|By|With|So|It|'
    r"There|Nobody|Handed|Done|Adds|Answers|Asks|Brings|Calls|Counts|Deletes|Does|Draws|Ends|Finds|Forgets|Forks|Gives|"
    r"Goes|Has|"
    r"Hands|Joins|Keeps|Leaves|Lets|Looks|Makes|Marks|Opens|Prints|Puts|Raises|Refuses|Registers|Remembers|Removes|"
    r"Returns|Runs|Says|Sends|Shows|Sorts|Starts|Swallows|Takes|Tells|Tries|Turns|Waits|Writes|"
    r"(Changes|Checks|Lists|Moves|Reads|Sets)(?= an? | the ))\b"
)


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


def empty_names(folder: Path, empty: set[str]) -> Iterator[str]:
    # Only files with something like `told =` are parsed.
    likely = re.compile(rf"(?:\b|\b_)(?:{'|'.join(sorted(empty))})\b *(?:[:=,)]|in\b)")
    for path in sorted(folder.rglob("*.py")):
        if likely.search(text := path.read_text("utf-8")):
            yield from (
                f"{path.relative_to(ROOT)}:{line} {name}" for line, name in bound(ast.parse(text)) if name in empty
            )


def test_names_are_those_of_the_field() -> None:
    odd = re.compile("|".join(rf"\b{name}\b" for name in BETTER))
    assert [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted((ROOT / "crm").rglob("*.py"))
        for match in odd.finditer(path.read_text("utf-8"))
    ] == []


def test_docstrings_begin_with_a_noun_phrase_or_an_imperative() -> None:
    vague = []
    folders = ("crm", "tests", "benchmarks", "docs")
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        lines = enumerate(path.read_text("utf-8").splitlines(), 1)
        vague += [f"{path.relative_to(ROOT)}:{number}: {line}" for number, line in lines if VAGUE_HEAD.match(line)]
    assert vague == [], "name the thing (The reason why …, A sender of …), or say what to do (Return …, Send …)"


def test_names_of_tests_begin_with_their_subject() -> None:
    vague = re.compile(r"def test_(what|whatever|who|whom|whose|whoever|which|it|whether|how|why|when|where)_\w*")
    texts = {path.relative_to(ROOT): path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py"))}
    assert [f"{path}: {match[0]}" for path, text in texts.items() for match in vague.finditer(text)] == []


def test_variables_parameters_and_attributes_are_nouns() -> None:
    assert [*empty_names(ROOT / "crm", EMPTY | ALSO_EMPTY), *empty_names(ROOT / "tests", EMPTY)] == []


def test_names_of_the_pages_are_nouns_too() -> None:
    word = "|".join(sorted(EMPTY | ALSO_EMPTY))
    # A variable, a function, a parameter, an attribute and a method; the id of an element, and a colour.
    names = re.compile(
        rf"\b(?:const|let|var|function)\s+(?:{word})\b|\bthis\.(?:{word})\b|[(,]\s*(?:{word})(?:\s*,[^()]*)?\)\s*(?:=>|\{{)|"
        rf"\b(?:{word})\s*=>|^\s*(?:{word})\(.*\{{$|\b(?:id=|part\()\"(?:{word})\"|--(?:{word})\b",
        re.MULTILINE,
    )
    pages = [path for path in sorted((ROOT / "crm" / "web").rglob("*")) if path.suffix in (".js", ".html", ".css")]
    assert len(pages) > 15
    texts = {path.relative_to(ROOT): path.read_text("utf-8") for path in pages}
    assert [f"{path}: {match[0]}" for path, text in texts.items() for match in names.finditer(text)] == []


def test_no_part_of_a_name_is_a_word_without_a_noun() -> None:
    part = "|".join(sorted(POOR_PARTS))
    # But for `how_to_mend`, a key of the JSON of `check`.
    joined = rf"(?<=_)(?<!how_to_)(?:{part})(?=_|\b)|\b(?:{part})(?=_\w)|(?<=[a-z])(?:{part.title()})(?=[A-Z]|\b)"
    whole = rf"(?:def |for |self\.|[(,] ?)(?:{part})(?=\(| in |: | = )|^ *(?:{part})(?=: | = )"
    poor = re.compile(f"{joined}|{whole}", re.MULTILINE)
    assert [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted((ROOT / "crm").rglob("*.py"))
        for match in poor.finditer(path.read_text("utf-8"))
    ] == [], "a noun of the field: token, status, repair, rollback, permissions …"
