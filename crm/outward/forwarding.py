"""Forwarded messages: the original sender, read from the lines that mail programs put above it."""

import re

from crm.errors import OutwardError
from crm.outward.outgoing import Party
from crm.outward.sanitizing import line

# How mail programs begin the subject of what they forward, in the languages that most of them know.
_SUBJECT = re.compile(
    r"\s*\[?(?:fwd?|wg|tr|rv|i|enc|fs|vs|vb|videresend\w*|doorst|doorgest\w*|pd|továbbítás|ynt|ilt|пересл\w*)\s*:", re.I
)
_MARK = re.compile(
    r"forwarded message|begin forwarded|weitergeleitete (?:nachricht|e-?mail)|message (?:transféré|réexpédié)"
    r"|e-mail transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht"
    r"|mensagem (?:encaminhada|reencaminhada)"
    r"|vidarebefordrat meddelande|videresendt (?:besked|melding)|wiadomość przekazana|přeposlaná zpráva",
    re.I,
)
_DECORATION = r"^[ \t>|*_]{0,20}"
_FROM = re.compile(
    rf"{_DECORATION}(?:from|von|de|da|van|från|fra|od|feladó|lähettäjä|от)[ \t*]*:[ \t*]*(?P<who>.{{0,400}})$", re.I
)
_OTHER = re.compile(
    rf"{_DECORATION}(?:date|sent|to|subject|reply-to|cc|datum|gesendet|an|betreff|envoyé|à|objet|fecha|enviado\w*|para"
    r"|asunto|data|inviato|a|oggetto|verzonden|aan|onderwerp|assunto|skickat|till|ämne|sendt|til|emne|do|temat|дата"
    r"|кому|тема)[ \t*]*:",
    re.I,
)
_ADDRESS = re.compile(r"(?:\[?mailto:)?(?P<address>[^\s<>\[\]()\"',;:]{1,64}@[^\s<>\[\]()\"',;:]{1,253})")
# So many lines below the first, another one has to look like a header.
_NEAR = 6


def original_sender(subject: str, text: str) -> Party | None:
    """The original sender of what is forwarded in a text; None where nothing is, or it does not say."""
    mark = _MARK.search(text)
    if mark is None and not _SUBJECT.match(subject):
        return None
    lines = text[mark.start() if mark else 0 :].split("\n")
    for at, text_line in enumerate(lines):
        match = _FROM.match(text_line)
        if match is None or not any(_OTHER.match(other) for other in lines[at + 1 : at + 1 + _NEAR]):
            continue
        # A long name pushes the address to the next line.
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if party := _party(match["who"]) or _party(f"{match['who']} {following}"):
            return party
    return None


def _party(written: str) -> Party | None:
    match = _ADDRESS.search(written)
    if match is None:
        return None
    try:
        return Party(match["address"].strip(".*_"), line(written[: match.start()].strip(" \t<[(\"'*_"), 200))
    except OutwardError:
        return None
