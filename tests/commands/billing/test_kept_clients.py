"""Clients and services with invoices cannot be deleted, and the error comes before any question."""

from decimal import Decimal

import pytest

from crm.errors import RefusedError
from tests.commands.billing.conftest import BillingDesk


def test_deleting_clients_with_invoices_is_refused_before_the_question(desk: BillingDesk) -> None:
    desk.draft()
    other = desk("clients add", {"company": "Bolt"})
    for words, given in (
        ("clients delete", {"client": desk.acme}),
        ("clients delete-many", {"clients": [other, desk.acme]}),
        ("clients delete-many", {"all_": True}),
    ):
        for yes in (False, True):
            with pytest.raises(RefusedError, match=r"Acme still has invoices. Nothing was changed\."):
                desk(words, **given, yes=yes)
    assert desk.again(other)
    assert desk.again(desk.acme)


def test_deleting_a_service_on_an_invoice_is_refused(desk: BillingDesk) -> None:
    service = desk("services add", "Consulting", Decimal(100), tax_rate=Decimal(19))
    desk("invoices add", desk.acme, (), [service])
    with pytest.raises(RefusedError, match=r"Consulting still has invoice lines\. Nothing was changed\."):
        desk("services delete", service)


def test_an_error_does_not_say_to_delete_what_cannot_be_deleted(desk: BillingDesk) -> None:
    desk.issued()
    expected = "Acme still has invoices. Issued invoices cannot be deleted, so keep the client. Nothing was changed."
    with pytest.raises(RefusedError) as refused:
        desk("clients delete", desk.acme, yes=True)
    assert refused.value.sentence == expected
