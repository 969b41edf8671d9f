"""The agenda: everything that needs doing, page by page."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from crm.commands.activity.agenda import SOURCES, AgendaItem
from crm.model import Deal, FollowUp, Invoice, Message, Payment
from tests.commands.conftest import Office
from tests.support.clocks import TODAY

pytestmark = pytest.mark.dated


def key(item: AgendaItem) -> tuple[str, int]:
    return item.record.kind_name, item.record.id


def test_pages_of_the_agenda_add_up_to_the_whole_list(office: Office) -> None:
    client = office.add()
    long_ago = office.open(today=TODAY - timedelta(days=1200))
    long_ago.transact(
        lambda tx: [tx.add(Deal(client=client.id, title="Quiet", owner="Bo")) for _ in range(4)], "made by a test"
    )

    def change(tx: object) -> None:
        for number in range(5):
            day = TODAY - timedelta(days=number * 300)
            tx.add(FollowUp(client=client.id, user="anna", due_on=day, what="call"))  # type: ignore[attr-defined]
            closes = TODAY - timedelta(days=1 + number)
            tx.add(Deal(client=client.id, title="Late", value=Decimal(1), expected_close_on=closes))  # type: ignore[attr-defined]
            failed = Message(client=client.id, channel="email", direction="out", state="failed", on=TODAY)
            tx.add(failed)  # type: ignore[attr-defined]
        due = TODAY - timedelta(days=4)
        bill = Invoice(
            client=1, kind="invoice", state="issued", number="RE-1", issued_on=due, due_on=due, total=Decimal(5)
        )
        tx.add(bill)  # type: ignore[attr-defined]
        tx.add(Invoice(client=1, kind="invoice", state="draft"))  # type: ignore[attr-defined]
        tx.add(Payment(client=1, kind="payment", on=TODAY, amount=Decimal(5)))  # type: ignore[attr-defined]

    office.crm.transact(change, "made by a test")
    office.add(date_of_birth=TODAY.replace(year=1980))
    whole = office("agenda", limit=100)
    assert whole.count == len(whole.items) == 23
    assert len({item.record.kind_name for item in whole.items}) == 6 == len(SOURCES) - 2
    ranks = [item.rank for item in whole.items]
    assert ranks == sorted(ranks, reverse=True)
    for size in (1, 3, 7):
        pages = [office("agenda", limit=size, offset=offset) for offset in range(0, 23, size)]
        assert [key(item) for page in pages for item in page.items] == [key(item) for item in whole.items]
        assert {page.count for page in pages} == {23}
    assert office("agenda", mine=True, limit=2, offset=4).items[0].record.user == "anna"  # type: ignore[attr-defined]
    assert office("agenda", mine=True).others == 23 - office("agenda", mine=True).count


def test_a_birthday_stays_on_the_agenda_until_somebody_writes(office: Office) -> None:
    born = TODAY.replace(year=1984)
    hers = office.add(first_name="Ida", date_of_birth=born)
    theirs = office.add(first_name="Cy", owner="Cy", date_of_birth=born)
    office.add(first_name="Tomorrow", date_of_birth=born + timedelta(days=1))
    found = office("agenda").items
    assert [(item.client.id, item.what, item.why, item.person) for item in found] == [
        (theirs.id, "turns 42", "birthday today", "Cy"),
        (hers.id, "turns 42", "birthday today", ""),
    ]
    mine = office("agenda", mine=True)
    assert ([item.client.id for item in mine.items], mine.others) == ([hers.id], 1)
    office("interactions add", hers, "note", "a card lies ready")
    assert office("agenda", mine=True).count == 1
    office("interactions add", hers, "call", "all the best")
    assert office("agenda", mine=True).count == 0


def test_a_birthday_on_a_leap_day_is_on_the_agenda_every_year(office: Office) -> None:
    client = office.add(date_of_birth=date(1996, 2, 29))
    for day, count in ((date(2027, 2, 28), 1), (date(2028, 2, 28), 0), (date(2028, 2, 29), 1)):
        crm = office.open(today=day)
        assert [item.client.id for item in office("agenda", crm=crm).items] == [client.id] * count
