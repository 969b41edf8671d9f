"""Mail in a copy of the team's spreadsheet (File, Make a copy): what waits in both is not sent twice unasked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from crm.errors import ForbiddenError, Question, UsageError
from crm.model.rights import Reader
from crm.repository import COPY_OF
from tests.support.mail_desk import MailDesk, desk
from tests.support.mail_server import Post
from tests.support.sheets_team import Team, new_team

pytestmark = pytest.mark.sheets


@pytest.fixture
def team() -> Iterator[Team]:
    with new_team() as team:
        yield team


@pytest.fixture
def office(team: Team, tmp_path: Path, post: Post, authority: trustme.CA) -> Iterator[MailDesk]:
    (tmp_path / "office").mkdir()
    with desk(team.store, tmp_path / "office", post, authority) as opened:
        opened.set(mails_per_minute="6000")
        yield opened


def _copied(team: Team, office: MailDesk, folder: Path) -> MailDesk:
    """Another computer on a copy of the spreadsheet as it is now."""
    named = team.store.folder / "machine-0" / "spreadsheet"
    named.write_text(team.person.make_like(team.id))
    program = team.another("ben")
    named.write_text(team.id)
    outward = replace(office.crm.outward, folder=folder / "elsewhere")
    return MailDesk(replace(office.crm, repository=program, outward=outward), office.post, office.own)


def test_queued_mail_in_a_copy_is_not_sent_unasked(team: Team, office: MailDesk, tmp_path: Path) -> None:
    office.write(*office.clients(2))
    copy = _copied(team, office, tmp_path)
    sent = copy.send()
    assert (sent.sent, sent.left) == (0, 2)
    assert sent.stopped.startswith("This spreadsheet is a copy of another one")
    assert sent.stopped.count("is a copy") == 1
    with pytest.raises(Question, match="2 messages are queued here, and what was queued before") as asked:
        copy("email outbox")
    assert list(asked.value.choices) == ["send", "cancel"]
    assert "is a copy" in copy("email due").sent.stopped
    with pytest.raises(UsageError, match="`email outbox` asks what to do"):
        copy("reminders run")
    assert office.arrived == []
    # The original sends as ever, whatever is done in the copy.
    assert office("email outbox").sent == 2
    assert len(office.arrived) == 2


@pytest.mark.parametrize(("answer", "states"), [("cancel", ["cancelled", "sent"]), ("send", ["sent", "sent"])])
def test_a_copy_sends_once_somebody_has_decided(
    team: Team, office: MailDesk, tmp_path: Path, answer: str, states: list[str]
) -> None:
    (client,) = office.clients(1)
    office.write(client)
    copy = _copied(team, office, tmp_path)
    copy("email outbox", answer)
    copy.write(client)
    copy("email outbox")
    assert copy.states() == states
    assert copy.crm.repository.fact(COPY_OF) == ""
    # Who answers late, or elsewhere, sends nothing by it.
    for program in (copy, office):
        with pytest.raises(UsageError, match="not a copy"):
            program("email outbox", "cancel")
    # It is the copy's own answer: the original does not know of it.
    assert office.states() == ["queued"]
    assert [finding.what for finding in copy.crm.repository.check() if finding.wrong] == []


@pytest.mark.parametrize("answer", ["", "send", "cancel"])
def test_a_copy_is_decided_on_by_an_admin_alone(team: Team, office: MailDesk, tmp_path: Path, answer: str) -> None:
    office.write(*office.clients(1))
    copy = _copied(team, office, tmp_path)
    staff = MailDesk(replace(copy.crm, reader=Reader(user=2, role="staff", client=0, name="Ben")), copy.post, copy.own)
    with pytest.raises(ForbiddenError, match="Only an admin can decide"):
        staff("email outbox", answer)
    assert copy.states() == ["queued"]
    assert copy.crm.repository.fact(COPY_OF)


def test_a_copy_of_a_spreadsheet_stays_one_whatever_is_saved_in_it(
    team: Team, office: MailDesk, tmp_path: Path
) -> None:
    copy = _copied(team, office, tmp_path)
    copy.clients(1)
    team.person.set_cells(copy.crm.repository.fact("store_id"), "clients", 1, 2, [["By hand"]])
    assert copy.crm.repository.fact(COPY_OF) == team.id
    assert office.crm.repository.fact(COPY_OF) == ""
