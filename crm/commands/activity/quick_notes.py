"""A line noted down in a hurry, taken apart: what was done, with whom, on which day, and when to follow up.

`call Acme, wants a quote, fri 10:00`: a kind of interaction first, where one is named, or behind the name, as in
`Sven called`; then the client and the text. A day that has passed is the day on which it was, one to come is the day
for which it is planned, or on which something is to follow; a time alone is one of today.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Literal, TypeVar

from crm.commands.activity.note_words import AFTER_NAMES
from crm.errors import FieldError
from crm.model import Conventions
from crm.model.currencies import currencies_of, foreign_currency
from crm.model.fields import Amount
from crm.model.fields.money import has_doubtful_thousands
from crm.model.german_dates import kind_of_word
from crm.model.grouped_sums import GROUPED_SUM, without_blanks
from crm.model.written_dates import MONTHS, NoDateError, When, read_time, read_when, time_alone

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Head:
    """Words that say what was done: the kind of interaction, whether it has happened then, and what is to be before the
    text where the kind alone says less."""

    kind: str
    happened: bool = False
    label: str = ""


# The label of what was offered: it may become a deal.
OFFERED = "Quote"
# The same, where the note says that it was sent.
QUOTE_SENT = "Quote sent"
# That of money that came in: it may be a payment of open invoices.
PAID = "Paid"
# Those of what was agreed: an open deal may be won with it.
_WON, _SIGNED = "Won", "Signed"
AGREED = (_WON, _SIGNED)
_CALL, _CALLED = _Head("call"), _Head("call", happened=True)
_MEETING, _MET = _Head("meeting"), _Head("meeting", happened=True)
_MAIL, _MAILED = _Head("email"), _Head("email", happened=True)
_TEXT, _TEXTED = _Head("sms"), _Head("sms", happened=True)
_NOTE, _QUOTED, _SOLD = _Head("note"), _Head("note", True, OFFERED), _Head("note", True, "Sold")
_QUOTE_SENT = _Head("note", True, QUOTE_SENT)
_PAID = _Head("note", True, PAID)
_MEALS = ("breakfast", "lunch", "dinner", "coffee", "drinks")
_OFFERS = ("offer", "quote", "quotation", "proposal", "estimate")
_MESSAGES: Mapping[str, _Head] = {
    **dict.fromkeys(("mail", "email", "e-mail"), _MAILED),
    **dict.fromkeys(("text", "sms", "message"), _TEXTED),
}


def _with_articles(verb: str, nouns: Mapping[str, _Head]) -> Mapping[str, _Head]:
    """The words for what was done, with each article that people write before the noun: sent offer, sent an offer."""
    return {
        " ".join(filter(None, (verb, article, noun))): head
        for noun, head in nouns.items()
        for article in ("", "a", "an", "the", "our", "my", "another")
    }


_LEFT = _Head("call", True, "Left a message")
_TRIED = _Head("call", True, "Tried to call")
_SENT = _Head("note", True, "Sent")
# Written down while it was, or after it: meeting notes, notes from the call, minutes of the meeting.
_WRITTEN_DOWN = {
    words.format(what): head
    for what, head in (("meeting", _MET), ("call", _CALLED))
    for words in (
        "{} notes", "{} minutes", "notes from {}", "notes of {}", "notes from the {}", "notes of the {}",
        "minutes of {}", "minutes of the {}",
    )
}  # fmt: skip
_HEADS: Mapping[str, _Head] = {
    **_WRITTEN_DOWN,
    **dict.fromkeys(("call", "phone", "ring", "phone call", "call back"), _CALL),
    **dict.fromkeys(("called", "cold called", "cold-called", "phoned", "rang", "spoke", "talked"), _CALLED),
    **dict.fromkeys(
        ("video call", "zoom", "zoom call", "teams call", "skype", "facetime"), _Head("call", label="Video call")
    ),
    "voicemail": _LEFT,
    **_with_articles("left", dict.fromkeys(("message", "voicemail", "voice mail", "voice message"), _LEFT)),
    **_with_articles("sent", {**dict.fromkeys(_OFFERS, _QUOTE_SENT), **_MESSAGES}),
    **_with_articles("got", {**_MESSAGES, "call": _CALLED}),
    **_with_articles("received", {**_MESSAGES, "call": _CALLED}),
    "missed call": _Head("call", True, "Missed call"),
    "sent": _SENT,
    **dict.fromkeys(("tried to call", "tried calling", "tried to reach", "tried to phone"), _TRIED),
    "followed up": _Head("note", True, "Followed up"),
    **dict.fromkeys(("follow up", "f/u"), _NOTE),
    "checked in": _Head("note", True, "Checked in"),
    "reached out": _Head("note", True, "Reached out"),
    **dict.fromkeys(("meeting", "mtg", "meet", "appointment", "appt"), _MEETING),
    **dict.fromkeys(("met", "saw", "ran into", "bumped into"), _MET),
    **{meal: _Head("meeting", label=meal.capitalize()) for meal in _MEALS},
    **dict.fromkeys(("visit", "demo"), _MEETING),
    **dict.fromkeys(("visited",), _MET),
    **dict.fromkeys(("mail", "email", "e-mail", "write"), _MAIL),
    **dict.fromkeys(("mailed", "emailed", "e-mailed", "wrote"), _MAILED),
    **dict.fromkeys(("sms", "text", "message"), _TEXT),
    **dict.fromkeys(("texted", "messaged"), _TEXTED),
    "whatsapp": _Head("sms", label="WhatsApp"),
    "whatsapped": _Head("sms", True, "WhatsApp"),
    **dict.fromkeys(("note", "noted"), _NOTE),
    **dict.fromkeys(("quote", "quoted", "offer", "offered"), _QUOTED),
    **dict.fromkeys(("sold", "sale"), _SOLD),
    "sell": _Head("note", label="Sold"),
}  # fmt: skip
# What may be behind the name instead: Sven called.
_DONE: Mapping[str, _Head] = {
    **dict.fromkeys(("called", "called back", "phoned", "rang", "rang back"), _CALLED),
    **dict.fromkeys(("visited", "came by", "dropped by", "came in"), _MET),
    **dict.fromkeys(("mailed", "emailed", "e-mailed", "wrote", "replied", "answered"), _MAILED),
    **dict.fromkeys(("texted", "messaged", "whatsapped"), _TEXTED),
    "bought": _Head("note", True, "Bought"),
    "ordered": _Head("note", True, "Ordered"),
    "paid": _PAID,
    **dict.fromkeys(("signed", "signed up"), _Head("note", True, _SIGNED)),
    "buys": _Head("note", label="Bought"),
    "orders": _Head("note", label="Ordered"),
    "pays": _Head("note", label=PAID),
}
# Before a name, what says that it has not happened: not called Greta.
_NOT = frozenset(("not", "never", "didn't", "didnt", "haven't", "havent", "hasn't", "couldn't", "can't", "cant"))
# Left Greta a voicemail about the fair, gave Greta a call.
_GIVEN = re.compile(
    r"(?P<verb>left|gave|sent|shot|dropped|wrote) (?P<who>[^,;:]+?) (?:an?|the|another)"
    r" (?:(?:quick|short|long) )?(?P<what>voice ?mail|voice message|message|call|ring|buzz|e-?mail|mail|text|sms)\b"
    r"(?P<text>.*)",
    re.IGNORECASE | re.DOTALL,
)
_WITH_SUM = ("Sold", *AGREED, "Bought", "Ordered", PAID, OFFERED, QUOTE_SENT)
# Of these the second word is as often what was sold.
_OF_GOODS = ("Sold", *AGREED, "Bought", "Ordered", PAID)
# Before what was done, and saying nothing more than that it has happened: I just had lunch with.
_HAD = "had"
_IDLE = frozenset(("i", "we", "just", "a", "todo", _HAD))
_MOST_IDLE, _MOST_VERB_WORDS = 4, 4
# Written in small letters they say nothing more either: quick call with.
_LIGHT = frozenset(("quick", "short", "long", "brief", "nice", "good", "great", "first", "second", "another", "cold"))
# Words that say that a meeting has happened.
_WENT = re.compile(r"\bwent (?:very |really |quite )?(?:well|ok|okay|fine|great|good|badly|bad)\b", re.IGNORECASE)
# Deeds that are done, with no word of the kinds above: delivered 5 lamps to Bob, Acme signed the contract.
_DEED = re.compile(
    r"(?:(?!(?:wants?|wanted|needs?|needed|be|being|get|gets|is|are|not|never|no|will|must|should|can|could|would|if"
    r"|when|until|till|once|asks?|asked)\b)[^\s,;]+ ){0,4}(?:delivered|shipped|invoiced|billed|installed|repaired"
    r"|presented|pitched|demoed|collected|returned|refunded|signed|lost|won|closed|sent|got|received|brought)\b",
    re.IGNORECASE,
)
# What somebody wants, says or is to do, behind what was done: of a day behind it nothing has happened then.
_STILL_TO_COME = re.compile(
    r"\b(?:wants?|wanted|needs?|will|would|should|must|can|could|may|might|maybe|says?|said|asks?|asked|send|call|try|chase"
    r"|again|decides?|meet|visit|deliver|ship|invoice|pays?|due|expects?|starts?|begins?|comes?|opens?|plans?)\b",
    re.IGNORECASE,
)
# What leads to a day, and goes with it: moved the demo to friday, wants it till friday; or says what the day says, too.
_TO_DAY = re.compile(r"\s(?:to|for|until|till|'?til)$|(?<=[,;])\s*(?:f/u|follow[- ]up)$", re.IGNORECASE)
# Before what is still to be done.
_REMIND = re.compile(r"(?:(?:pls|please) )?(?:remind me to|reminder to|remember to|don'?t forget to) ", re.IGNORECASE)
# Something is wanted till a day: it is due on that day.
_WANTED = re.compile(r"\b(?:wants?|needs?|send|asks for|asked for)\b[^,;]*$", re.IGNORECASE)
# Between what was done and the client.
_TO = frozenset(("with", "w/", "w", "to", "at", "from", "for", "of"))
# Between a person and where they work.
_EMPLOYED = frozenset(("from", "of", "at", "@"))
_MOST_NAME_WORDS = 5
_TWO_WORDS = re.compile(r"[^\W\dA-Z_]+ [^\W\dA-Z_]+")
# Of more words before the first comma some are text.
_MOST_NAMED = 3
# So many words where a line begins may name a client.
_MOST_FIRST_WORDS = 8

# Letters of Linear A, each instead of a piece of text that is not to be read.
_FIRST_MASK = 0x10600
# Between the pieces of a line.
_BETWEEN = " \t\r\n,;:.-–—"  # noqa: RUF001 - dashes that people write
_WORD = re.compile(r"\S+")
_ENDS = re.compile(r"[,;:–—]$|^[-–—]$")  # noqa: RUF001
# The longest way to say a day and a time: fri, nov 27, 2026 at 10:00 am.
_WORDS_OF_WHEN = 9
# What makes a date behind it part of the text: since 2020-01-01, the invoice of 3 nov, in the sun.
_TILL = frozenset(("until", "till", "til", "'til"))
_NOT_SINCE = _TILL | {"since", "from"}
_TELLING = _NOT_SINCE | {
    "of", "before", "after", "than", "the", "a", "an", "for", "over", "during", "happy", "merry", "vor", "nach", "für",
    "ein", "eine", "einem", "einen", "einer",
}  # fmt: skip
# Behind a date that is in the midst: called Acme yesterday about the fair.
_ABOUT = frozenset(("about", "and", "to", "re", "regarding", "because", "concerning", "for", "with", "at", "in"))
# Days that have passed, whatever stands around them; a week or a month is too long to be the day of an entry.
_CLEARLY_PAST = re.compile(
    r"(?:on )?(?:yesterday|last night|(?:the )?day before yesterday|(?:\S+ )+ago|(?:vor)?gestern|vor (?:\S+ )+"
    r"(?:tag|woche|monat|jahr)(?:e?n)?|(?:am )?(?:letzte|vorige|vergangene)[nrs]? (?!woche\b|monat\b|jahr\b)\w+"
    r"|last (?!weeks?\b|months?\b|quarter|year)[a-z]+)(?: .+)?",
    re.IGNORECASE,
)
# Before such a day what is mentioned, not when: about yesterday.
_TOPICS = frozenset(("about", "re", "regarding", "concerning", "like", "as", "than"))
# A month in which something is wanted stays in the text: ok in jan.
_IN_MONTH = re.compile(
    rf"in (?:(?:early|mid|late) )?(?:{'|'.join(MONTHS)}|jan|feb|apr|aug|sept?|oct|nov|dec)", re.IGNORECASE
)
# Days of which one word says enough.
_ONE_WORD = re.compile(r"q[1-4]|weekend", re.IGNORECASE)
_HOLIDAY = r"easter|christmas|xmas|pentecost|whitsun|thanksgiving|hanukkah|passover|ramadan|diwali"
# Words of days. What begins with one of the first and has one of the second is a day, whether it can be read or not.
_WEEKDAY = r"mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_BEGINS_DAY = re.compile(
    rf"this|next|last|first|second|third|fourth|fifth|coming|past|in|on|by|end|start|beginning|mid|middle|early|late"
    rf"|tonight|weekend|q[1-4]|\d{{1,2}}(?:st|nd|rd|th)|(?:{_WEEKDAY})|(?:{_HOLIDAY})",
    re.IGNORECASE,
)
_OF_DAYS = re.compile(
    rf"weeks?|weekend|months?|quarters?|years?|fortnights?|days?|tonight|q[1-4]|(?!sun$|sat$)(?:{_WEEKDAY})"
    rf"|{_HOLIDAY}",
    re.IGNORECASE,
)
# Behind one of them they are text: every second month, opened the second week.
_NO_DAY_BEHIND = frozenset(("the", "every", "each", "per", "a", "an", "happy", "merry"))
_AMONG_DAYS = re.compile(
    rf"{_BEGINS_DAY.pattern}|{_OF_DAYS.pattern}|the|of|at|a|an|few|couple|half|after|before|working|business|evening"
    rf"|morning|afternoon|night|\d{{1,2}}(?::\d\d)?|{'|'.join(MONTHS)}|jan|feb|apr|aug|sept?|oct|nov|dec",
    re.IGNORECASE,
)
# Holidays are not only dates: called about new year, closed on boxing day.
_SAID_OF_HOLIDAY = re.compile(
    rf"\b(?:(?:about|re|regarding|concerning)|closed(?: on| over| at)?) (?:{_HOLIDAY}|new year|boxing day)",
    re.IGNORECASE,
)
_IN_NUMBERS = re.compile(r"\d{1,2}/\d{1,2}")
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}")
_NO_DATE = re.compile(r"\d+|\d{1,2}[.-]\d{1,2}|\d{4}[./-]\d{1,2}")
# Numbers with a slash that are no date: these, and parts of a hundred, 60/40.
_SHARES = frozenset(("24/7", "24/5"))
# At the end of a text these are parts, too, and what is behind one of these words, or behind a number, is one.
_PARTS = frozenset(("1/2", "1/3", "2/3", "1/4", "3/4"))
_NUMBERED = frozenset(
    ("invoice", "order", "quote", "no", "nr", "number", "room", "part", "page", "size", "model", "version", "item",
     "ref", "article", "lot", "unit")
)  # fmt: skip
_WHOLE = 100
# What is written as a day and is none: 13/40, 24.13., the 32nd.
_NO_DAY = re.compile(
    r"(\d{1,2})/(\d{1,2})|\d{1,2}\.(\d{1,2})\.|(?:on )?(?:the )?(\d{1,2})(?:st|nd|rd|th)", re.IGNORECASE
)
# An hour alone, "at 3": the next one.
_HOUR_ALONE = re.compile(r"(?:at |@ ?)(\d|1\d|2[0-3])", re.IGNORECASE)
# Without a day or 'at' it is as often a part of the text: gate 4a, plan 3p.
_SHORT_HOUR = re.compile(r"\d{1,2}[ap]", re.IGNORECASE)
# From one time to another, of which one at least is written as a time: 10:00-11:00, 2-3pm, from 10 to 11.
_HOURS = re.compile(
    r"(?P<before>.*?)(?P<from>(?<!\S)from )?(?P<start>\d{1,2}(?::\d\d)?)(?P<half> ?[ap]\.?m\.?|[ap])? ?"
    r"(?:[-\u2013\u2014]|(?:to|until|till) ) ?(?P<end>\d{1,2}(?::\d\d)?(?P<end_half> ?[ap]\.?m\.?|[ap](?!\w))?)"
    r"(?P<behind> .+)?",
    re.IGNORECASE,
)
_SUM = rf"(?:{GROUPED_SUM}|\S*\d\S*)"
_CURRENCY_NAMES = r"(?:dollars?|euros?|eur|usd|gbp|chf|pounds?|francs|franken|yen|zloty|rupees)"
_NAMED_CURRENCY = re.compile(rf"(\S+) ({_CURRENCY_NAMES})", re.IGNORECASE)
_SOLD_FOR = re.compile(
    rf"(?:^|\s)(?:for|at)\s+({GROUPED_SUM}(?:\s+\S{{1,3}})?|\S+(?:\s+(?:\S{{1,3}}|{_CURRENCY_NAMES}))?)$|(?:^|\s)({_SUM}(?:\s[a-z]{{3}})?)$",
    re.IGNORECASE,
)
# So many at a price each: 3 lamps at 45 each, 12 chairs @ 80, 3 x 45.
_OF_ONE = r"(?:each|apiece|a ?piece|per (?:piece|unit|item|pc)|ea\.?|/ ?(?:piece|unit|pc|each))"
_NEXT_OR_END = r"(?=$|[,;:]|\s(?:and|plus|&|\+)\s)"
_PRICE_OF_ONE = re.compile(
    rf"(?:^|\s)(?:for|at|@)\s*(?P<each>{_SUM}(?:\s{_CURRENCY_NAMES})?)\s*{_OF_ONE}"
    rf"|(?<![^\s\d])@\s*(?P<at>{_SUM}(?:\s{_CURRENCY_NAMES}\b)?)"
    rf"|(?<=\d)(?:\s[x×*]\s?|[x×*]\s)(?P<times>{_SUM}(?:\s{_CURRENCY_NAMES}\b)?){_NEXT_OR_END}",  # noqa: RUF001
    re.IGNORECASE,
)
_SUM_OF_ALL = re.compile(rf"(?:^|\s)for\s+{_SUM}{_NEXT_OR_END}", re.IGNORECASE)
# The last number before a price, of which a quantity is only one that is first.
_LAST_NUMBER = re.compile(r"(?:^|\s)(\S*\d\S*)[^\d]*$")
_QUANTITY = re.compile(r"(\d[\d.,]*)[x×*]?", re.IGNORECASE)  # noqa: RUF001
# As often a year as a quantity: 2026 maintenance @ 1200.
_YEAR = re.compile(r"(?:19|20)\d\d")
_HOW_MANY = "it is not clear how many; write the number right after the name, like 3 x 45"
_FOR_SUM = re.compile(rf"(?:^|\s)for\s+{_SUM}(?=$|[\s,;:])", re.IGNORECASE)
_SUM_FIRST = re.compile(rf"{_SUM}\s+(?:for|from)\s", re.IGNORECASE)
# A sum with its currency: €300, CA$300, EUR 300, 300 EUR, 300 euros.
_FIGURES = r"\d(?:[\d.,']*\d)?k?"
_WITH_CURRENCY = re.compile(
    rf"(?<!\S)(?:[A-Z]{{0,2}}[$€£¥₹₽₺₴₪₩₫฿₱₦]|[A-Z]{{3}}) ?{_FIGURES}"
    rf"|(?<!\S){_FIGURES} ?(?:[€£¥₹₽₺₴₪₩₫฿₱₦$]|[A-Z]{{3}}\b|(?i:{_CURRENCY_NAMES})\b)"
)
# Of what was offered the sum may stand first: $4,500 for tables.
_SUM_FOR = re.compile(rf"(?:^|\s)({_SUM})\s+for(?=\s(?:\d+\s+)?\S*[^\W\d])", re.IGNORECASE)
# Of what was paid, what it was may be behind the sum: 300 deposit, 300 by card.
_SUM_PAID = re.compile(
    rf"(?:^|\s)({_SUM})(?=\s(?:deposit|down ?payment|advance|retainer|instal?lment|part|cash|in cash|on account|by|via"
    r"|towards?|of (?:the|his|her|their|its)|as)\b)",
    re.IGNORECASE,
)
# Sums that can mean only one thing, however the team writes them: 4'500, 4.5k, 1.234,56, 1,234.56.
_APOSTROPHES = re.compile(r"(?<=\d)['\u2019](?=\d{3})")
_BOTH_MARKS = re.compile(r"(\d{1,3}(?:\.\d{3})+),(\d{2})|(\d{1,3}(?:,\d{3})+)\.(\d{2})")
_SOLD_TO = re.compile(r"^(?P<what>.+?)\s+(?:to|from)\s+(?P<who>.+)$", re.IGNORECASE | re.DOTALL)
# Sent a quote of 4k to Acme, call fri; quoted 4k for tables to Acme.
_OFFERED_TO = re.compile(
    rf"(?P<what>{_SUM}(?:\s+for\s+[^,;:]+?)?)\s+to\s+(?P<who>[^,;:]+)(?P<text>.*)", re.IGNORECASE | re.DOTALL
)
# sent Acme a quote; sent samples to Acme, call on friday.
_OFFER_BEHIND = re.compile(rf"(?P<who>[^,;:]+?)\s+(?:an?|the|our|my)\s+(?:{'|'.join(_OFFERS)})\b", re.IGNORECASE)
_SENT_TO = re.compile(r"(?P<what>[^,;:]+?)\s+to\s+(?P<who>[^,;:]+)(?P<text>.*)", re.IGNORECASE | re.DOTALL)
_SENT_WHAT = re.compile(r"(?P<who>[^,;:]+?)\s+(?P<what>(?:an?|the|our|my|some)\s.+)", re.IGNORECASE | re.DOTALL)
_SUM_BEFORE = re.compile(r"\d[km]?$")
_SUM_ENDS = re.compile(r"\d\S*(?:\s[a-z]{3})?$", re.IGNORECASE)
# Closed Acme for 45k: a deal was won.
_WON_FOR = re.compile(
    rf"(?:just )?(?:closed|won|signed|landed) (?=\S.*?\s{_SUM}(?:\s[a-z]{{3}})?(?:$|[,;]|\son\s))",
    re.IGNORECASE | re.DOTALL,
)
# $300 from Acme, got 300 from Acme.
_PAID_BY = re.compile(
    rf"(?:(?:i|we)\s+)?(?:just\s+)?(?P<verb>(?:got|received)\s+)?(?P<sum>{_SUM})\s+from\s", re.IGNORECASE
)
# A plain note with an amount is a sale unless it says that the amount is only wanted or owed.
_NOT_SOLD = frozenset(
    ("wants", "want", "asks", "asked", "needs", "owes", "would", "could", "might", "may", "maybe", "if", "offer",
     "discount", "budget", "limit", "cost", "costs", "charges", "competitor", "not", "no", "refund", "returned")
)  # fmt: skip


# Who a text is about, where that is known.
_SOMEBODY = "X"


class UnreadDayError(FieldError):
    """A day in a note that cannot be read; `written` is how it is there."""

    def __init__(self, written: str) -> None:
        super().__init__(f"{written}: this day cannot be read", field="line", label="Note")
        self.written = written


@dataclass(frozen=True, slots=True)
class QuickNote:
    """A line taken apart. `body` is what is left of it: the client, and the text. `on` and `time` are when it was, if
    that is written; `due_on` and `due_time` when something is to follow. `waits` says that what was noted has not been
    yet, but is planned for then: always, never, or where there is not text. `until` is the time at which it ends.

    `label` is to be before the text, `name_words` are the words of the body that are the name where that is known,
    and `amount` is the sum for which something was sold or offered; where it `is_sum_first`, before anything else, what
    follows may be no client: $4,500 for 3 tables. `no_sum` says why a sum in the text is not the one. Where the
    `amount` is that of a `quantity` at a price each, it holds only if the text behind the name begins with that number
    (`with_text`). Whether a call, a meeting or the like `has_happened` is None where neither its verb nor a day says
    so: call Acme.
    """

    body: str
    kind: str = "note"
    label: str = ""
    name_words: int = 0
    on: date | None = None
    time: str = ""
    until: str = ""
    due_on: date | None = None
    due_time: str = ""
    waits: Literal["always", "never", "without text"] = "never"
    amount: Decimal | None = None
    is_sum_first: bool = False
    no_sum: str = ""
    quantity: str = ""
    has_happened: bool | None = None

    def is_planned(self, text: str) -> bool:
        """Return whether it has not been yet, where this is its text."""
        return self.waits == "always" or (self.waits == "without text" and not text)

    def with_text(self, text: str) -> "QuickNote":
        """Return the note of a client who is known, with the text behind the name: a number that does not stand first
        in it is no quantity, but part of what was sold, like iPhone 15 @ 900."""
        if not self.quantity or re.match(rf"{re.escape(self.quantity)}(?![.,]?\d)", text):
            return self
        return dataclasses.replace(self, amount=None, no_sum=_HOW_MANY)

    def beginnings(self) -> Iterator[tuple[str, str]]:
        """The beginnings of the body that may name a client, the longest first, each with the rest of the body."""
        words = list(_WORD.finditer(self.body))[: self.name_words or _MOST_FIRST_WORDS]
        for word in reversed(words):
            if begun := self.body[: word.end()].strip(_BETWEEN):
                yield begun, self.body[word.end() :].strip(_BETWEEN)

    def apart(self) -> tuple[str, str]:
        """The name and the rest as the punctuation says, of a client that is not known: up to the first comma, else the
        first words with a capital, else the first word."""
        if self.name_words:
            return next(self.beginnings(), ("", ""))
        match = re.search(r"[,;:](?=\s)|\s[-–—](?=\s)|\n", self.body)  # noqa: RUF001
        words = list(_WORD.finditer(self.body))
        if not words:
            return "", ""
        first = [word for word in words if match is None or word.end() <= match.end()]
        # Jane Doe about prices, jane doe is on vacation.
        named = next((at for at, word in enumerate(first[1:], 1) if word.group().strip(_BETWEEN) in AFTER_NAMES), 0)
        if match is not None and not named:
            return self.body[: match.start()].strip(_BETWEEN), self.body[match.end() :].strip(_BETWEEN)
        if match is None and not (0 < named <= _MOST_NAMED):
            named = _capitals([word.group() for word in words])
        end = words[named - 1].end()
        return self.body[:end].strip(_BETWEEN), self.body[end:].strip(_BETWEEN)


def _capitals(words: Sequence[str]) -> int:
    """The number of words at the beginning that may be a name, by their capitals; one at least."""
    count = next((at for at, word in enumerate(words) if not word[0].isupper()), len(words)) or 1
    if words[count : count + 1] and words[count] in _EMPLOYED and count + 1 < len(words):
        # Jane Doe from Acme.
        behind = words[count + 1 :]
        more = next((at for at, word in enumerate(behind) if not word[0].isupper()), len(behind))
        count += 1 + more if more else 0
    return count


def read_notes(line: str, by: Conventions, text: Sequence[str] = ()) -> Iterator[QuickNote]:
    """Take a line apart in the ways in which it may be meant, the likeliest first: a word that says what was done may
    be part of a name. Pieces of it that are nothing but `text` are not read as days. Raises FieldError for a day that
    does not exist, UnreadDayError for one that cannot be read."""
    for note in _read_notes(masked(line, text), by):
        body = note.body
        # A piece may hold the mask of an earlier one.
        for place, piece in reversed(list(enumerate(text))):
            body = body.replace(_mask(place), piece)
        yield dataclasses.replace(note, body=body)


def day_ahead(text: str, by: Conventions) -> QuickNote | None:
    """The reading of what a contact was about as the text of a quick note, where it names a day to follow up on; None
    for any other text, and for the day of what was done: called on Monday."""
    head, _ = _head(text)
    if head is not None and head.happened and not head.label:
        text = text.partition(",")[2]
    try:
        note = next(read_notes(f"called {_SOMEBODY}, {text}", by))
    except FieldError:
        return None
    return note if note.due_on else None


def masked(line: str, text: Sequence[str]) -> str:
    """Return a line with a letter instead of each piece that is not to be read as a day."""
    for place, piece in enumerate(text):
        line = line.replace(piece, _mask(place), 1)
    return line


def _mask(place: int) -> str:
    return chr(_FIRST_MASK + place)


def _read_notes(line: str, by: Conventions) -> Iterator[QuickNote]:
    if reminder := _REMIND.match(line):
        for note in _read_notes(line[reminder.end() :], by):
            yield dataclasses.replace(note, waits="always", due_on=note.due_on or by.today)
        return
    leading, rest = _leading(line, by)
    head, text = _head(rest)
    if (handed := _GIVEN.fullmatch(rest)) is not None and (handed_over := _handed(handed)) is not None:
        body = f"{handed['who']}, {handed['text'].strip()}".strip(_BETWEEN)
        yield _note(handed_over, body, leading, by, done_from=len(handed["who"].split()))
        return
    if head is None and (won := _WON_FOR.match(rest)):
        head, text = _Head("note", True, _WON), rest[won.end() :]
    if head is None and (paid := _PAID_BY.match(rest)) and (paid["verb"] or _has_currency(paid["sum"], by)):
        head, text = _PAID, rest[paid.start("sum") :]
    if head is not None:
        if (day_first := _day_first(text, by)) is not None:
            yield _note(head, day_first[1], [day_first[0]], by)
        if head.label in (OFFERED, QUOTE_SENT) and (offered := _OFFERED_TO.fullmatch(text)):
            yield _note(head, f"{offered['who']}, {offered['what']}{offered['text']}", leading, by)
        if head.label in (_SOLD.label, _PAID.label) and (sold := _SOLD_TO.fullmatch(text)):
            sum_behind = _SOLD_FOR.search(sold["who"])
            who = sold["who"][: sum_behind.start()] if sum_behind else sold["who"]
            behind = sold["who"][len(who) :]
            yield _note(head, f"{who}, {sold['what']}{behind}", leading, by)
        if head == _SENT:
            head, text = _sent(text)
        yield _note(head, text, leading, by)
        return
    if (behind := _behind(line)) is not None:
        done, name, text, is_apart = behind
        count = len(name.split())
        body = f"{name}, {text}" if text else name
        yield _note(done, body, leading, by, name_words=count, done_from=0 if is_apart else count)
    note = _note(None, line, [], by)
    if note.is_sum_first and (sold := _SOLD_TO.fullmatch(note.body)):
        yield dataclasses.replace(note, body=f"{sold['who']}, {sold['what']}", is_sum_first=False)
    yield note


def _head(text: str) -> tuple[_Head | None, str]:
    """The action in the first words, and the rest of the text."""
    words = list(_WORD.finditer(text))
    plain = [word.group().lower().strip(_BETWEEN) for word in words[: _MOST_IDLE + _MOST_VERB_WORDS]]
    written = [word.group().strip(_BETWEEN) for word in words[: len(plain)]]
    skipped = next((place for place, word in enumerate(plain) if word not in _IDLE and written[place] not in _LIGHT), 0)
    for start in range(min(skipped, _MOST_IDLE) + 1):
        for count in range(_MOST_VERB_WORDS, 0, -1):
            head = _HEADS.get(" ".join(plain[start : start + count]))
            if head is None or start + count > len(words):
                continue
            rest = words[start + count :]
            if len(rest) > 1 and rest[0].group().lower() in _TO and not _begins_with_hour(rest):
                rest = rest[1:]
            happened = head.happened or _HAD in plain[:start]
            return dataclasses.replace(head, happened=happened), text[rest[0].start() :] if rest else ""
    return None, text


def _handed(match: re.Match[str]) -> _Head | None:
    """The head of left Greta a voicemail, gave Greta a call; None where the words do not go together."""
    verb, what = match["verb"].lower(), match["what"].lower().replace("voice mail", "voicemail")
    if verb == "left":
        return _LEFT if what in ("voicemail", "voice message", "message") else None
    if verb == "gave":
        return _CALLED if what in ("call", "ring", "buzz") else None
    return _MESSAGES.get(what)


def _sent(text: str) -> tuple[_Head, str]:
    """The head for what was sent, and the text with the client first."""
    if offer := _OFFER_BEHIND.match(text):
        return _QUOTE_SENT, offer["who"] + text[offer.end() :]
    if sent := _SENT_TO.fullmatch(text):
        return _SENT, f"{sent['who']}, {sent['what']}{sent['text']}"
    if sent := _SENT_WHAT.fullmatch(text):
        return _SENT, f"{sent['who']}, {sent['what']}"
    return _SENT, text


def _begins_with_hour(words: Sequence[re.Match[str]]) -> bool:
    """Return whether words begin with an hour before the client: at 11 with Acme. In `at 3 Kings` it is a name."""
    plain = [word.group().lower() for word in words[:3]]
    return len(plain) > 2 and bool(_HOUR_ALONE.fullmatch(" ".join(plain[:2]))) and plain[2] in _TO


def _behind(line: str) -> tuple[_Head, str, str, bool] | None:
    """The action written behind a name, `Sven called, wants more`: the action, the name, and the rest, and whether the
    rest stands apart, behind a comma."""
    words = list(_WORD.finditer(line))
    for place in range(1, min(_MOST_NAME_WORDS + 1, len(words))):
        if _ENDS.search(words[place - 1].group()):
            return None
        for count in (2, 1):
            verb = " ".join(word.group() for word in words[place : place + count]).rstrip(_BETWEEN).lower()
            if (head := _DONE.get(verb)) is not None:
                end = words[min(place + count, len(words)) - 1].end()
                name = line[: words[place - 1].end()]
                is_unsold = head.label == _SIGNED and not _FOR_SUM.search(line[end:])
                if is_unsold or words[place - 1].group().lower() in _NOT:
                    return None
                is_apart = bool(_ENDS.search(line[:end]))
                return head, name.strip(_BETWEEN), line[end:].strip(_BETWEEN), is_apart
    return None


@dataclass(frozen=True, slots=True)
class _FoundDay:
    """A day that a line says, and where it is in it; `is_early` where it is beside the client and a text follows."""

    when: When
    start: int
    end: int
    is_early: bool
    until: str = ""


def _day_first(text: str, by: Conventions) -> tuple[_FoundDay, str] | None:
    """A day that stands between what was done and the client, `meeting tomorrow with Acme`, and the text from there."""
    words = list(_WORD.finditer(text))
    for count in range(min(_WORDS_OF_WHEN, len(words) - 1), 0, -1):
        written, following = text[: words[count - 1].end()], words[count].group().lower()
        has_preposition = following in _TO and count + 1 < len(words)
        if not (has_preposition or _time_alone(_hours(written, by)[0], by)):
            continue
        if (when := _when(written, by)) is not None:
            day = _FoundDay(when, 0, 0, is_early=True, until=_hours(written, by)[1])
            return day, text[words[count + has_preposition].start() :]
    return None


def _leading(line: str, by: Conventions) -> tuple[list[_FoundDay], str]:
    """A day that is before what was done, `yesterday met Greta`, and the rest of the line."""
    words = list(_WORD.finditer(line))
    for count in range(min(_WORDS_OF_WHEN, len(words) - 1), 0, -1):
        rest = line[words[count].start() :]
        written = line[: words[count - 1].end()]
        if _head(rest)[0] is None:
            continue
        if (when := _when(written, by)) is not None:
            return [_FoundDay(when, 0, 0, is_early=True, until=_hours(written, by)[1])], rest
        _refuse_impossible(written, by, is_alone=True)
    return [], line


def _note(
    head: _Head | None,
    text: str,
    leading: Sequence[_FoundDay],
    by: Conventions,
    *,
    name_words: int = 0,
    done_from: int = 0,
) -> QuickNote:
    """A note of what was done and the text behind it, with the days that the text says."""
    is_named, head = head is not None, head or _NOTE
    is_plain = head == _NOTE
    if _WENT.search(text) or (is_plain and _DEED.match(text)):
        head = dataclasses.replace(head, happened=True)
    days = _days(text, by, has_happened=head.happened, done_from=done_from)
    if head.label in _OF_GOODS:
        # 10 @ 4, sold for 9 at 9: a price.
        days = [day for day in days if not _HOUR_ALONE.fullmatch(text[day.start : day.end].strip(_BETWEEN))]
    _refuse_unread(text, days, by, is_open=head.kind != "note" and not head.happened and not leading)
    before_last = text[: days[-1].start].rstrip() if days else ""
    is_apart = bool(_ENDS.search(before_last))
    for day in reversed(days):
        before, behind = _TO_DAY.sub("", text[: day.start].rstrip(_BETWEEN)), text[day.end :].lstrip(".")
        text = before + (behind if behind[:1] in (",", ";", ":") else f" {behind.lstrip()}")
    is_open = head.kind != "note" and not head.happened and not leading and not days
    has_happened = None if is_open else head.happened
    note = QuickNote(text.strip(_BETWEEN), head.kind, head.label, name_words, has_happened=has_happened)
    is_behind_sum = bool(days) and bool(_SUM_ENDS.search(before_last))
    note = _dated(note, head, [*leading, *days], by, is_apart=is_apart, is_behind_sum=is_behind_sum)
    note = _with_amount(note, by) if head.label in _WITH_SUM or is_plain else note
    # After what was done, two words without a capital are a whole name: left a voicemail for bob jones.
    if is_named and not note.name_words and head.label not in _OF_GOODS and _TWO_WORDS.fullmatch(note.body):
        note = dataclasses.replace(note, name_words=2)
    return note


def _dated(
    note: QuickNote,
    head: _Head,
    days: Sequence[_FoundDay],
    by: Conventions,
    *,
    is_apart: bool,
    is_behind_sum: bool,
) -> QuickNote:
    """The note with the day on which it was and the day that is to come, where they are named; `is_apart` says that the
    last of them is behind a comma. `met Anna next tuesday` is planned, whatever the verb says; of `met Anna, next
    tuesday` the day is that of the follow-up."""
    passed = next((day.when for day in days if _has_passed(day, head, by)), None)
    to_come = next((day for day in days if day.when is not passed), None)
    if passed is not None:
        note = dataclasses.replace(note, on=passed.day, time=passed.time)
    note = dataclasses.replace(note, until=next((day.until for day in days if day.until), ""))
    if to_come is None:
        return note
    waits: Literal["always", "never", "without text"] = "without text"
    if passed is None and head.label in _WITH_SUM and not is_apart:
        # What is sold tomorrow is no sale yet; of what is sold, and delivered tomorrow, it is.
        waits = "always" if is_behind_sum or to_come.is_early else "never"
    elif passed is not None or (head.happened and (is_apart or head.kind == "note")):
        waits = "never"
    elif head.happened:
        waits = "without text"
    elif head.kind == "meeting" or (head.kind != "note" and to_come.is_early):
        waits = "always"
    return dataclasses.replace(note, due_on=to_come.when.day, due_time=to_come.when.time, waits=waits)


def _has_passed(day: _FoundDay, head: _Head, by: Conventions) -> bool:
    """Return whether a day that is named is when it was; today it is where a text follows, or its time is past."""
    if day.when.day != by.today or day.when.time:
        return _is_over(day.when, by)
    return head != _NOTE and (head.happened or day.is_early)


def _is_over(when: When, by: Conventions) -> bool:
    """Return whether a day, or its time today, lies behind us."""
    if when.day != by.today or not when.time:
        return when.day < by.today
    return when.time <= by.clock.time_of(by.clock.now)


def _days(text: str, by: Conventions, *, has_happened: bool, done_from: int) -> list[_FoundDay]:
    """The days that a text says, in order: at most one that has passed, and one that is to come, the last. What was
    done stands from the word `done_from` to the next comma."""
    # An emoji beside a day is text.
    words = [word for word in _WORD.finditer(text) if not _is_picture(word.group())]
    if (alone := _when(text, by)) is not None:
        return [_FoundDay(alone, 0, len(text), is_early=False, until=_hours(text, by)[1])]
    days: list[_FoundDay] = []
    place = 1
    while place < len(words):
        day, place = _day_from(text, words, place, by, has_happened=has_happened, done_from=done_from)
        days += [day] if day else []
    passed = [day for day in days if _is_over(day.when, by)]
    others = [day for day in days if not _is_over(day.when, by)]
    return sorted(passed[:1] + others[-1:], key=lambda day: day.start)


def _is_picture(word: str) -> bool:
    return all(unicodedata.category(letter) in ("So", "Sk", "Cf", "Mn") for letter in word)


def _day_from(
    text: str,
    words: Sequence[re.Match[str]],
    place: int,
    by: Conventions,
    *,
    has_happened: bool,
    done_from: int,
) -> tuple[_FoundDay | None, int]:
    """The longest day that begins with a word, if one may be there, and the place of the word behind it.

    A day may be beside the client, before the first comma, as a piece of its own between commas, and at the end.
    """
    ends = [bool(_ENDS.search(word.group())) for word in words]
    first_end = next((place + 1 for place, is_end in enumerate(ends) if is_end), len(words))
    in_first, begins_piece = place < first_end, ends[place - 1]
    before, begun = (words[at].group().lower().strip(_BETWEEN) for at in (place - 1, place))
    # For wednesday is part of the text; for wednesday at 11 is when.
    needs_time = before == "for" and not begins_piece
    is_wanted = before in _TILL and bool(_WANTED.search(text[: words[place - 1].start()]))
    if before in _TELLING and not (begins_piece or needs_time or is_wanted):
        return None, place + 1
    # The third weekend of december is not december.
    is_of_holiday = any(topic.start() < words[place].start() < topic.end() for topic in _SAID_OF_HOLIDAY.finditer(text))
    if is_of_holiday or (begun == "of" and before != "first"):
        return None, place + 1
    if before == "or" and not begins_piece:
        earlier = _either(text, words, place, by)
        return earlier, len(words) if earlier else place + 1
    for end in range(min(len(words), place + _WORDS_OF_WHEN), place, -1):
        is_last = end == len(words)
        ends_piece = is_last or ends[end - 1]
        is_beside = in_first and (ends_piece or words[end].group().lower().strip(_BETWEEN) in _ABOUT)
        # Anna paid 300 yesterday.
        is_behind_sum = (
            has_happened and is_last and bool(_SUM_BEFORE.search(before)) and not _IN_NUMBERS.fullmatch(before)
        )
        # Sven called about the table yesterday at 14:00; met Greta, signed last friday.
        written = text[words[place].start() : words[end - 1].end()]
        is_past = (is_last or (in_first and has_happened)) and before not in _TOPICS and begun not in _NOT_SINCE
        is_past = is_past and _CLEARLY_PAST.fullmatch(written.strip(_BETWEEN)) is not None
        stands = is_beside or is_behind_sum or (begins_piece and ends_piece)
        until = _hours(written, by)[1]
        if is_past and not stands:
            if (passed := _when_at_end(written, by)) is not None and _is_over(passed, by):
                written_end = words[place].start() + len(written.rstrip(_BETWEEN))
                return _FoundDay(passed, words[place].start(), written_end, False, until), end
            continue
        if (begun in _NOT_SINCE or not stands) and (begun in _NOT_SINCE) != bool(until):
            continue
        # At the end of a text, wants 1/2, paid on 3 nov, it is part of it, but for a day that is to come.
        if not (stands or (is_last and not _is_number(written.strip(_BETWEEN), before))):
            continue
        when = _when_at_end(written, by) if not stands else _when(written, by)
        if needs_time and (when is None or not when.time or end == place + 1):
            continue
        if when is None and stands:
            _refuse_impossible(written, by, is_alone=begins_piece and ends_piece)
        # Sold Acme 2 tables on monday.
        is_of_deed = has_happened and begun == "on" and not any(ends[done_from:place])
        is_of_deed = is_of_deed and not _STILL_TO_COME.search(text[: words[place].start()])
        is_in_text = (
            is_last
            and not is_of_deed
            and (begins_piece or not is_behind_sum)
            and (place > first_end or first_end > _MOST_NAMED)
        )
        if when is not None and has_happened and not is_in_text:
            when = _last_weekday(written, _earlier_hour(written, when, by), by)
        if when is not None and (stands or is_of_deed or not _is_over(when, by)):
            if not stands and _IN_MONTH.fullmatch(written.rstrip(_BETWEEN)):
                return _FoundDay(when, len(text), len(text), is_early=False), end
            is_early = (in_first or place == first_end) and not is_last
            written_end = words[place].start() + len(written.rstrip(_BETWEEN))
            return _FoundDay(when, words[place].start(), written_end, is_early, until), end
    return None, place + 1


def _either(text: str, words: Sequence[re.Match[str]], place: int, by: Conventions) -> _FoundDay | None:
    """The earlier one of two days at the end of a text, `maybe tomorrow or wed`, which both stay in it; None where
    there are no two that are to come."""
    second = _when_at_end(text[words[place].start() :], by)
    starts = range(max(1, place - 1 - _WORDS_OF_WHEN), place - 1)
    written = (text[words[start].start() : words[place - 2].end()] for start in starts)
    first = next(filter(None, (_when_at_end(piece, by) for piece in written)), None)
    if first is None or second is None or _is_over(first, by) or _is_over(second, by):
        return None
    return _FoundDay(min(first, second, key=lambda when: when.day), len(text), len(text), is_early=False)


def _refuse_unread(text: str, days: Sequence[_FoundDay], by: Conventions, *, is_open: bool) -> None:
    """Raise FieldError where a text says a day that was not read, or of which only a part was: the third weekend of
    december. It must not be taken for something of today; nor must, where it `is_open` whether it has happened, what is
    to be done before or after a day: call Greta after easter."""
    words = list(_WORD.finditer(text))
    plain = [word.group().lower().strip(_BETWEEN) for word in words]
    if by.language.startswith("de"):
        plain = list(map(kind_of_word, plain))
    ends = [bool(_ENDS.search(word.group())) for word in words]
    first_end = next((place + 1 for place, is_end in enumerate(ends) if is_end), len(words))
    for end in range(len(words), 1, -1):
        day = next((day for day in days if day.start <= words[end - 1].start() < day.end), None)
        if not (end == len(words) or ends[end - 1] or day):
            continue
        start = end
        while start > 1 and _AMONG_DAYS.fullmatch(plain[start - 1]) and (start == end or not ends[start - 1]):
            start -= 1
        begun = start
        while start < end and not _BEGINS_DAY.fullmatch(plain[start]):
            start += 1
        if start == end or (end < len(words) and not day and not ends[start - 1]):
            continue
        if day is not None and day.start <= words[start].start():
            continue
        if is_open and not days and plain[start - 1] in ("after", "before") and (begun < first_end or ends[begun - 1]):
            raise UnreadDayError(text[words[begun].start() : words[end - 1].end()].strip(_BETWEEN))
        written = text[words[start].start() : words[end - 1].end()].strip(_BETWEEN)
        begins_piece = plain[start - 1] == "the" and start > 1 and ends[start - 2]
        is_of_month = plain[start - 1] == "the" and "of" in plain[start:end] and plain[end - 1] in MONTHS
        is_text = plain[start - 1] in _NO_DAY_BEHIND and not begins_piece and not is_of_month
        if is_text or (day is None and _when_at_end(written, by) is not None):
            continue
        unread = plain[
            start : next(at for at in range(start, end + 1) if at == end or (day and words[at].start() >= day.start))
        ]
        if any(_OF_DAYS.fullmatch(word) for word in unread):
            raise UnreadDayError(written)


def _is_number(written: str, before: str) -> bool:
    """Return whether two numbers at the end of a text are none of a date, by the word before them."""
    numbers = _IN_NUMBERS.fullmatch(written)
    return bool(numbers) and (written in _PARTS or before.isdigit() or before in _NUMBERED)


def _when_at_end(written: str, by: Conventions) -> When | None:
    """The day at the end of a text; what is none, or one that does not exist, is text."""
    # Where amounts are written with a comma, 24.12 is none.
    dotted = by.decimal_mark != "." and _DOTTED.fullmatch(written)
    try:
        return _when(f"{written}." if dotted else written, by)
    except FieldError:
        return None


def _earlier_hour(written: str, when: When, by: Conventions) -> When:
    """A past event at 8 was at eight today."""
    text = _hours(written, by)[0]
    today = When(by.today, when.time)
    return today if _HOUR_ALONE.fullmatch(text) and _is_over(today, by) else when


def _hours(written: str, by: Conventions) -> tuple[str, str]:
    """A day or time that was written, and the time at which it ends where that is written too: `fri 10:00-11:00` is
    fri 10:00, until 11:00."""
    text = written.strip(_BETWEEN)
    match = _HOURS.fullmatch(text)
    if match is None:
        return text, ""
    start, half, end, end_half = match["start"], match["half"] or "", match["end"], match["end_half"] or ""
    if not (":" in start + end or half or end_half or match["from"]):
        return text, ""
    try:
        until = read_time(end, by)
        # 2-3pm are both in the afternoon, 11-1pm are not.
        begins = next(
            time for time in (f"{start}{half or end_half}", start) if half or ":" in time or read_time(time, by) < until
        )
        if read_time(begins, by) >= until:
            return text, ""
    except (FieldError, StopIteration):
        return text, ""
    return f"{match['before']}{'at ' if not match['before'] else ''}{begins}{match['behind'] or ''}", until


def _last_weekday(written: str, when: When, by: Conventions) -> When:
    """A past event on Monday was on the last one."""
    if when.day <= by.today:
        return when
    earlier = read_when(written.strip(_BETWEEN), by, "past")
    is_of_week = by.today < when.day <= by.today + timedelta(days=7) and earlier.day >= by.today - timedelta(days=7)
    return earlier if is_of_week else when


def _when(written: str, by: Conventions) -> When | None:
    """The day that some words name; None where they name none. Raises FieldError where there is no such day."""
    text = _hours(written, by)[0]
    if _HOUR_ALONE.fullmatch(text):
        return _next_hour(text, by)
    if _SHORT_HOUR.fullmatch(text):
        return None
    if time := _time_alone(text, by):
        return When(by.today, time)
    if not text or text in _SHARES or (_NO_DATE.fullmatch(text) and not written.rstrip(",;: ").endswith(".")):
        return None
    try:
        when = _read(text, lambda: read_when(text, by, "nearest"))
    except NoDateError:
        return None
    one_word = len(text.split()) == 1
    if when.last is not None and one_word and not _ONE_WORD.fullmatch(text):
        # A month alone is as often a name, and a year a number.
        return None
    return (
        None if one_word and len(text) < 3 and not _ONE_WORD.fullmatch(text) else dataclasses.replace(when, last=None)
    )


def _time_alone(text: str, by: Conventions) -> str:
    """The time of today that a text is, and nothing else: 23:30, at 4 pm, noon; '' for any other."""
    return _read(text, lambda: time_alone(text, by))


def _next_hour(text: str, by: Conventions) -> When:
    """The next time that it is so late: today, or tomorrow."""
    when = When(by.today, read_time(text.lower().removeprefix("at").lstrip("@ "), by))
    return dataclasses.replace(when, day=by.today + timedelta(days=1)) if _is_over(when, by) else when


def _read(text: str, read: Callable[[], _Value]) -> _Value:
    """The value that a part of the line is read as. Raises FieldError for the line where that cannot be, NoDateError as
    it is."""
    try:
        return read()
    except NoDateError:
        raise
    except FieldError as error:
        raise FieldError(f"{text}: {error.reason}", field="line", label="Note") from None


def _refuse_impossible(written: str, by: Conventions, *, is_alone: bool) -> None:
    """Raise FieldError where a piece of the line is written as a day and none in any year: 13/40, 24.13., the 32nd."""
    text = written.rstrip(",;: ")
    match = _NO_DAY.fullmatch(text)
    if match is None or text in _SHARES:
        return
    first, second, behind_point, day = match.groups()
    if day is not None:
        if is_alone or not text[0].isdigit():
            raise FieldError(f"{text}: no day {day} in any month", field="line", label="Note")
        return
    month = behind_point or (second if by.day_first else first)
    if behind_point or int(first) + int(second) != _WHOLE:
        raise FieldError(f"{text}: no month {month}", field="line", label="Note")


def _with_amount(note: QuickNote, by: Conventions) -> QuickNote:
    """The note with the sum that something was sold or offered for; the sum is no longer in its text. A plain note has
    one only where it is written with its currency, for something, and nothing speaks against it."""
    is_plain = not note.label
    if is_plain and not _NOT_SOLD.isdisjoint(re.findall(r"[a-z]+", note.body.lower())):
        return note
    pieces = re.split(r"(?<=[,;:])\s", note.body)
    if (priced := _priced_each(note, pieces, by)) is not None:
        return priced
    patterns = (_SOLD_FOR, _SUM_FOR, *((_SUM_PAID,) if note.label == PAID else ()))
    for place, pattern in product(range(len(pieces)), patterns):
        piece = pieces[place].rstrip(_BETWEEN)
        match = pattern.search(piece)
        if match is None:
            continue
        written = next(filter(None, match.groups()))
        is_for = "for" in match.group().lower().split() or match.group() == piece
        if is_plain and not (is_for and _has_currency(written, by)):
            continue
        try:
            amount = Amount().read(_plain_sum(written, by), by)
        except FieldError as error:
            _refuse_doubtful(written, error, by)
            continue
        if not amount:
            # Nothing was paid: no sale.
            note = dataclasses.replace(note, no_sum="" if is_plain else "the amount is 0")
            continue
        pieces[place] = piece[: match.start()].rstrip(_BETWEEN) + piece[match.end() :] + pieces[place][len(piece) :]
        body = " ".join(filter(None, pieces)).strip(_BETWEEN)
        is_first = is_plain and place == 0 and match.start() == 0 and pattern is _SUM_FOR
        return dataclasses.replace(note, body=body, amount=amount, is_sum_first=is_first)
    return note


def _priced_each(note: QuickNote, pieces: Sequence[str], by: Conventions) -> QuickNote | None:
    """The note with the sum of so many pieces at a price each, or with the reason why there is no one sum: it is in
    another currency, or there are several; None where it says nothing of the kind."""
    is_first = bool(_SUM_FIRST.match(note.body))
    if not note.label and not is_first:
        return None
    if foreign := next(
        (match[0] for match in _WITH_CURRENCY.finditer(note.body) if foreign_currency(match[0], by.currency)),
        "",
    ):
        return dataclasses.replace(note, no_sum=f"{foreign} is not in {by.currency}")
    if not note.label:
        return None
    prices = len(_PRICE_OF_ONE.findall(note.body))
    if prices + bool(_SUM_OF_ALL.search(note.body)) > 1 or len(_FOR_SUM.findall(note.body)) > 1:
        return dataclasses.replace(note, no_sum="there are several amounts, record each by itself")
    if not prices:
        return None
    place, price = next((place, match) for place, piece in enumerate(pieces) if (match := _PRICE_OF_ONE.search(piece)))
    before, behind = pieces[place][: price.start()], pieces[place][price.end() :]
    number = _LAST_NUMBER.search(before)
    if number is None and (price["each"] or behind.strip(_BETWEEN)):
        return dataclasses.replace(note, no_sum="it has the price of one, but not how many")
    if number is None:
        return None
    quantity = _QUANTITY.fullmatch(number[1])
    starts_piece = not before[: number.start(1)].strip(_BETWEEN)
    if quantity is None or _YEAR.fullmatch(quantity[1]) or behind.strip(_BETWEEN) or (place > 0 and not starts_piece):
        return dataclasses.replace(note, no_sum=_HOW_MANY)
    unit_price = price["each"] or price["at"] or price["times"]
    try:
        amount = Amount().read(
            by.amount(Amount().read(_plain_sum(unit_price, by), by) * Amount().read(quantity[1], by)), by
        )
    except FieldError as error:
        _refuse_doubtful(unit_price, error, by)
        return dataclasses.replace(note, no_sum=_HOW_MANY)
    if not amount:
        return dataclasses.replace(note, no_sum="the amount is 0")
    return dataclasses.replace(note, amount=amount, quantity="" if place > 0 else quantity[1])


def sum_alone(text: str, by: Conventions) -> Decimal | None:
    """The sum that a text is, and nothing else; None of any other."""
    try:
        return Amount().read(_plain_sum(text, by), by) or None if re.fullmatch(_SUM, text) else None
    except FieldError:
        return None


def _refuse_doubtful(written: str, error: FieldError, by: Conventions) -> None:
    """Raise FieldError for the line where its sum may be in thousands: without it the sum would be taken for text."""
    if has_doubtful_thousands(_plain_sum(written, by), by):
        raise FieldError(f"{written}: {error.reason}", field="line", label="Note") from error


def _has_currency(written: str, by: Conventions) -> bool:
    signs = written.strip("0123456789 ").casefold()
    return any(unicodedata.category(character) == "Sc" for character in written) or by.currency.casefold() in signs


def _plain_sum(written: str, by: Conventions) -> str:
    """A sum that can mean only one thing as the team writes it; any other as it is."""
    text = _APOSTROPHES.sub("", without_blanks(written))
    if (named := _NAMED_CURRENCY.fullmatch(text)) and by.currency in currencies_of(named[2]):
        text = named[1]
    if match := _BOTH_MARKS.fullmatch(text):
        whole, cents = match[1] or match[3], match[2] or match[4]
        return re.sub(r"[.,]", "", whole) + by.decimal_mark + cents
    return text
