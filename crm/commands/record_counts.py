"""Records in a few words: the clients among them by name, the rest counted by kind."""

from collections import Counter
from collections.abc import Iterable

from crm.commands.client_selection import pluralize
from crm.model import BY_NAME, Client, Conventions, StageMove
from crm.wording import FEW, first_few


def record_words(records: Iterable[tuple[str, int]], names: Iterable[str], by: Conventions) -> str:
    """Records, each by its kind and number, as "Anna Berg, 9 sales, 1 deal"; `names` are those of some of the clients.
    A record that comes twice counts once."""
    counts = Counter(kind for kind, _ in set(records) if kind != StageMove.kind_name)
    clients = counts.pop(Client.kind_name, 0)
    named = list(dict.fromkeys(name for name in names if name))
    pieces = []
    if clients <= FEW and len(named) == clients:
        pieces += named
    elif clients:
        first = f" ({first_few(named, total=clients, number=by.number)})" if named else ""
        pieces.append(pluralize(clients, "client", "clients", by) + first)
    for kind, record in BY_NAME.items():
        if counts[kind]:
            pieces.append(pluralize(counts[kind], record.noun, record.nouns, by))
    return ", ".join(pieces)
