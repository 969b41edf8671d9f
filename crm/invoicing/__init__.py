"""Invoices as figures and as documents: totals, numbers, states, payments, reminders. Pure: it reads no store and no
clock."""
