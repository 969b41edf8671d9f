"""The words by which columns are called, in a dozen languages and in the exports of well-known programs."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from crm.model import Client, Sale, typed_fields

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[a-z]{2})(?=\d)")
_PUNCTUATION = re.compile(r"[^a-z0-9\u00f0-\uffff]+")

# Words of headings in short; a full stop behind one is no letter.
_SHORT_WORDS = {
    "acc": "account", "acct": "account", "adr": "address", "addr": "address", "amt": "amount",
    "bday": "birthday", "biz": "business", "bus": "business", "cel": "cell", "cmt": "comment", "cmts": "comments",
    "cntry": "country", "cnty": "county", "co": "company", "comp": "company", "ctry": "country", "curr": "currency",
    "cust": "customer", "desc": "description", "dt": "date", "eml": "email", "fst": "first", "frst": "first",
    "hm": "home", "inv": "invoice", "lst": "last", "mktg": "marketing", "mob": "mobile", "nm": "name",
    "ord": "order", "org": "organization", "ph": "phone", "phn": "phone", "phne": "phone", "postcd": "postcode",
    "pri": "primary", "prim": "primary", "prov": "province", "pymt": "payment", "ref": "reference", "rcpt": "receipt",
    "sec": "secondary", "str": "street", "surn": "surname", "tele": "telephone", "tot": "total", "txn": "transaction",
    "wk": "work", "wrk": "work",
}  # fmt: skip
# At the end of a heading: phone no., acct #.
_NUMBER_ENDS = frozenset(("no", "nr", "num", "nbr", "nmbr"))
_YES_OR_NO = re.compile(
    r"\b(?:y(?:es)?\s*/\s*no?|ja?\s*/\s*n(?:ein|ee)?|o(?:ui)?\s*/\s*n(?:on)?|s[i\u00ed]?\s*/\s*no?)\s*\??\s*$", re.I
)
# A shorter word without its blanks may be another, unless it is of letters alone: D.O.B.
_LEAST_TOGETHER = 4

# Best first: of two columns that are filled alike the one whose word comes first takes the field.
_CLIENT = {
    "reference": "reference, ref, customer id, client id, customer number, client number, customer no, client"
    " no, customer nr, account number, record id contact, record id company, record id, contact id,"
    " external id, id, uid, kundennummer, kunden nr, kundennr, kunden id, kundennummer intern,"
    " referenz, numero client, no client, n client, id client, code client, numero de client, numero"
    " de cliente, no de cliente, n cliente, id cliente, codigo cliente, codigo de cliente,"
    " referencia, codice cliente, numero cliente, riferimento, klantnummer, klant nr, klantnr, klant"
    " id, relatienummer, referentie, n de cliente, id do cliente, numero do cliente,"
    " kd nr, kdnr, kd id, kundennr, debitorennummer, debitorennr, debitor nr, debitornr, debitorenkonto, custid",
    "first_name": "first name, given name, firstname, forename, fname, first, givenname, vorname, rufname,"
    " prenom, primer nombre, nombre de pila, nombres, nome proprio, primeiro nome, primo nome,"
    " voornaam, roepnaam,"
    " imie, jmeno, krestni jmeno, fornamn, fornavn, имя",
    "last_name": "last name, family name, lastname, surname, lname, last, familyname, nachname, familienname,"
    " zuname, nom de famille, apellido, apellidos, primer apellido, cognome, achternaam,"
    " familienaam, sobrenome, apelido, ultimo nome,"
    " nazwisko, prijmeni, efternamn, efternavn, etternavn, фамилия",
    "name": "name, full name, display name, contact name, customer name, client name, fullname, contact,"
    " customer, client, person, kunde, kundin, kundenname, vollstandiger name, nom, nom complet, nom"
    " et prenom, prenom et nom, nom prenom, nombre, nombre completo, nombre y apellidos, cliente,"
    " nome, nome completo, nome e cognome, cognome e nome, naam, volledige naam, klant, klantnaam,"
    " contactpersoon, contact person, ansprechpartner, file as, vor und nachname,"
    " imie i nazwisko, jmeno a prijmeni, namn, navn, фио, клиент",
    "company": "company, company name, organization name, organisation name, organization, organisation,"
    " business name, account name, account, associated company, associated company primary, firm,"
    " firma, firmenname, unternehmen, unternehmensname, betrieb, societe, entreprise, raison"
    " sociale, nom de l entreprise, empresa, nombre de la empresa, razon social, compania, azienda,"
    " societa, ragione sociale, ditta, bedrijf, bedrijfsnaam, organisatie, nome da empresa,"
    " companhia, razao social, employer,"
    " nazwa firmy, spolecnost, foretag, foretagsnamn, virksomhed, bedrift, компания, организация, organizacion",
    "date_of_birth": "date of birth, birthday, birth date, birthdate, dob, born, born on, geburtsdatum, geburtstag,"
    " geb datum, geboren, geboren am, date de naissance, anniversaire, ne le, fecha de nacimiento,"
    " nacimiento, cumpleanos, data di nascita, nato il, compleanno, geboortedatum, verjaardag, data"
    " de nascimento, nascimento, aniversario,"
    " bday, b day, geb, geb am, gebdat, geb dat, geb tag,"
    " data urodzenia, datum narozeni, fodelsedatum, fødselsdato, fødselsdag, дата рождения",
    "email": "e mail, email, e mail address, email address, mail, e mail value, email value, mail address,"
    " emailadresse, e mail adresse, mailadresse, courriel, adresse e mail, adresse email, adresse"
    " mail, adresse electronique, correo, correo electronico, direccion de correo, posta"
    " elettronica, indirizzo e mail, indirizzo email, e mailadres, emailadres, mailadres, endereco"
    " de e mail, endereco de email, correio eletronico, work email, home email,"
    " adresse de messagerie, indirizzo posta elettronica, direccion de correo electronico, adres e mail, e post,"
    " e mail adr, email adr, mail adr, mailadr,"
    " epost, e postadress, e mailova adresa, почта, эл почта, электронная почта",
    "phone": "phone, phone number, phone value, telephone, telephone number, tel, mobile phone, mobile phone"
    " number, mobile, mobile number, cell phone, cell, cellphone, contact number, telefon,"
    " telefonnummer, tel nr, rufnummer, handy, handynummer, mobil, mobiltelefon, mobilnummer,"
    " mobilfunk, telephone portable, portable, mobile telephone, numero de telephone, no de"
    " telephone, gsm, telefono, numero de telefono, movil, telefono movil, celular, cellulare,"
    " numero di telefono, telefono cellulare, telefoon, telefoonnummer, mobiel, mobiele telefoon,"
    " telefone, telemovel, numero de telefone, primary phone, business phone, work phone, office"
    " phone, home phone, festnetz, telefon geschaftlich, telefon privat, telephone fixe, telefono"
    " fijo, company phone, company main phone, other phone, car phone,"
    " mobil nr, handy nr, handynr, telefon nr, telefonnr, fon, festnetznummer, mobilfunknummer, rufnr, tel direkt,"
    " tel mobile, telephone bureau, telephone domicile, telefono del trabajo, telefon komorkowy, komorka, numer"
    " telefonu, telefonni cislo, telefonnummer arbete, mobiltelefonnummer, mobilnr, телефон, мобильный телефон,"
    " мобильный",
    "address": "street, street address, address street, address, address line, street and number,"
    " streetaddress, strasse, strasse hausnummer, strasse und hausnummer, strasse nr, str,"
    " anschrift, adresse, rue, adresse postale, voie, calle, direccion, domicilio, via, indirizzo,"
    " straat, adres, straatnaam, rua, endereco, morada, logradouro, address formatted, full address,"
    " postal address,"
    " calle del trabajo, ulica, ulice, adresa, gata, gatuadress, vej, адрес, улица",
    "city": "city, town, address city, city town, town city, locality, ort, stadt, wohnort, gemeinde,"
    " ville, commune, localite, ciudad, poblacion, localidad, municipio, citta, comune, localita,"
    " stad, plaats, woonplaats, gemeente, cidade, concelho,"
    " ciudad de trabajo, miasto, mesto, postort, poststed, город",
    "region": "state region, state, region, province, state province, province state, address state, address region,"
    " address province, county, bundesland, kanton, canton, departement, provincia, regione, regiao, estado, provincie",
    "postcode": "postcode, postal code, zip, zip code, zipcode, postal zip, zip postal code, postal zip code,"
    " post code, postalcode, address postal code, address zip, plz, postleitzahl, code postal, cp, codigo postal,"
    " cap, codice postale, codice avviamento postale, postnummer, cep,"
    " codigo postal del trabajo, kod pocztowy, psc, postnr, индекс, почтовый индекс",
    "country": "country, country region, country name, address country, country code, nation, land, staat,"
    " lander, pays, pais, paese, stato nazione, nazione, country region code,"
    " land region, pays region, paese area geografica, pais o region, pais region, pais o region del trabajo, kraj,"
    " zeme, страна",
    "tags": "tags, tag, labels, group membership, categories, category, groups, group, segment, segments,"
    " kategorie, kategorien, schlagworter, gruppe, gruppen, etiquettes, groupe, groupes, etiquetas,"
    " grupo, grupos, categoria, categorias, etichette, gruppo, gruppi, categorie, categorieen,"
    " labels and groups, groep, groepen, keywords",
    "source": "source, lead source, original source, original traffic source, client source, customer source,"
    " referral, referred by, herkunft, quelle, leadquelle, origine, provenance, origen, fuente,"
    " fonte, provenienza, bron, herkomst, origem",
    "owner": "owner, contact owner, company owner, account owner, account manager, assigned to, sales rep,"
    " betreuer, kundenbetreuer, zustandig, verantwortlich, responsable, proprietaire, propietario,"
    " responsabile, proprietario, eigenaar, accountmanager, responsavel,"
    " rep, account rep, salesperson, sales person",
    "marketing_consent": "marketing consent, marketing, newsletter, opt in, email opt in, accepts marketing, accepts"
    " email marketing, email marketing consent, consent, subscribed, einwilligung,"
    " werbeeinwilligung, consentement, consentimiento, consenso, toestemming, consentimento,"
    " mailing list, email list, e mail list, on mailing list, mailings, newsletter list, verteiler",
    "opt_out": "unsubscribed, unsubscribed from all email, opt out, opted out, email opt out, email opted out, do not"
    " email, do not mail, do not contact, has opted out of email, email optout, optout, unsubscribe, unsub time,"
    " unsub"
    " date, unsubscribed at, unsubscribe date, no mailings, no newsletter, abgemeldet, abgemeldet am, abbestellt,"
    " keine werbung, desabonne, dado de baja, baja, disiscritto, uitgeschreven, afgemeld",
    "notes": "notes, note, comment, comments, remark, remarks, memo, notizen, notiz, bemerkung, bemerkungen,"
    " kommentar, anmerkung, anmerkungen, remarque, remarques, commentaire, commentaires, notas,"
    " nota, comentario, comentarios, observaciones, commento, commenti, osservazioni, opmerking,"
    " opmerkingen, notities, notitie, observacoes,"
    " bem, bemerkg, anm,"
    " uwagi, notatki, poznamka, poznamky, anteckningar, notater, bemærkninger, примечание, примечания, комментарий,"
    " description, beschreibung, descripcion, descrizione, omschrijving",
    "tax_id": "tax id, vat id, vat number, vat no, vat reg no, vat registration number, ust id, ust idnr, ust id nr,"
    " ustid, ustidnr, umsatzsteuer id, umsatzsteuer identifikationsnummer, uid nummer, uid nr, partita iva, p iva, btw"
    " nummer, numero de tva, tva intracommunautaire, nif iva",
    "date_of_birth.year": "birth year, birthday year, year of birth, geburtsjahr, birthyear",
    "date_of_birth.month": "birth month, birthday month, month of birth, geburtsmonat, birthmonth",
    "date_of_birth.day": "birth day, birthday day, day of birth",
    "kind": "kind, client kind, client type, customer type, kundenart, kundentyp, type de client, tipo de"
    " cliente, tipo cliente, klanttype, type",
}  # fmt: skip
_SALE = {
    "client.name": "billing name, bill to, billed to, sold to, buyer, buyer name, payer, shipping name",
    "status": "financial status, payment status, order status, invoice status, deal status, status, state, type,"
    " transaction type, invoice type, document type, payment type, order type, typ, art, belegart, vorgangsart,"
    " deal stage, opportunity stage, stage",
    "client": "client reference, customer reference, customer id, client id, customer number, client number,"
    " customer no, client no, customer nr, customer, client, account number, buyer id, contact id,"
    " record id contact, kundennummer, kunden nr, kundennr, kunden id, kunde, numero client, no"
    " client, n client, id client, code client, numero de cliente, no de cliente, id cliente, codigo"
    " cliente, codigo de cliente, cliente, codice cliente, numero cliente, klantnummer, klant nr,"
    " klantnr, klant id, klant, numero do cliente, id do cliente, cust id, custid,"
    " kd nr, kdnr, debitorennummer, debitorennr, debitor nr,"
    " klient, zakaznik, kund, клиент, покупатель",
    "currency": "currency, currency code, currency of value, deal currency,"
    " cur, iso currency, wahrung, wahrungscode, devise, moneda, divisa, valuta,"
    " moeda, monnaie",
    "on": "date, on, sale date, date of sale, won time, won on, won date, closed won date,"
    " order date, purchase date, invoice date, transaction date,"
    " day, sold on, paid at, created, payment date, close date, created at, order date time, datum,"
    " verkaufsdatum, kaufdatum, bestelldatum, rechnungsdatum, belegdatum, buchungsdatum, date de"
    " vente, date d achat, date de commande, date de facture, date facture, fecha, fecha de venta,"
    " fecha de compra, fecha de pedido, fecha de factura, data, data vendita, data di vendita, data"
    " acquisto, data ordine, data fattura, verkoopdatum, orderdatum, besteldatum, factuurdatum, data"
    " da venda, data da compra, data do pedido, invoicedate, orderdate,"
    " created date, date utc, date time, completed date, data sprzedazy, datum prodeje, dato, дата, дата продажи",
    "reference": "invoice number, invoice no, invoice nr, invoice id, order number, order no, order nr, order id,"
    " order"
    " reference, invoice reference, receipt number, receipt no, receipt id, transaction id, transaction number,"
    " transaction reference, charge id, payment id, sale id, sale number, document number, document no, doc no,"
    " voucher number, voucher no, reference number, reference no, reference id, ref no, reference, ref, invoice,"
    " order, receipt, transaction, num, deal id, record id, rechnungsnummer, rechnungs nr, rechnungsnr, rechnung"
    " nr, rechnungs id, belegnummer, beleg nr, belegnr, bestellnummer, bestell nr, bestellnr, auftragsnummer,"
    " auftrags nr, auftragsnr, vorgangsnummer, transaktionsnummer, transaktions id, transaktionscode,"
    " referenznummer, referenz, rechnung, bestellung, beleg, auftrag, numero de facture, numero facture, no de"
    " facture, no facture, n de facture, n facture, reference facture, numero de commande, no de commande, no"
    " commande, n de commande, n commande, facture, commande, numero de factura, no de factura, no factura, n de"
    " factura, n factura, numero de pedido, no de pedido, no pedido, n de pedido, n pedido, referencia, factura,"
    " pedido, numero fattura, n fattura, numero ordine, n ordine, numero documento, riferimento, fattura, ordine,"
    " factuurnummer, factuur nr, factuurnr, ordernummer, bestelnummer, bestelling nr, referentie, factuur,"
    " bestelling, numero da fatura, n fatura, numero do pedido, fatura",
    "amount": "amount, total, total amount,"
    " order total amount, sale amount, amount paid, order total, grand total, net amount,"
    " gross amount, invoice total, value, dollar value, order value, deal value, deal amount, sales, revenue, price,"
    " sum,"
    " total price, turnover, betrag, summe, gesamt, gesamtbetrag, umsatz, preis, gesamtpreis,"
    " rechnungsbetrag, bruttobetrag, nettobetrag, montant, montant total, total ttc, prix, chiffre d"
    " affaires, importe, importe total, monto, precio, importo, importo totale, totale, prezzo,"
    " bedrag, totaal, totaalbedrag, prijs, omzet, valor, valor total, preco, quantia,"
    " gross, gross sales, brutto, net, net sales, netto,"
    " kwota, suma, castka, cena, belopp, summa, beløb, belob, сумма, итого",
    "note": "note, notes, description, deal title, deal name, comment, comments, product, product name, item,"
    " article,"
    " memo,"
    " remark, details, notiz, bemerkung, beschreibung, artikel, produkt, verwendungszweck,"
    " buchungstext, libelle, article produit, produit, commentaire, remarque, nota, descripcion,"
    " producto, articulo, concepto, comentario, descrizione, prodotto, articolo, omschrijving,"
    " opmerking, product omschrijving, descricao, produto, observacao,"
    " text, opportunity name, bezeichnung, leistung, betreff, subject",
}  # fmt: skip
_OF_CLIENT = ("first_name", "last_name", "company", "email", "phone")


@lru_cache(maxsize=8192)
def plain_words(text: str) -> str:
    """A text in small letters without accents, its words parted by single blanks: 'e mail 1 value'."""
    spread = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text).casefold())
    bare = "".join(character for character in spread if not unicodedata.combining(character))
    return _PUNCTUATION.sub(" ", bare).strip()


def spellings(heading: str) -> Iterator[list[str]]:
    """The words of a heading, as they are and then without its question (Y/N), with short words in full: Acct #, Ph."""
    if "#" not in heading:
        yield plain_words(heading).split()
    words = plain_words(_YES_OR_NO.sub("", heading.replace("#", " number "))).split()
    if words and words[-1] in _NUMBER_ENDS:
        words[-1] = "number"
    yield [_SHORT_WORDS.get(word, word) for word in words]


def target_of(words: Sequence[str], *, sales: bool) -> tuple[str, int] | None:
    """The target that a phrase names, and its place among the target's phrases; its words may stand apart or together
    where a phrase of ours has them otherwise: B-day, zipcode, Postal-Code."""
    if entry := phrases(sales).get(" ".join(words)):
        return entry
    together = "".join(words)
    is_spelt = len(words) == len(together) > 2
    return _together(sales).get(together) if is_spelt or len(together) >= _LEAST_TOGETHER else None


@cache
def _together(sales: bool) -> Mapping[str, tuple[str, int]]:
    known: dict[str, tuple[str, int]] = {}
    for phrase, target in phrases(sales).items():
        known.setdefault(phrase.replace(" ", ""), target)
    return known


@cache
def phrases(sales: bool) -> Mapping[str, tuple[str, int]]:
    """The target that each phrase for a column names in a file of clients, or of `sales`: the target, and its place
    among the target's phrases."""
    words: dict[str, tuple[str, int]] = {}
    for target, listed in (_SALE if sales else _CLIENT).items():
        for place, phrase in enumerate(listed.split(",")):
            words.setdefault(plain_words(phrase), (target, place))
    for name, field in typed_fields(Sale if sales else Client).items():
        words[plain_words(field.label)] = words[plain_words(name)] = (name, 0)
    if sales:
        for phrase, (target, place) in phrases(False).items():
            if target in (*_OF_CLIENT, "name"):
                words.setdefault(phrase, (f"client.{target}", place))
    return words
