"""The words of a SQLite store that complete a value, read with nothing else loaded: Tab is to be answered at once.

Only of a store without accounts: what somebody who has signed in may see, `values` finds out.
"""

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

# A name as a client's is made up (`Client.name`).
_CLIENT = """
SELECT CASE WHEN kind = 'company' OR trim(first_name || ' ' || last_name) = ''
       THEN coalesce(nullif(company, ''), trim(first_name || ' ' || last_name))
       ELSE trim(first_name || ' ' || last_name) END AS word FROM client ORDER BY sort_name, id
"""
STATEMENTS: Mapping[str, str] = {
    "record client": _CLIENT,
    "record contact": "SELECT name AS word FROM contact ORDER BY name",
    "record deal": "SELECT title AS word FROM deal ORDER BY title",
    "record stage": "SELECT name AS word FROM stage ORDER BY position, id",
    "record template": "SELECT name AS word FROM template ORDER BY name",
    "record invoice": "SELECT number AS word FROM invoice ORDER BY number",
    "record opt_out": "SELECT address AS word FROM opt_out ORDER BY address",
    "record view": 'SELECT name AS word FROM "view" ORDER BY name',
    "status": "SELECT status AS word FROM rule WHERE active UNION SELECT status FROM client",
    "tags": "SELECT DISTINCT tags AS word FROM client WHERE tags != ''",
    "people": """
        SELECT user AS word FROM follow_up UNION SELECT owner FROM deal UNION SELECT owner FROM client
        UNION SELECT coalesce(nullif(name, ''), email) FROM user WHERE active AND role != 'client'
    """,
}
# The signs of accounts that `crm.accounts.evidence` looks for, those that are gone included.
_ACCOUNTS = """
SELECT 1 FROM user WHERE password != ''
UNION ALL SELECT 1 FROM store_facts WHERE name = 'roster' AND value != ''
UNION ALL SELECT 1 FROM audit WHERE record = 'sign_in' OR (record = 'user' AND after LIKE '%"password"%')
LIMIT 1
"""
_WAIT = 0.2


def statement(takes: str) -> str:
    """The statement that reads the words of a kind; '' where it takes more than one."""
    kind, _, field = takes.rpartition(" ")
    if kind.startswith("field "):
        return f'SELECT DISTINCT "{field}" AS word FROM "{kind.removeprefix("field ")}" ORDER BY 1'
    return STATEMENTS.get(takes, "")


def store_words(file: Path, rosters: Path, takes: str, begun: str) -> Iterator[str] | None:
    """The words of this kind that begin so; None where the store has, or had, accounts as far as it or the `rosters`
    of this machine tell. Raises sqlite3.Error and OSError for what cannot be read."""
    if rosters.exists() and json.dumps(os.path.realpath(file))[1:-1] in rosters.read_text("utf-8"):
        return None
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_WAIT)) as store:
        # Who may only read a store in this mode would leave files beside it.
        store.execute("PRAGMA query_only = ON")
        if store.execute(_ACCOUNTS).fetchone():
            return None
        # Only what begins with the letters of the English alphabet is compared in SQL alike in either case.
        start = re.match(r"[ -~]*", begun)
        prefix = re.sub(r"([\\%_])", r"\\\1", start.group() if start and takes != "tags" else "")
        fitting = f"SELECT word FROM ({statement(takes)}) WHERE word LIKE ? ESCAPE '\\'"
        rows = [word for (word,) in store.execute(fitting, (f"{prefix}%",))]
    if takes == "tags":
        return iter(sorted({tag for tags in rows for tag in tags.strip(",").split(",")}))
    return iter(rows)
