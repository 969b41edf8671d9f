"""Sessions that end while the menu waits, at each question of each command: nothing is changed.

The walks through the menu are made in a process of their own, as it forks at each question: a process that has the
program alone is quicker to copy than one with all tests.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from crm.commands.registry import Command, commands, named
from crm.terminal.toolkit.pages import flow_of, load_flows
from tests.support.lost_sessions import (
    LOST,
    Walk,
    prepare,
    prepared_folder,
    walk_one_after_the_other,
    walk_with_all_ways,
)


@pytest.fixture(scope="module")
def walker() -> Iterator[ProcessPoolExecutor]:
    """The process that makes the walks."""
    with ProcessPoolExecutor(1, get_context("spawn"), prepare) as made:
        yield made


def _walks() -> list[Command]:
    """Every command of the menu, those with one way in common once."""
    load_flows()
    seen: set[Any] = set()
    found = []
    for command in commands():
        leads = flow_of(command) or command.words
        if leads not in seen:
            seen.add(leads)
            found.append(command)
    return found


def test_a_walk_through_a_command_leaves_no_files(tmp_path: Path) -> None:
    with prepared_folder() as folder, chdir(tmp_path):
        walk = Walk(folder, named("backup"), lambda _: [])
        walk.go()
    assert walk.questions
    assert list(tmp_path.iterdir()) == []


# So much is changed on the way through these, and so often a lost session is noticed there.
_MUCH = {"users list": (2, 10), "profile show": (2, 10)}


@pytest.mark.slow
@pytest.mark.parametrize("words", sorted({case.words for case in _walks()} | _MUCH.keys()))
def test_a_lost_session_changes_nothing(
    walker: ProcessPoolExecutor, words: str, record_property: Callable[[str, object], None]
) -> None:
    walked = walker.submit(walk_one_after_the_other, words).result()
    saved, refused = _MUCH.get(words, (0, 0))
    assert walked.saved >= saved
    assert walked.refused.total() >= refused
    for name in ("questions", "cases", "saved"):
        record_property(name, getattr(walked, name))
    record_property("refused", walked.refused.total())


@pytest.mark.slow
@pytest.mark.parametrize("words", ["users list", "profile show", "clients list", "follow-ups list"])
def test_a_session_lost_in_any_way_changes_nothing(walker: ProcessPoolExecutor, words: str) -> None:
    # Each way at the first questions; at the others one after the other is tried above.
    walked = walker.submit(walk_with_all_ways, words, 8).result()
    assert all(walked.refused[way] >= 5 for way in LOST), walked.refused
