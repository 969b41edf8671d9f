"""Programs that sell at the same time: each argument is the SPREADSHEET FOLDER GOOGLE NAME SALES EDITS of one, as JSON.

They are forked from one process, as to load the program takes each of them longer than what it does. Each prints the
number of sales and of edits that it has made: fewer on a busy computer.
"""

import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm.errors import StoreBusyError
from crm.model import Client, Sale
from crm.repository.sheets.google import rate_limit
from crm.repository.sheets.google.credentials import account_from
from crm.repository.sheets.google.spreadsheet import Service
from crm.repository.sheets.repository import SheetsRepository
from crm.repository.sqlite.dialect import Sqlite
from tests.support.clocks import move_the_machines, running_on

CLIENTS = 3
# No change is begun later than so many seconds after the first one.
WORKS_FOR = 60.0


def open_store(spreadsheet: str, folder: Path, google: str, name: str) -> SheetsRepository:
    """The store as a program on the machine of `folder` has it."""
    service = Service(spreadsheet, account_from((folder / "creds").read_text()), folder, google=google)
    return SheetsRepository(
        f"sheets://{spreadsheet}", service, Sqlite(folder / "mirror.sqlite3"),
        now=running_on(), user=name,
    )  # fmt: skip


def sell_and_edit(store: SheetsRepository, name: str, sales: int, edits: int) -> Counter[str]:
    """Record sales of 10.00 and edit notes in some order, until the count or the time is reached; return the counts."""
    chance, made, began = random.Random(name), Counter[str](), time.monotonic()
    for number, what in enumerate(chance.sample(["sale"] * sales + ["edit"] * edits, sales + edits)):
        client = chance.randint(1, CLIENTS)
        if time.monotonic() - began > WORKS_FOR:
            break

        def sell(tx: Any, client: int = client) -> None:
            tx.add(Sale(client=client, on=tx.today, amount=Decimal("10.00")))

        def edit(tx: Any, client: int = client, number: int = number) -> None:
            tx.change(tx.get(Client, client), notes=f"{name} {number}")

        _save(store, sell if what == "sale" else edit, f"{name} {number}")
        made[what] += 1
    return made


def _save(store: SheetsRepository, change: Any, what: str) -> None:
    """Make a change, and make it again whenever the program says that others came first for too long: on a busy
    computer its patience of some seconds is soon over."""
    while True:
        try:
            return store.transact(change, what)
        except StoreBusyError as error:
            if "Nothing was changed. Try again." not in error.sentence:
                raise


def _work(spreadsheet: str, folder: str, google: str, name: str, sales: int, edits: int) -> None:
    opened = open_store(spreadsheet, Path(folder), google, name)
    made = sell_and_edit(opened, name, sales, edits)
    opened.close()
    print(made["sale"], made["edit"], flush=True)


def _start(program: str) -> int:
    """Start a program; its process."""
    if child := os.fork():
        return child
    try:
        _work(*json.loads(program))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    move_the_machines()
    # A team would be held to its quota for minutes.
    rate_limit.PER_MINUTE.clear()
    children = [_start(program) for program in sys.argv[1:]]
    ended = [os.waitpid(child, 0)[1] for child in children]
    sys.exit(any(ended))
