"""Virtual environments without links: the kernel shows files under their names, and keeps changes in a layer.

``python -I -S -B mounted.py VERB ARGUMENT...``, by bin/nixgen-venv and by nixgen. What is mounted over DIR is an
overlay of three layers: what is changed in DIR (``DIR/.nixgen/upper``, below the mount), the environment's image, which
has names and no content, and the store, which has the content. Each image is mounted once on a machine, and once more
for each owner of a DIR, whose files belong to that owner.

Root believes nothing that DIR says, for its owner may be somebody else: which environment a DIR has stands in a file of
root's, and DIR holds nothing but that file's name. Everything below DIR is reached by descriptors, and no link is
followed. Standard library only, Python 3.8 and newer.
"""

import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import attaching
import images
import mounts
import workspaces
from images import SOURCE
from place import opened
from records import Record
from refusal import Refusal

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Options:
    """What a command line says after its verb: ``words``, and of each option whether it is there, or its value."""

    def __init__(self, verb, arguments=()):
        self.verb = verb
        self.words = []
        self.quiet = self.lazy = self.json = False
        self.image = self.names = self.over = None
        given = list(arguments)
        while given:
            word = given.pop(0)
            if word == "--":
                self.words += given
                break
            if word in ("--quiet", "--lazy", "--json"):
                setattr(self, word[2:], True)
            elif word in ("--image", "--names", "--over"):
                setattr(self, word[2:], given.pop(0))
            else:
                self.words.append(word)

    @property
    def directory(self):
        """DIR."""
        return self.words[0]


def main(arguments):
    """Do what the command line says, and return the exit code: that of bin/nixgen-venv."""
    options = Options(arguments[0], arguments[1:])
    try:
        return _VERBS[options.verb](options)
    except Refusal as refusal:
        code, what, where, todo = refusal.args
    except OSError as error:
        code, what, where = 7, f"this cannot be done: {error.strerror}", error.filename or " ".join(options.words)
        todo = "make room, or see to its rights; then run this again: it completes what is there"
    print(f"nixgen-venv: {what}\n  where: {where}\n  what to do: {todo}", file=sys.stderr)
    return code


def _attach(options):
    images.demand(options.directory)
    image = images.valid_image(options.image)
    with opened(options.directory, make=True) as place:
        record = attaching.record_for(place, image)
        record.show(image)
        _settle(place, record, options)
    return 0


def _rollback(options):
    images.demand(options.directory)
    with opened(options.directory) as place:
        record = attaching.known(place)
        if not record.previous:
            raise Refusal(
                3, "there is no environment of before", place.path, "nothing: it has had one environment only"
            )
        record.show(images.valid_image(record.previous))
        _settle(place, record, options)
    return 0


def _settle(place, record, options):
    """Have a DIR show its image, and the workspaces of its project theirs; what has none any more shows nothing."""
    beside = workspaces.there(record.image, place.path)
    for path in filter(os.path.lexists, beside):
        with opened(path) as other:
            attaching.record_for(other, "")  # refuses what is not nixgen's, before anything is shown
    attaching.settle(place, record, options, reset=options.verb == "reset")
    for path, image in beside.items():
        with opened(path, make=True) as other:
            its = attaching.record_for(other, image)
            its.show(image)
            attaching.settle(other, its, options, reset=options.verb == "reset")
    for path in filter(os.path.lexists, workspaces.there(record.previous, place.path)):
        if path not in beside:
            with opened(path) as other:
                its = attaching.record_of(other)
                if its is not None and (its.attached or other.mounted):
                    attaching.drop(other, its)


def _heal(options):
    with opened(options.directory) as place:
        if options.image:
            record = attaching.record_for(place, images.valid_image(options.image))
        else:
            record = attaching.known(place)
        faults = _heal_one(place, record, options)
        for path, image in workspaces.there(record.image, place.path).items():
            if options.verb != "heal" and not os.path.lexists(path):
                faults += _say(path, ["it is missing"], options)
                continue
            with opened(path, make=True) as other:
                its = attaching.record_for(other, image)
                its.show(image)
                faults += _heal_one(other, its, options)
    return 1 if faults and options.verb == "check" else 0


def _heal_one(place, record, options):
    """Heal a DIR, or say what would be healed; return what was wrong."""
    faults = attaching.faults(place, record)
    if faults and options.verb == "heal":
        images.demand(place.path)
        attaching.settle(place, record, options)
    return _say(place.path, faults, options)


def _say(path, faults, options):
    words = {"heal": "healed: ", "dry-run": "would heal: "}.get(options.verb, "")
    for fault in faults if options.verb != "heal" or not options.quiet else ():
        print(f"{path}: {words}{fault}", file=sys.stderr if options.verb == "heal" else sys.stdout)
    return faults


def _heal_all(options):
    """Attach what was attached, as after a restart; one that fails does not keep the others from it."""
    code = 0
    there = {}
    for mount in mounts.mounts(SOURCE):
        there.setdefault(mount.place, []).append(mount.source)
    for record in Record.every():
        if not os.path.lexists(record.path):
            _forget(record)
            continue
        well = record.fitted == record.image and there.get(record.path) == [attaching.source(record)]
        if record.attached and not well:
            one = Options("heal", [record.path])
            one.quiet = options.quiet
            try:
                _heal(one)
            except (Refusal, OSError) as error:
                code = 3
                print(f"nixgen-venv: {record.path}: {error.args[1]}", file=sys.stderr)
    return code


def _forget(record):
    """Forget a DIR that is gone: Nix need keep nothing for it; not one whose disk may just be somewhere else."""
    if os.path.isdir(os.path.dirname(record.path)):
        record.remove()
        if record.attached:
            print(f"nixgen-venv: {record.path} is gone, and not mounted any more", file=sys.stderr)
    elif record.attached:
        print(f"nixgen-venv: {record.path} is not there; nixgen umount forgets it", file=sys.stderr)


def _detach(options):
    path = options.directory
    gone = None if os.path.lexists(path) else Record.at(os.path.realpath(path))
    if gone is not None:
        gone.remove()
        for other in filter(None, map(Record.at, workspaces.beside(gone.image, gone.path))):
            if not os.path.lexists(other.path):
                other.remove()
        return 0
    with opened(path) as place:
        record = attaching.known(place)
        for one in filter(os.path.lexists, workspaces.there(record.image, place.path)):
            with opened(one) as other:
                its = attaching.record_of(other)
                if its is not None:
                    _take_away(other, its, options)
        _take_away(place, record, options)
    images.sweep()
    return 0


def _take_away(place, record, options):
    if place.mounted:
        images.demand(place.path)
        place.detach(options.lazy)
    record.attached = False
    record.write()


def _table(options):
    """Print what is attached, and what was."""
    current = {}
    for mount in mounts.mounts(SOURCE):
        if mount.kind == "overlay" and mount.source.startswith(SOURCE):
            current[mount.place] = mount.source[len(SOURCE) :]
    rows = []
    for record in Record.every():
        name = current.pop(record.path, None)
        state = "mounted" if name == os.path.basename(record.image) else "stale" if name else "not mounted"
        if not record.attached and not name:
            state = "unmounted"
        environment = _environment(record.image)
        rows.append({"directory": record.path, "environment": environment, "user": record.uid, "state": state})
    store = os.environ.get("NIX_STORE_DIR") or "/nix/store"
    for path, name in sorted(current.items()):
        environment = _environment(os.path.join(store, name))
        rows.append({"directory": path, "environment": environment, "user": None, "state": "unknown"})
    if options.json:
        import json

        print(json.dumps(rows, indent=1))
        return 0
    columns = [["DIRECTORY", "STATE", "USER", "ENVIRONMENT"]]
    columns += [[row["directory"], row["state"], str(row["user"]), row["environment"] or "gone"] for row in rows]
    widths = [max(len(row[column]) for row in columns) for column in range(3)]
    for row in columns if rows else []:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths)), row[3]]))  # noqa: B905
    return 0


def _environment(image):
    try:
        return images.environment_of(image)
    except OSError:
        return None


def _missing(options):
    said = images.missing("user" in options.words)
    if said is not None:
        print(said)
    return 0 if said is None else 1


def _run(options):
    """Run a command that sees an image's files in the environment's own place, and nobody else does.

    ``--over`` a directory it may change them, too; what it has changed is gone when it ends.

    Root needs nothing; another user ``--names``, a directory that holds them as files (nixgen makes it of the image).
    """
    image, *command = options.words
    image = images.valid_image(image)
    environment = images.environment_of(image)
    user = options.names is not None
    said = images.missing(user)
    if said is not None:
        raise Refusal(7, said, image, "leave out --mounted")
    try:
        mounts.alone(mounts.NEW_MOUNTS | (mounts.NEW_USERS if user else 0))
        if options.over is None:
            _show(environment, image, options.names)
        else:
            for path, other in {options.over: image, **workspaces.there(image, options.over)}.items():
                _show_changeable(path, images.valid_image(other), options.names and _names_beside(options.names, other))
    except OSError as error:
        raise Refusal(7, f"cannot mount here: {error.strerror}", image, "leave out --mounted") from None
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"nixgen: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127 if error.errno == errno.ENOENT else 126


def _names_beside(names, image):
    return os.path.join(os.path.dirname(names), os.path.basename(image))


def _show(place, image, names):
    """Show an image in the place of a directory, for this process alone, and for reading."""
    if names is None:
        mounts.move(images.names_of(image), os.open(place, _DIRECTORY))
    _overlay(place, image, names, names or place, [("ro", None)], mounts.READ_ONLY)


def _show_changeable(place, image, names):
    """Show an image over a directory, for this process alone; what is changed is in memory.

    Many tools keep what they have made in ``node_modules/.cache``, ``.vite`` and the like.
    """
    memory = mounts.make("tmpfs", [("source", "nixgen"), ("mode", "0755")], mounts.NOSUID | mounts.NODEV)
    mounts.move(memory, os.open(place, _DIRECTORY))
    upper, work, below = (os.path.join(place, name) for name in ("upper", "work", "names"))
    for directory in (upper, work, below):
        os.mkdir(directory)
    if names is None:
        mounts.move(images.names_of(image), os.open(below, _DIRECTORY))
    _overlay(place, image, names, names or below, [("upperdir", upper), ("workdir", work)], 0)


def _overlay(place, image, names, lower, options, attributes):
    store = os.path.dirname(image)
    how = [("metacopy", "on"), ("redirect_dir", "on")] if names is None else [("userxattr", None)]
    given = [("source", SOURCE + os.path.basename(image)), *how, ("lowerdir", f"{lower}::{store}"), *options]
    # Opened now, it is what is uppermost.
    mounts.move(mounts.make("overlay", given, mounts.NOSUID | mounts.NODEV | attributes), os.open(place, _DIRECTORY))


_VERBS = {
    "attach": _attach,
    "reset": _attach,
    "rollback": _rollback,
    "heal": _heal,
    "check": _heal,
    "dry-run": _heal,
    "heal-all": _heal_all,
    "detach": _detach,
    "table": _table,
    "missing": _missing,
    "run": _run,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
