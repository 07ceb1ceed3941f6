"""Write what a derivation knows into a file, store paths and all."""

import json


def build(attributes, out):
    """Write ``attributes["value"]`` as JSON to the file ``out``."""
    with open(out, "x", encoding="utf-8") as file:
        json.dump(attributes["value"], file, indent=1, sort_keys=True)
        file.write("\n")
