"""Call a build backend (PEP 517): runs on the Python of the environment that the build needs, in the project.

python hooks.py ASKED
"""

import importlib
import json
import os
import re
import sys


def main():
    """Build a wheel, unless the backend asks for what the build does not have; write the answer.

    ``ASKED`` is JSON: ``backend`` (an object reference), ``backendPath`` (directories of the project),
    ``configSettings``, ``needs`` (requirements that are fulfilled), ``editable`` (whether what an editable build
    needs is asked for too), ``hook`` (``build_wheel`` or ``build_editable``), ``wheels`` (a directory) and
    ``answer`` (a file to write: ``wheel``, the name of one there, or ``needs``, all that the build asks for).
    """
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    # The directory of this program is none of the build's business, and PEP 517 keeps the project out too.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path[:0] = [os.path.abspath(path) for path in asked["backendPath"]]
    backend = _backend(asked["backend"])
    settings = asked["configSettings"] or None
    needs = asked["needs"]
    known = set(map(_plain, needs))
    found = _requires(backend, "get_requires_for_build_wheel", settings)
    if asked["editable"]:
        found += _requires(backend, "get_requires_for_build_editable", settings)
    more = [need for need in dict.fromkeys(found) if _plain(need) not in known]
    if more:
        answer = {"needs": needs + more}
    else:
        answer = {"wheel": getattr(backend, asked.get("hook", "build_wheel"))(asked["wheels"], settings)}
    with open(asked["answer"], "x", encoding="utf-8") as file:
        json.dump(answer, file)


def _backend(reference):
    module, _, attributes = reference.partition(":")
    backend = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        backend = getattr(backend, name)
    return backend


def _requires(backend, name, settings):
    hook = getattr(backend, name, None)
    return list(hook(settings)) if hook is not None else []


def _plain(requirement):
    """Return a requirement as others that mean the same are written."""
    return re.sub(r"\s+", "", requirement).lower().replace('"', "'")


if __name__ == "__main__":
    main()
