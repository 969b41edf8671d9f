#!/usr/bin/env python3
"""Starts the CRM: the menu, or with arguments one command (python run.py --help)."""

import gc
import sys

# Importing makes many objects and no garbage: the collector would only walk over them, again and again.
gc.disable()

from crm.app import main  # noqa: E402

if __name__ == "__main__":
    gc.freeze()
    # Later, too, what is made mostly stays: looking after fifty thousand new objects is soon enough.
    gc.set_threshold(50_000)
    gc.enable()
    sys.exit(main(sys.argv[1:]))
