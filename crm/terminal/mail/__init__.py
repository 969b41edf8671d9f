"""Pages: e-mail and SMS: templates, messages, mailings, greetings, the outbox and the inbox."""
