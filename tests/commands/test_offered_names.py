"""The names that completion offers: of nothing that the reader cannot see in a list."""

from dataclasses import replace
from pathlib import Path

import pytest

from crm.errors import ForbiddenError
from crm.model import RECORDS, Stage, fields
from crm.repository import Snapshot
from crm.shell.values import as_seen
from tests.commands.conftest import Office
from tests.support.guarded import new_team


def _can_be_seen(snapshot: Snapshot) -> set[str]:
    texts: set[str] = set()
    for kind in RECORDS:
        try:
            found = snapshot.find_all(kind)
        except ForbiddenError:
            continue
        texts |= {str(getattr(record, name)) for record in found for name in fields(kind)}
        texts |= {str(getattr(record, "name", "")) for record in found}
    return texts


@pytest.mark.parametrize("role", ["admin", "staff", "client"])
def test_names_are_offered_of_records_that_the_reader_sees(tmp_path: Path, office: Office, role: str) -> None:
    with new_team(tmp_path) as team:
        crm = replace(office.crm, repository=team.seen_by(role))
        with crm.read() as snapshot:
            seen = _can_be_seen(snapshot)
        for kind in RECORDS:
            try:
                offered = list(as_seen(crm, f"record {kind.kind_name}", ""))
            except ForbiddenError:
                continue
            # A store without stages of its own has those that everybody knows.
            assert kind is Stage or seen.issuperset(offered), (kind, offered)
        users = list(as_seen(crm, "record user", ""))
        assert team.users[role].email in users
        assert (len(users) == 1) == (role != "admin")
