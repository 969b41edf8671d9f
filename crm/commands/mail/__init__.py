"""Commands: e-mail and SMS: templates, messages, mailings, greetings, the outbox and the inbox."""

from crm.commands.subject import Menu, Module

PLACE = 5
MENUS = {
    "email": Menu("E-mail", 6, page=("email list", "email send")),
    "not written to": Menu("Opt-outs and bounces", 1, hint="Addresses that get no mailings", under="email"),
}
GROUPS = {
    "email": "Write, send and fetch e-mail.",
    "templates": "Texts with fields, to reuse in messages.",
    "mailings": "One text to many clients.",
    "occasions": "Greetings: to each client once a year.",
    "opt-outs": "Addresses that no longer get mailings.",
    "bounces": "Addresses that bounced.",
    "sms": "Text messages to clients.",
    "mailbox": "The mailbox that e-mail is fetched from: its settings on this computer.",
}
MODULES = {
    "message_list": Module("email", menu="email", alone="email list"),
    "messages": Module("email", menu="email"),
    "templates": Module("templates", menu="email"),
    "mailings": Module("mailings", menu="email"),
    "greetings": Module("email occasions", menu="email"),
    "opt_outs": Module("opt-outs", menu="not written to"),
    "bounces": Module("bounces", menu="not written to"),
    "inbox": Module("email", menu="email"),
    "sms": Module("sms", menu="email"),
    "services": Module("email mailbox sms"),
}
