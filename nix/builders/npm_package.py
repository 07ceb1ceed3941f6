"""Start what makes the store path of an instance of a package (``npm_instance``).

Python compiles what it is given to run each time anew; what that imports is compiled beforehand (nix/run.nix,
``compiledOf``).
"""

import os

import npm_instance
import plain_json

if __name__ == "__main__":
    with open(os.environ["attributesPath"], encoding="utf-8") as said:  # noqa: SIM112 - the names are Nix's
        npm_instance.build(plain_json.loads(said.read()), os.environ["out"])  # noqa: SIM112
    os._exit(0)  # to take down a Python, module by module, takes 1.5 ms of 20
