"""Put bytecode beside some builders: ``python compile.py DIRECTORY``, in a derivation of its own (nix/run.nix).

Python of another version, as a machine's may become, passes over it and compiles the sources.
"""

import importlib.util
import os
import py_compile
import sys


def main():
    """Copy the modules of the directory that the command line names to the derivation's output, and compile them."""
    source, out = sys.argv[1], os.environ["out"]  # noqa: SIM112 - the name is Nix's
    os.mkdir(out)
    for name in sorted(os.listdir(source)):
        copy = os.path.join(out, name)
        with open(os.path.join(source, name), "rb") as module, open(copy, "xb") as file:
            file.write(module.read())
        py_compile.compile(
            copy,
            cfile=importlib.util.cache_from_source(copy),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


if __name__ == "__main__":
    main()
