"""The words of an invoice, by language."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from crm.model.local_taxes import LOCAL_TAXES

_ENGLISH: Final = MappingProxyType(
    {
        "invoice": "Invoice", "credit_note": "Credit note", "draft": "Draft", "number": "Number", "issued_on": "Date",
        "due_on": "Due", "delivered_on": "Delivery date", "period": "Period", "customer_vat": "Your VAT ID",
        "order": "Your order", "reference": "Your reference", "contract": "Contract", "corrects": "Corrects invoice",
        "delivery": "Delivered to", "position": "No.", "name": "Description", "quantity": "Quantity", "price": "Price",
        "rate": "VAT", "amount": "Amount", "discount": "Discount", "charge": "Charge", "per": "per",
        "line_total": "Subtotal", "net": "Net amount", "tax": "VAT", "on": "on", "included": "included VAT",
        "total": "Total", "paid": "Paid", "credited": "Credited",
        "overpaid": "Your credit", "open": "Amount due", "payment": "Payment",
        "by": "Please pay {amount} by {day}.", "now": "Please pay {amount}.", "settled": "Paid in full. Thank you.",
        "holder": "Account holder", "iban": "IBAN", "bic": "BIC", "account": "Account",
        "purpose": "Payment reference",
        "scan": "Scan to pay", "page": "Page", "of": "of", "vat_id": "VAT ID", "tax_number": "Tax number",
        "registration": "Reg. no.", "AE": "Reverse charge", "K": "Intra-Community supply", "G": "Export outside the EU",
        "O": "Not subject to VAT", "gross_note": "All prices include VAT.", "cancelled": "Cancelled",
        "h": "h", "day": "day", "days": "days", "month": "month", "months": "months", "week": "week",
        "weeks": "weeks", "year": "year", "years": "years",
    }
)  # fmt: skip
_GERMAN: Final = MappingProxyType(
    {
        "invoice": "Rechnung", "credit_note": "Rechnungskorrektur", "draft": "Entwurf", "number": "Nummer",
        "issued_on": "Datum", "due_on": "Fällig am", "delivered_on": "Leistungsdatum", "period": "Leistungszeitraum",
        "customer_vat": "Ihre USt-IdNr.", "order": "Ihre Bestellung", "reference": "Ihre Referenz",
        "contract": "Vertrag", "corrects": "Zu Rechnung", "delivery": "Geliefert an", "position": "Pos.",
        "name": "Bezeichnung", "quantity": "Menge", "price": "Preis", "rate": "USt.", "amount": "Betrag",
        "discount": "Rabatt", "charge": "Zuschlag", "per": "je", "line_total": "Zwischensumme", "net": "Nettobetrag",
        "tax": "USt.", "on": "auf", "included": "enthaltene USt.", "total": "Gesamtbetrag", "paid": "Bezahlt",
        "credited": "Gutgeschrieben",
        "overpaid": "Ihr Guthaben", "open": "Zu zahlen", "payment": "Zahlung",
        "by": "Bitte zahlen Sie {amount} bis zum {day}.", "now": "Bitte zahlen Sie {amount}.",
        "settled": "Vollständig bezahlt. Vielen Dank.", "holder": "Kontoinhaber", "account": "Konto",
        "purpose": "Verwendungszweck",
        "scan": "Scannen und zahlen", "page": "Seite", "of": "von", "vat_id": "USt-IdNr.",
        "tax_number": "Steuernummer", "registration": "Register", "AE": "Steuerschuldnerschaft des Leistungsempfängers",
        "K": "Steuerfreie innergemeinschaftliche Lieferung", "G": "Steuerfreie Ausfuhrlieferung",
        "O": "Nicht steuerbar", "gross_note": "Alle Preise enthalten die Umsatzsteuer.", "cancelled": "Storniert",
        "h": "Std.", "day": "Tag", "days": "Tage", "month": "Monat", "months": "Monate", "week": "Woche",
        "weeks": "Wochen", "year": "Jahr", "years": "Jahre",
    }
)  # fmt: skip
_FRENCH: Final = MappingProxyType(
    {
        "invoice": "Facture", "credit_note": "Avoir", "draft": "Brouillon", "number": "Numéro", "issued_on": "Date",
        "due_on": "Échéance", "delivered_on": "Date de livraison", "period": "Période", "customer_vat": "Votre n° TVA",
        "order": "Votre commande", "reference": "Votre référence", "contract": "Contrat",
        "corrects": "Facture corrigée", "delivery": "Livré à", "position": "N°", "name": "Désignation",
        "quantity": "Quantité", "price": "Prix", "rate": "TVA", "amount": "Montant", "discount": "Remise",
        "charge": "Supplément", "per": "pour", "line_total": "Sous-total", "net": "Total HT", "tax": "TVA", "on": "sur",
        "included": "TVA comprise", "total": "Total TTC", "paid": "Payé", "credited": "Crédité",
        "overpaid": "Votre avoir", "open": "Net à payer",
        "payment": "Paiement", "by": "Merci de régler {amount} avant le {day}.", "now": "Merci de régler {amount}.",
        "settled": "Réglée en totalité. Merci.", "holder": "Titulaire", "account": "Compte",
        "purpose": "Référence de paiement",
        "scan": "Scanner pour payer", "page": "Page", "of": "sur", "vat_id": "N° TVA", "tax_number": "N° fiscal",
        "registration": "RCS", "AE": "Autoliquidation", "K": "Livraison intracommunautaire exonérée",
        "G": "Exportation hors UE", "O": "Non soumis à la TVA", "gross_note": "Tous les prix sont TTC.",
        "cancelled": "Annulée", "day": "jour", "days": "jours", "month": "mois", "months": "mois",
        "week": "semaine", "weeks": "semaines", "year": "an", "years": "ans",
    }
)  # fmt: skip
_SPANISH: Final = MappingProxyType(
    {
        "invoice": "Factura", "credit_note": "Factura rectificativa", "draft": "Borrador", "number": "Número",
        "issued_on": "Fecha", "due_on": "Vencimiento", "delivered_on": "Fecha de entrega", "period": "Periodo",
        "customer_vat": "Su NIF-IVA", "order": "Su pedido", "reference": "Su referencia", "contract": "Contrato",
        "corrects": "Rectifica la factura", "delivery": "Entregado en", "position": "N.º", "name": "Descripción",
        "quantity": "Cantidad", "price": "Precio", "rate": "IVA", "amount": "Importe", "discount": "Descuento",
        "charge": "Recargo", "per": "por", "line_total": "Subtotal", "net": "Base imponible", "tax": "IVA",
        "on": "sobre", "included": "IVA incluido", "total": "Total", "paid": "Pagado", "credited": "Abonado",
        "overpaid": "Su saldo a favor",
        "open": "A pagar", "payment": "Pago", "by": "Le rogamos que pague {amount} antes del {day}.",
        "now": "Le rogamos que pague {amount}.", "settled": "Pagada por completo. Gracias.", "holder": "Titular",
        "account": "Cuenta",
        "purpose": "Concepto", "scan": "Escanear para pagar", "page": "Página", "of": "de", "vat_id": "NIF-IVA",
        "tax_number": "NIF", "registration": "Registro", "AE": "Inversión del sujeto pasivo",
        "K": "Entrega intracomunitaria exenta", "G": "Exportación fuera de la UE", "O": "No sujeto a IVA",
        "gross_note": "Todos los precios incluyen el IVA.", "cancelled": "Anulada", "day": "día", "days": "días",
        "month": "mes", "months": "meses", "week": "semana", "weeks": "semanas", "year": "año", "years": "años",
    }
)  # fmt: skip
_BY_LANGUAGE: Final[Mapping[str, Mapping[str, str]]] = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
}
LANGUAGES: Final = tuple(_BY_LANGUAGE)


def _without_vat(country: str) -> Mapping[str, str]:
    """The words in English for a seller in a country without VAT."""
    tax, number = LOCAL_TAXES[country].name, LOCAL_TAXES[country].number
    head = f"{tax[:1].upper()}{tax[1:]}"
    customer = number if number[1:2].isupper() else f"{number[:1].lower()}{number[1:]}"
    return {
        "rate": head, "tax": head, "net": f"Total before {tax}", "included": f"included {tax}", "vat_id": number,
        "customer_vat": f"Your {customer}", "O": f"Not subject to {tax}", "gross_note": f"All prices include {tax}.",
    }  # fmt: skip


def wording(language: str, country: str = "") -> Mapping[str, str]:
    """The words of a language as Babel names it (de_AT), for a seller in a country; English for one that is not
    here."""
    short = language.partition("_")[0].lower()
    words = {**_ENGLISH, **_BY_LANGUAGE.get(short, {})}
    is_without = country in LOCAL_TAXES and words["tax"] == _ENGLISH["tax"]
    return {**words, **_without_vat(country)} if is_without else words
