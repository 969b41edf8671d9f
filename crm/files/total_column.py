"""Finding the column of a list of clients that holds their total spend."""

from collections.abc import Sequence

from crm.files.amounts import bare_amount
from crm.files.column_names import plain_words
from crm.files.columns import Match
from crm.files.headers import meaning_of

# Best first; what a sale's amount is called comes after all of these.
_LISTED = (
    "total spend, total spent, spend, spent, lifetime spend, lifetime value, customer lifetime value, ltv, clv, total"
    " purchases, purchases, total sales, total revenue, total orders value, gesamtumsatz, umsatz gesamt, umsatz,"
    " kundenumsatz, gesamtausgaben, chiffre d affaires, chiffre d affaires total, ca, total depense, total des achats,"
    " gasto total, total gastado, gasto, facturacion, spesa totale, totale speso, fatturato, totale omzet, omzet,"
    " totaal besteed, total gasto, faturamento, total"
)
_WORDS = tuple(map(plain_words, _LISTED.split(",")))


def spend_column(matches: Sequence[Match], sample: Sequence[Sequence[str]]) -> int | None:
    """The place of that column among those that no field of a client takes; None where there is none."""
    candidates = []
    for place, match in enumerate(matches):
        cells = [text for row in sample if place < len(row) and (text := row[place].strip())]
        amounts = sum(bool(bare_amount(text)) for text in cells)
        if match.target or (cells and amounts < 0.6 * len(cells)):
            continue
        words = plain_words(match.column)
        meaning = meaning_of(match.column, sales=True)
        if words in _WORDS:
            candidates.append((_WORDS.index(words), place))
        elif meaning is not None and meaning.target == "amount":
            candidates.append((len(_WORDS), place))
    return min(candidates)[1] if candidates else None
