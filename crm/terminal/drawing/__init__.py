"""Drawing: tables, cards, charts and the theme."""
