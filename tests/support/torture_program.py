"""One of the programs of a torture run: SPREADSHEET FOLDER GOOGLE NAME FIRST COUNT are its arguments.

What it is told goes line by line to FOLDER/NAME.told: `begin`, `ok`, `not` (nothing was changed) or `may` (it may have
been saved), with the number of what it did. It may be killed at any moment, and goes on at FIRST.
"""

import random
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.errors import CRMError
from crm.model import Client, Sale
from crm.repository.sheets.google import rate_limit
from tests.support.clocks import move_the_machines
from tests.support.sheets_seller import CLIENTS, open_store

KINDS = ("sale", "sale", "sale", "edit", "edit", "temporary")


def work(folder: Path, store: Any, name: str, first: int, count: int) -> None:
    """Carry out this many operations, each with a token that shows how often it was applied."""
    with (folder / f"{name}.told").open("a", encoding="utf-8") as log:
        for number in range(first, count):
            chance = random.Random(f"{name} {number}")
            kind, client, token = chance.choice(KINDS), chance.randint(1, CLIENTS), f"{name}.{number};"
            print("begin", kind, token, file=log, flush=True)
            try:
                _do(store, kind, client, token)
                answer = "ok"
            except CRMError as error:
                answer = "may" if "may have been saved" in error.sentence else "not"
                print("said", error.sentence.splitlines()[0], file=log, flush=True)
            print(answer, kind, token, file=log, flush=True)


def _do(store: Any, kind: str, client: int, token: str) -> None:
    if kind == "sale":
        store.transact(
            lambda tx: tx.add(Sale(client=client, on=tx.today, amount=Decimal("10.00"), note=token)), f"sold {token}"
        )
    elif kind == "edit":

        def edit(tx: Any) -> None:
            record = tx.get(Client, client)
            tx.change(record, notes=record.notes + token)

        store.transact(edit, f"edited {token}")
    else:
        made = store.transact(lambda tx: tx.add(Client(kind="person", last_name=f"T {token}")), f"added {token}")
        store.transact(lambda tx: tx.add(Sale(client=made.id, on=tx.today, amount=Decimal(1))), f"sold to {token}")
        store.transact(lambda tx: tx.delete(tx.get(Client, made.id)), f"deleted {token}")


if __name__ == "__main__":
    move_the_machines()
    # A team would be held to its quota for minutes.
    rate_limit.PER_MINUTE.clear()
    rate_limit._MINUTE = 1.0
    spreadsheet, folder, google, name, first, count = sys.argv[1:]
    opened = open_store(spreadsheet, Path(folder), google, name)
    work(Path(folder), opened, name, int(first), int(count))
    opened.close()
