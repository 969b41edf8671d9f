"""A team on a new spreadsheet."""

from collections.abc import Iterator

import pytest

from tests.support.sheets_team import Team, new_team


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        yield team
