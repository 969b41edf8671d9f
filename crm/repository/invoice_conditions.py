"""Conditions on invoices and payments that lists, rules and reports share, as the partial indexes have them."""

from sqlalchemy import Integer, literal, type_coerce

from crm.repository.tables import invoice, payment

# Something is open on an invoice, which no draft and no credit note is. Written out in the SQL, for the partial index.
IS_OPEN = type_coerce(invoice.c.open, Integer) != literal(0, literal_execute=True)

# Something is left of a payment, or it is a refund.
HAS_LEFT = type_coerce(payment.c.left, Integer) != literal(0, literal_execute=True)

# More was paid on an invoice than it comes to, as it was credited later.
IS_OVERPAID = type_coerce(invoice.c.overpaid, Integer) != literal(0, literal_execute=True)
