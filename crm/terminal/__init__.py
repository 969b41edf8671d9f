"""The terminal: the only place that prints or reads. Menus, forms made from signatures, and renderers."""
