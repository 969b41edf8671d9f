"""Reports: what the sales, the clients and the deals come to, each as a table with a chart, on screen or in a file."""

from crm.commands.subject import Menu, Module

PLACE = 6
MENUS = {
    "reports": Menu("Reports", 8, hint="Sales, clients and deals in figures, for any period"),
    "billing reports": Menu("Reports", 6, hint="Invoiced, unpaid, services, taxes", under="billing"),
}
GROUPS = {
    "reports": "Reports, as a table, a chart, a file or a picture.",
}
MODULES = {
    "sales": Module("reports", menu="reports"),
    "breakdown": Module("reports", menu="reports"),
    "growth": Module("reports", menu="reports"),
    "rfm": Module("reports", menu="reports"),
    "cohorts": Module("reports", menu="reports"),
    "funnel": Module("reports", menu="reports"),
    "forecast": Module("reports", menu="reports"),
    "lost": Module("reports", menu="reports"),
    "activity": Module("reports", menu="reports"),
    "billing": Module("reports", menu="billing reports"),
    "bookkeeping": Module("reports", menu="billing reports"),
}
