"""Fixtures of a store with one reader's permissions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.guarded import Team, new_team


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """A store with an account of each role."""
    (tmp_path / "store").mkdir()
    with new_team(tmp_path / "store") as team:
        yield team
