"""Say what importlib.metadata shows of every distribution of this environment. Runs inside."""

import hashlib
import importlib.metadata
import json

#: pip's marks of what was asked for by name.
ONLY_PIP = ("REQUESTED", "direct_url.json")

view = {}
for distribution in importlib.metadata.distributions():
    # pip compiles scripts whose name ends in .py, too: bytecode that nobody loads.
    listed = [file for file in distribution.files or [] if not (file.parts[0] == ".." and "__pycache__" in file.parts)]
    # A row twice: pip adds one for the bytecode that it makes to one for that of the wheel.
    files = sorted({str(file) for file in listed if file.name not in ONLY_PIP})
    view[distribution.metadata["Name"].lower()] = {
        "version": distribution.version,
        "metadata": hashlib.sha256((distribution.read_text("METADATA") or "").encode()).hexdigest()[:12],
        "entry points": sorted(f"{e.group}: {e.name} = {e.value}" for e in distribution.entry_points),
        "top level": distribution.read_text("top_level.txt"),
        "files": [len(files), hashlib.sha256("\n".join(files).encode()).hexdigest()[:12]],
        "missing": sorted(str(f) for f in distribution.files or [] if not f.locate().exists()),
    }
for name in sorted(view):
    print(json.dumps([name, view[name]], sort_keys=True))
