"""Import modules, each in a process of its own, and look at their resources and submodules. Runs inside.

Arguments are the seconds for one module, the seconds for all submodules of one, and names of modules. A line of JSON
for each look: ``[what, module, passed, output]``.
"""

import contextlib
import hashlib
import importlib
import importlib.metadata
import importlib.resources
import json
import os
import pkgutil
import select
import signal
import sys
import time
import traceback

#: How much is looked at: entries of a listing, files that are read, submodules.
ENTRIES, FILES, SUBMODULES = 3000, 300, 400

#: Submodules that are not for importing.
LEFT_OUT = {"tests", "test", "testing", "__main__", "conftest", "setup", "_tests", "idlelib", "benchmarks", "examples"}


def say(*values):
    sys.__stdout__.flush()
    os.write(OUT, (json.dumps(values) + "\n").encode())


def short(error):
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return text[:300]


def look(name):
    """Import a module and list and read its resources."""
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        say("import", name, False, short(error))
        return
    say("import", name, True, "")
    if not hasattr(module, "__path__"):
        return
    try:
        say("resources", name, True, resources(name))
    except BaseException as error:
        say("resources", name, False, short(error))


def recorded():
    """Return every file that a distribution has recorded, and the directories above them.

    What a package writes beside itself when it is imported is not of its wheel, and a store takes none of it.
    """
    found = set()
    for distribution in importlib.metadata.distributions():
        for file in distribution.files or ():
            found.update(map(str, [file, *file.parents]))
    return found


def resources(name):
    listing, content, read = [], hashlib.sha256(), 0
    known = recorded()
    pending = [("", importlib.resources.files(name))]
    while pending and len(listing) < ENTRIES:
        path, directory = pending.pop()
        for entry in sorted(directory.iterdir(), key=lambda one: one.name):
            below = f"{path}/{entry.name}"
            if entry.name == "__pycache__" or entry.name.endswith(".pyc") or name + below not in known:
                continue
            listing.append(below)
            if entry.is_dir():
                pending.append((below, entry))
            elif read < FILES:
                content.update(entry.read_bytes())
                read += 1
    names = hashlib.sha256("\n".join(listing).encode()).hexdigest()[:12]
    return f"{len(listing)} entries {names}, {read} read {content.hexdigest()[:12]}"


def submodules(name):
    """Name what is below a package, without importing it further than its own directories."""
    found = []
    module = importlib.import_module(name)

    def walk(paths, prefix):
        for info in sorted(pkgutil.iter_modules(paths), key=lambda one: one.name):
            if len(found) >= SUBMODULES or info.name in LEFT_OUT or info.name.startswith("test_"):
                continue
            found.append(prefix + info.name)
            if info.ispkg:
                walk([f"{path}/{info.name}" for path in paths], f"{prefix}{info.name}.")

    walk(list(getattr(module, "__path__", [])), name + ".")
    return found


def look_below(names):
    """Import submodules one after another, in one process."""
    for name in names:
        say("begin", name, True, "")
        try:
            importlib.import_module(name)
        except BaseException as error:
            say("submodule", name, False, short(error))
        else:
            say("submodule", name, True, "")


def apart(function, argument, seconds):
    """Run a function in a process of its own; return how it ended: ``pass``, ``timeout`` or an exit code."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        code = 1
        try:
            function(argument)
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "pass" if status == 0 else f"ended with {os.waitstatus_to_exitcode(status)}"
        if time.monotonic() > end:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(OSError):
                    kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timeout"
        select.select([], [], [], 0.01)


def main():
    global OUT
    each, below = float(sys.argv[1]), float(sys.argv[2])
    stdout = OUT = os.dup(1)
    for name in sys.argv[3:]:
        ended = apart(look, name, each)
        if ended != "pass":
            say("import", name, False, ended)
            continue
        if below:
            reading, OUT = os.pipe()
            apart(lambda name: say(submodules(name)), name, each)
            os.close(OUT)
            with os.fdopen(reading) as file:
                text = file.readline()
            OUT = stdout
            names = json.loads(text)[0] if text else []
            deadline = time.monotonic() + below
            if names:
                ended = apart(look_below, names, max(1, deadline - time.monotonic()))
                say("below", name, ended == "pass", ended)


OUT = 1
if __name__ == "__main__":
    main()
