"""Clients found in SQLite through their contacts: by part of a name, an e-mail address or a phone number."""

from collections.abc import Sequence

from sqlalchemy import Connection

# Like the index of clients it holds no text of its own. Contacts come a few at a time, so that it is kept up to date by
# triggers alone. Beginnings, and one or two letters, are read from the plain index beside it.
INDEX = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS contact_search USING fts5(
        search_name, content='contact', content_rowid='id', tokenize='trigram')""",
    """CREATE TRIGGER IF NOT EXISTS contact_search_added AFTER INSERT ON contact BEGIN
        INSERT INTO contact_search (rowid, search_name) VALUES (new.id, new.search_name);
    END""",
    """CREATE TRIGGER IF NOT EXISTS contact_search_changed AFTER UPDATE OF search_name ON contact BEGIN
        INSERT INTO contact_search (contact_search, rowid, search_name) VALUES ('delete', old.id, old.search_name);
        INSERT INTO contact_search (rowid, search_name) VALUES (new.id, new.search_name);
    END""",
    """CREATE TRIGGER IF NOT EXISTS contact_search_deleted AFTER DELETE ON contact BEGIN
        INSERT INTO contact_search (contact_search, rowid, search_name) VALUES ('delete', old.id, old.search_name);
    END""",
    "CREATE INDEX IF NOT EXISTS contact_by_search_name ON contact (search_name, client)",
)

# Each gives (id, sort_name, text) of clients, as the statements about the clients themselves do.
STARTING = """
UNION SELECT client.id, sort_name, contacts.search_name FROM (SELECT client, search_name FROM contact
    WHERE search_name >= :text AND search_name < :text || char(1114111) ORDER BY search_name LIMIT :limit) AS contacts
    JOIN client ON client.id = contacts.client"""
CONTAINING = """
UNION SELECT client.id, sort_name, contacts.search_name FROM (SELECT contact.client, contact.search_name
    FROM contact_search JOIN contact ON contact.id = contact_search.rowid
    WHERE contact_search MATCH :match{more} LIMIT :candidates) AS contacts
    JOIN client ON client.id = contacts.client"""
SCANNING = """
UNION SELECT client.id, sort_name, contacts.search_name FROM (SELECT client, search_name FROM contact
    WHERE {every} LIMIT :candidates) AS contacts
    JOIN client ON client.id = contacts.client"""
# In the order of the contacts' names: to read each client as well would take twice as long.
RESEMBLING = """
SELECT contact.client, contact.search_name, contact.search_name FROM contact_search
    JOIN contact ON contact.id = contact_search.rowid
    WHERE contact_search MATCH :match LIMIT :candidates"""
NAMED = """
SELECT contact.client, contact.search_name, contact.search_name FROM json_each(:words) AS word CROSS JOIN contact
    WHERE search_name >= word.value AND search_name < word.value || {end} LIMIT :candidates"""
# A contact and its client named together: few of those who have one of the words are looked at.
TOGETHER = """
SELECT client.id, sort_name, contact.search_name || ' ' || client.search_name AS both
    FROM (SELECT rowid AS id FROM contact_search WHERE contact_search MATCH :match LIMIT :candidates) AS hit
    JOIN contact ON contact.id = hit.id JOIN client ON client.id = contact.client
    WHERE {every}"""


def are_indexed(connection: Connection) -> bool:
    """Return whether contacts can be looked for: a store of an older format that can only be read has none."""
    count = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'contact_search'")
    return bool(count.scalar())


def every(names: Sequence[str], text: str) -> str:
    """A condition in SQL: a text holds what each of the named values says."""
    return " AND ".join(f"{text} LIKE :{name} ESCAPE '\\'" for name in names)
