"""Say what some distributions of this environment offer: modules and commands. Runs inside; arguments are names."""

import importlib.metadata
import json
import re
import sys

SUFFIXES = (".py", ".abi3.so", ".so")


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def modules(distribution):
    """Return what can be imported, down to the first directory that has an ``__init__``."""
    packages, single = set(), set()
    for file in distribution.files or []:
        parts = file.parts
        if parts[0] == ".." or parts[0].endswith((".dist-info", ".data", ".libs")) or "__pycache__" in parts:
            continue
        suffix = next((end for end in SUFFIXES if parts[-1].endswith(end)), None)
        if suffix is None:
            continue
        stem = parts[-1][: -len(suffix)].split(".")[0]
        (packages if stem == "__init__" else single).add((*parts[:-1], *([] if stem == "__init__" else [stem])))
    top = {name for name in packages if not any(name[:length] in packages for length in range(1, len(name)))}
    found = {name for name in top if name}
    for name in single:
        # A module beside packages, or the only thing in a directory without an __init__.
        if not any(name[:length] in packages for length in range(1, len(name))) and len(name) <= 2:
            found.add(name)
    return sorted(".".join(name) for name in found if all(part.isidentifier() for part in name))


def commands(distribution):
    found = {e.name for e in distribution.entry_points if e.group in ("console_scripts", "gui_scripts")}
    for file in distribution.files or []:
        if "bin" in file.parts and file.parts[0] == ".." and file.parts[-2] == "bin":
            found.add(file.parts[-1])
    return found


wanted = set(sys.argv[1:])
chosen = [d for d in importlib.metadata.distributions() if normal(d.metadata["Name"]) in wanted]
print(
    json.dumps(
        {
            "modules": sorted({name for distribution in chosen for name in modules(distribution)}),
            "commands": sorted({name for distribution in chosen for name in commands(distribution)}),
        }
    )
)
