"""Slow tests in CI by quarters: four commits in a row run all of them."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT, PYTHON
from tests.support.parts import PARTS, VARIABLE, part


@pytest.fixture(autouse=True)
def _none_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    _git(project, "init", "--quiet")
    _commit(project)
    return project


def _git(folder: Path, *words: str) -> None:
    names = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    environment = {**os.environ, **dict.fromkeys(names, "test@example.com")}
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, env=environment)


def _commit(project: Path) -> None:
    _git(project, "commit", "--quiet", "--allow-empty", "--message", "a change")


def test_four_commits_after_one_another_have_all_parts(project: Path) -> None:
    parts = []
    for _ in range(PARTS):
        parts.append(part(project))
        _commit(project)
    assert sorted(parts) == list(range(PARTS))
    assert part(project) == parts[0]


def test_a_commit_has_the_same_part_in_every_clone_of_the_last_commits(project: Path, tmp_path: Path) -> None:
    _commit(project)
    for name in ("one", "another"):
        _git(tmp_path, "clone", "--quiet", "--depth=1", project.as_uri(), name)
    assert part(tmp_path / "one") == part(tmp_path / "another")
    parts = set()
    for _ in range(12):
        _git(tmp_path / "one", "commit", "--quiet", "--amend", "--allow-empty", "--message", f"change {len(parts)}")
        _commit(tmp_path / "one")
        parts.add(part(tmp_path / "one"))
    assert len(parts) > 1


def test_an_archive_has_the_first_part(project: Path) -> None:
    _commit(project)
    assert part(project) != 0
    unpacked = project / "unpacked"
    unpacked.mkdir()
    assert part(unpacked) == 0


@pytest.mark.parametrize(("named", "is_part"), [("0", 0), ("3", 3), ("6", 2)])
def test_a_part_can_be_named(project: Path, monkeypatch: pytest.MonkeyPatch, named: str, is_part: int) -> None:
    monkeypatch.setenv(VARIABLE, named)
    assert part(project) == is_part


_IN_TURN = "tests/repository/sheets/push/test_sheets_commits.py"
_WHOLE = "tests/outward/einvoice/test_official_rules.py"

# One process collects them all, as most of the time goes into its imports.
_COLLECTING = """
import os, sys
import pytest

parts, variable, *files = sys.argv[1:]
for tier, part in [("", 0), ("not slow", 0), *(("not other_part", part) for part in range(int(parts)))]:
    os.environ[variable] = str(part)
    print("TIER", tier, part)
    assert pytest.main(["-n", "0", "--collect-only", "-m", tier, *files]) == 0
"""


def _collected() -> Iterator[tuple[str, set[str]]]:
    """The output of pytest for each tier, and the tests in it: everything, the quick ones, each part."""
    printed = subprocess.run(
        [PYTHON, "-c", _COLLECTING, str(PARTS), VARIABLE, _IN_TURN, _WHOLE],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for lines in printed.split("TIER ")[1:]:
        yield lines, {line for line in lines.splitlines() if "::" in line}


@pytest.mark.slow
def test_the_parts_cover_all_tests_and_each_has_those_of_every_commit() -> None:
    """Nothing is in no part. Quick tests, and tables that are promised with their number of rows, are in all of them;
    the rows that are tried in turn are in one, and each part has one of each table."""
    (_, everything), (_, quick), *divided = _collected()
    for at, (printed, _) in enumerate(divided):
        assert f"To repeat this run: {VARIABLE}={at}" in printed
    parts = [rows for _, rows in divided]
    assert len(parts) == PARTS
    always = set.intersection(*parts)
    assert set.union(*parts) == everything
    assert quick | {row for row in everything if row.startswith(_WHOLE)} == always
    others = len(everything - always)
    assert 50 < others <= sum(len(rows - always) for rows in parts) < others * 1.1
    tables = Counter(row.partition("[")[0] for row in everything if "[" in row)
    for rows in parts:
        assert {table for table, count in tables.items() if count > 1} <= {row.partition("[")[0] for row in rows}
    assert all(len(rows - always) < others / 2 for rows in parts)
