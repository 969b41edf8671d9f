"""A pytest plugin (`-p`) that adds the folders here to the program's packages before any module is looked up."""

import importlib.util
import sys
from pathlib import Path

import crm

for room in ("model", "commands", "terminal"):
    spec = importlib.util.find_spec(f"crm.{room}")
    assert spec
    assert spec.loader
    assert spec.submodule_search_locations is not None
    spec.submodule_search_locations.append(str(Path(__file__).parent / room))
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    setattr(crm, room, package)
    spec.loader.exec_module(package)
