"""Have a project's ``node_modules`` lead to an environment of the store, at every start of a repl: without nixgen.

``python -I -S -B settling.py ENV DIR``. Silent where all is well, and where it has mended what was not. The exit codes
are those of bin/nixgen-venv. Standard library only, Python 3.8 and newer.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import node_modules
import owner


def main(env, directory):
    """Do what the command line says; see the module."""
    layout = node_modules.Layout(env)  # root's store need not be open to others
    try:
        said = owner.done_in(directory, lambda project: node_modules.settled(project, layout, True))
    except FileNotFoundError:
        return _fail(3, "there is no such directory", directory, "make it")
    except PermissionError as error:
        todo = "run this as that user"
        return _fail(3, f"this cannot be done as user {error.args[0]}, whom the directory belongs to", directory, todo)
    if "foreign" in said:
        what = "this was not made by nixgen, and is left alone"
        where = ", ".join(os.path.join(directory, one) for one in said["foreign"])
        return _fail(3, what, where, "remove it; the next start has in its place what the lock says")
    if "failed" in said:
        todo = "make room, or make it writable; then run this again: it completes what is there"
        return _fail(7, f"cannot write: {said['failed']}", said["where"] or directory, todo)
    return 0


def _fail(code, what, where, todo):
    print(f"nixgen-venv: {what}\n  where: {where}\n  what to do: {todo}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
