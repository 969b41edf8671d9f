"""Templates: texts with fields, for messages that are written again and again."""
