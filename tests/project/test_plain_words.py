"""Plain English in the program and its documents: no words or phrases that readers stumble over."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[2]
# Each of these has a plain word instead: undo, delete, snooze, reassign, anyway, optional, by default, fix, no results.
_PHRASES = re.compile(
    r"\bin vain\b|\b(?:unless|is|are|was|not) told\b|\bof whom\b|\ball the same\b"
    r"|\bt(?:ake|akes|ook|aken|aking)(?: it)? back\b|\bsilent since\b|\bhand(?:ed|s)? over\b|\bputs? off\b"
    r"|\bnothing (?:fits|there)\b|\bleaves it out\b|\bby its place\b|\bstanding orders?\b|\bwhoever\b"
    r"|\bsomebody else (?:has )?changed\b|\bmend(?:ed)?\b|\bin per cent\b|\blies in the (?:past|future)\b"
    r"|\bnot done after all\b|\bno rule fits\b|\bwhat waits\b|\b(?:is|are|was) called so\b|\bas one types\b"
    r"|\bfor yourselves\b|\bthere are still\b|\bstands? (?:on|in|below|above) the\b|\brefused for good\b"
    r"|\boffered no more\b|\bin spite of\b|\bto whom\b|\bdone already\b"
    r"|\bthat of the (?:team|template|program|settings|client)\b|\btelephone number (?:is|that|does|yet)\b"
    r"|\b(?:is|are) there already\b|\bper cent\b"
    r"|\banew\b|\bas it stands\b|\bstands? (?:alone|at|there|before|where)\b|\bwhat (?:stood|stands)\b"
    r"|\bat place\b|\bsee there\b|\btold before\b|\bturned? round\b|\bright behind\b|\bthan one waits\b"
    r"|\b(?:has|have) not the\b|\bgoing on in\b|\bnot used just before\b|\banybody has saved\b|\bput it right\b"
    r"|\bnobody is called\b|\bany key goes on\b|\bleft without saving\b|\beverything agrees\b|\bno choice here\b"
    r"|\bgo on writing\b|\bwhat is the client\b|\bwhat begins so\b"
    r"|\bcome in as\b|\bstay out\b|\bno data (?:yet|for this)\b|\bmay hold\b"
    r"|\bseparated in another way\b|\bmarks and unmarks\b|\bagain to turn it\b|\bsince a day\b"
    r"|\bwhat still stands\b|\btags to take off\b|\bas each of them has it\b|\ball there are\b|\ball that fit\b"
    r"|\bmay be the same:|\bwhy has a\b|\bwho would move\b|\bnobody moves\b|\blose it\b"
    r"|\bmay bring\b|\bwas to close\b|\bcomes in from the side\b|\bis in lost now\b"
    r"|\bwho has what to do\b|\bthe line ends in no\b|\bcould be meant\b|\bfound by that\b"
    r"|\bneither a client nor\b|\blook and send\b|\bread all of it\b|\bwrite to many\b|\band lost when\b"
    r"|\bwho is left out\b|\bwant such e-mails\b|\bwhatever identifies\b|\bread it otherwise\b|\bworth a look\b"
    r"|\bending says how\b|\bmake it first\b|\bin the store by\b|\buntil now\b|\bnew password holds\b"
    r"|\basked for besides\b|\bwhat to fill in\b|\bhow lately\b"
    r"|\bmoney and dates are written\b|\blike it are\b|\bnames no store\b"
    r"|\beverybody's\b|\bthe last on\b|\bas before\b|^go on\b"
    r"|\bwin it\b|\bopen it again\b|\bis read for\b|\bchanged the same\b(?! field)|\bbest fifth\b",
    re.IGNORECASE,
)
# Stores keep what older versions wrote.
_KEPT = {"took back "}
# The first is a table of what not to write, the other a record of the past.
_ABOUT_WORDS = {"design.md", "decisions.md"}
_JOINED = re.compile(r"^[^\n]*[\w)`”}]; [^\n]*[a-z)`”}]\.$", re.MULTILINE)


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module with their lines, with {} for what is filled in; without docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    known = parts | {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            yield node.lineno, node.value


@cache
def _program() -> list[tuple[Path, int, str]]:
    """All texts of the program: each module is parsed once for all tests."""
    return [(path, line, text) for path in sorted((_ROOT / "crm").rglob("*.py")) for line, text in _texts(path)]


def test_no_text_of_the_program_has_a_phrase_that_readers_stumble_over() -> None:
    faults = [
        f"{path.relative_to(_ROOT)}:{line}: {phrase.group()!r} in {text!r}"
        for path, line, text in _program()
        if text not in _KEPT and (phrase := _PHRASES.search(text))
    ]
    assert not faults, "\n".join(faults)


def test_no_text_of_the_program_begins_with_there_is_no() -> None:
    """Raised to programmers alone: what is wrong in a PDF that typst has written."""
    faults = [
        f"{path.relative_to(_ROOT)}:{line}: {text!r}"
        for path, line, text in _program()
        if text.lower().startswith(("there is no ", "there are no ", "there is nothing "))
        and path.name != "factur_x.py"
    ]
    assert not faults, "\n".join(faults)


def test_no_text_of_the_program_joins_two_sentences_with_a_semicolon() -> None:
    """An error is two sentences: what is wrong, then what to do. The reason of a FieldError has no full stop: it is
    made into sentences where it is shown. Settings and the values of rules are described, as in a dictionary."""
    described = {"config.py", "metrics.py"}
    kept = {"A delimiter is one character, like , or ; or a tab."}
    faults = [
        f"{path.relative_to(_ROOT)}:{line}: {text!r}"
        for path, line, text in _program()
        if path.name not in described and text not in kept and _JOINED.search(text)
    ]
    assert not faults, "\n".join(faults)


def test_no_page_of_the_browser_has_a_phrase_that_readers_stumble_over() -> None:
    pages = [path for path in sorted((_ROOT / "crm" / "web").rglob("*")) if path.suffix == ".html"]
    faults = [
        f"{path.name}:{number}: {phrase.group()!r}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (phrase := _PHRASES.search(line))
    ]
    assert any(path.suffix == ".html" for path in pages)
    assert not faults, "\n".join(faults)


def test_no_document_has_a_phrase_that_readers_stumble_over() -> None:
    documents = [path for path in sorted((_ROOT / "docs").glob("*.md")) if path.name not in _ABOUT_WORDS]
    faults = [
        f"{path.name}:{number}: {phrase.group()!r}"
        for path in [*documents, _ROOT / "README.md", _ROOT / "CONTRIBUTING.md"]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (phrase := _PHRASES.search(line))
    ]
    assert documents
    assert not faults, "\n".join(faults)
