"""Confirmations: Enter never confirms a deletion or a change to many records."""

from collections.abc import Callable
from typing import Any

import pytest

from crm.errors import Question
from crm.model import Client
from tests.commands.conftest import Office

# Makes what is to be deleted, as the command takes it.
DELETED: dict[str, Callable[[Office, Client], dict[str, Any]]] = {
    "clients delete": lambda _, acme: {"client": acme},
    "clients delete-many": lambda _, acme: {"clients": [acme]},
    "contacts delete": lambda office, acme: {"contact": office("contacts add", acme, "Jo Fox")},
    "deals delete": lambda office, acme: {"deal": office("deals add", acme, "Tables")},
    "interactions delete": lambda office, acme: {"interaction": office("interactions add", acme, "call", "Hello")},
    "templates delete": lambda office, _: {"template": office("templates add", "Spring", body="Hello", subject="Hi")},
}


@pytest.mark.parametrize("words", DELETED)
def test_every_deletion_asks_a_destructive_question(office: Office, words: str) -> None:
    made = DELETED[words](office, office.add(company="Acme"))
    with pytest.raises(Question) as asked:
        office(words, **made)
    assert (asked.value.destructive, asked.value.typed) == (True, "")


def test_deleting_a_whole_list_asks_for_its_number(office: Office) -> None:
    for name in ("Acme", "Berg", "Cole"):
        office.add(company=name)
    with pytest.raises(Question) as asked:
        office("clients delete-many", all_=True)
    assert (asked.value.destructive, asked.value.typed) == (True, "3")
