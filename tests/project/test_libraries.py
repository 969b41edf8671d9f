"""Limits on libraries: no private names of theirs, and no cache that grows with the data."""

import re
from functools import cache
from pathlib import Path

CRM = Path(__file__).resolve().parents[2] / "crm"

# The parts of libraries that they keep to themselves and that are used all the same, as nothing else of theirs does it.
# What they remember for themselves is none of them: prompt_toolkit's caches were once emptied after each question.
PRIVATE = {
    "_mapping": "SQLAlchemy, where it is documented: a row by the names of its columns",
    "_key_to_index": "SQLAlchemy: the places of a row's columns, without which there is no row",
    "_check_version": "typer: whether the shell's completion is of this version of bash",
    "_imap": "imapclient: the connection, so that no more of a message is read than is wanted",
    "_opt_close": "xlsxwriter: the temporary file of a sheet after an error",
    "_get_source": "openpyxl: the XML of a sheet that is read row by row",
    "_number_formats": "openpyxl: how the cells of a workbook look",
    "_in_bracketed_paste": "prompt_toolkit: whether what comes is pasted",
    "_get_match": "prompt_toolkit: the key that a sequence stands for",
    "_exit": "os: the end of a forked process",
}
# Functions whose answers are kept for good though they take a text: what there is of these is known beforehand.
KEPT_FOR_GOOD = {
    "_words": "the name of a kind of database",
    "_statements": "the name of a kind of database",
    "_load": "a page of the menu",
    "load_pages": "a subject of the menu",
    "style_on": "one of three backgrounds",
    "_styles_on": "one of three backgrounds",
}
# What else such functions may take: of each there are as many as the program declares.
DECLARED = {"type[Record]", "bool", "MetaData", "Column[str]", "Column[int]"}


@cache
def sources() -> dict[str, str]:
    return {str(path.relative_to(CRM)): path.read_text("utf-8") for path in sorted(CRM.rglob("*.py"))}


def test_no_private_name_of_a_library_is_used() -> None:
    defined, used = set(), {}
    for name, source in sources().items():
        # Whatever stands left of a sign of equality is a name of the program's own.
        left = " ".join(line.rpartition(" = ")[0] for line in source.splitlines() if " = " in line)
        defined |= set(re.findall(r"\b_[a-z]\w*", left))
        defined |= set(re.findall(r"\b(?:def|class) (_\w+)", source))
        defined |= set(re.findall(r"^    (_[a-z]\w*): ", source, re.M))
        for attribute in re.findall(r"\._[a-z]\w*", source):
            used.setdefault(attribute.removeprefix("."), name)
        assert not re.search(r"from (?!crm\b)[\w.]+ import (?:\w+, )*_[a-z]", source), name
    assert {attribute: used[attribute] for attribute in used.keys() - defined - PRIVATE.keys()} == {}
    assert PRIVATE.keys() <= used.keys()


def test_no_cache_grows_with_the_data() -> None:
    """A cache of what was read, as once of the cells of a spreadsheet, holds all of it as long as the program runs."""
    growing = {}
    for name, source in sources().items():
        assert "maxsize=None" not in source, name
        for function, parameters in re.findall(r"@cache\n *def (\w+)\(([^)]*)\)", source):
            taken = {one.partition(": ")[2] for one in parameters.split(", ") if one not in ("", "self")}
            if taken - DECLARED and function not in KEPT_FOR_GOOD:
                growing[function] = f"{name}: {parameters}"
    assert growing == {}


def test_no_day_is_written_in_the_language_of_the_machine() -> None:
    """Names of months and days, and the order of a date, are those of the team."""
    for name, source in sources().items():
        formats = re.findall(r"(?:strftime|strptime)\(.*", source) + re.findall(r"\{[^{}]*:(%[^{}]*)\}", source)
        assert not [line for line in formats if re.search(r"%-?[aAbBcxXpPhEOrD]", line)], name
