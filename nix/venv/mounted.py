"""Virtual environments without links: the kernel shows files under their names, and keeps changes in a layer.

``python -I -S -B mounted.py VERB ARGUMENT...``, by bin/nixgen-venv and by nixgen. What is mounted over DIR is an
overlay of three layers: what is changed in DIR (``DIR/.nixgen/upper``, below the mount), the environment's image, which
has names and no content, and the store, which has the content. Each image is mounted once on a machine, and once more
for each owner of a DIR, whose files belong to that owner.

Root believes nothing that DIR says, for its owner may be somebody else: which environment a DIR has stands in a file of
root's, and DIR holds nothing but that file's name. Everything below DIR is reached by descriptors, and no link is
followed. Standard library only, Python 3.8 and newer.
"""

import contextlib
import errno
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import images
import mounts
import upper
from images import SOURCE
from place import identity_in, opened, reach
from records import Record
from refusal import Refusal

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

#: Said in DIR where nothing is mounted over it.
_NOTE = "NOT-MOUNTED.txt"
_NOTE_TEXT = """\
This is a virtual environment of nixgen whose files are mounted here, and now they are not, as after a restart.

  nixgen mount DIR     mounts them again, as root
"""

#: As uv and virtualenv have it: ``git add -A`` takes nothing of DIR.
_IGNORED = "*\n"


class Options:
    """What a command line says after its verb: ``words``, and of each option whether it is there, or its value."""

    def __init__(self, verb, arguments=()):
        self.verb = verb
        self.words = []
        self.quiet = self.lazy = self.json = False
        self.image = self.names = None
        given = list(arguments)
        while given:
            word = given.pop(0)
            if word == "--":
                self.words += given
                break
            if word in ("--quiet", "--lazy", "--json"):
                setattr(self, word[2:], True)
            elif word in ("--image", "--names"):
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
        record = _record_of(place) or _new_record(place, image)
        if record.image != image:
            record.previous, record.image = record.image, image
        _settle(place, record, options, reset=options.verb == "reset")
    return 0


def _rollback(options):
    images.demand(options.directory)
    with opened(options.directory) as place:
        record = _known(place)
        if not record.previous:
            raise Refusal(
                3, "there is no environment of before", place.path, "nothing: it has had one environment only"
            )
        record.image, record.previous = record.previous, record.image
        images.valid_image(record.image)
        _settle(place, record, options)
    return 0


def _heal(options):
    with opened(options.directory) as place:
        if options.image and _record_of(place) is None:
            record = _new_record(place, images.valid_image(options.image))
        else:
            record = _known(place)
        faults = _faults(place, record)
        if options.verb in ("check", "dry-run"):
            would = "would heal: " if options.verb == "dry-run" else ""
            for fault in faults:
                print(f"{place.path}: {would}{fault}")
            return 1 if faults and options.verb == "check" else 0
        if faults:
            images.demand(place.path)
            _settle(place, record, options)
            if not options.quiet:
                for fault in faults:
                    print(f"{place.path}: healed: {fault}", file=sys.stderr)
    return 0


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
        well = record.fitted == record.image and there.get(record.path) == [_source(record)]
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
    gone = None if os.path.lexists(options.directory) else Record.at(os.path.realpath(options.directory))
    if gone is not None:
        gone.remove()
        return 0
    with opened(options.directory) as place:
        record = _known(place)
        if place.mounted:
            images.demand(place.path)
            place.detach(options.lazy)
        record.attached = False
        record.write()
    images.sweep()
    return 0


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
    """Run a command that sees the environment's files in the environment's own place, and nobody else does.

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
        _show_over(environment, image, options.names)
    except OSError as error:
        raise Refusal(7, f"cannot mount here: {error.strerror}", image, "leave out --mounted") from None
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"nixgen: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        return 127 if error.errno == errno.ENOENT else 126


def _show_over(environment, image, names):
    """Show an image in the place of its environment, for this process alone."""
    store = os.path.dirname(image)
    attributes = mounts.NOSUID | mounts.NODEV | mounts.READ_ONLY
    options = [("source", SOURCE + os.path.basename(image)), ("ro", None)]
    if names is None:
        below = os.open(environment, _DIRECTORY)
        mounts.move(images.names_of(image), below)
        options += [("metacopy", "on"), ("redirect_dir", "on")]
    else:
        options += [("userxattr", None)]
    options += [("lowerdir", f"{names or environment}::{store}")]
    # Opened now, it is what is uppermost.
    mounts.move(mounts.make("overlay", options, attributes), os.open(environment, _DIRECTORY))


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


def _record_of(place):
    """Return the record of a DIR that is its own: a moved one's too, and not that of another DIR that it names."""
    identity = place.identity()
    record = Record.read(identity) if identity else None
    if record is None or record.uid != place.uid:
        return None
    if record.path != place.path:
        with contextlib.suppress(Refusal):
            other = reach(record.path)
            try:
                if identity_in(other) == identity:
                    return None  # a copy
            finally:
                os.close(other)
    return record


def _known(place):
    record = _record_of(place)
    if record is None:
        raise Refusal(
            3,
            "root knows of no environment that is to be mounted here",
            place.path,
            f"say which: nixgen venv --mounted {place.path}",
        )
    return record


def _new_record(place, image):
    """Return a record for a DIR that has none, and may have one.

    Raises:
        Refusal: DIR has something in it that is not nixgen's.
    """
    form = place.form()
    if form is None and [name for name in place.names() if name != ".nixgen"]:
        raise Refusal(
            3,
            "this was not made by nixgen, and is left alone",
            place.path,
            "name another directory, or remove this one",
        )
    if form in ("overlay", "farm"):
        raise Refusal(
            3,
            f"this is an environment of another form, {form}",
            place.path,
            "name another directory, or remove this one",
        )
    return Record(
        os.urandom(16).hex(),
        path=place.path,
        uid=place.uid,
        gid=place.gid,
        image=image,
        previous="",
        fitted="",
        attached=True,
    )


def _faults(place, record):
    """Return what is wrong with a DIR, in words."""
    found = []
    if record.path != place.path:
        found.append(f"it lay at {record.path}")
    name = os.path.basename(record.image)
    if not place.mounted:
        found.append("nothing is mounted over it")
    elif place.mounted[-1] != name:
        found.append(f"it shows another environment, {place.mounted[-1]}")
    elif len(place.mounted) > 1:
        found.append(f"it is mounted {len(place.mounted)} times")
    if record.fitted != record.image and not found:
        found.append("an interruption has left its changes unfit")
    return found


def _settle(place, record, options, reset=False):
    """Have a DIR show what its record says, from whatever it is in."""
    images.valid_image(record.image)
    record.path, record.attached = place.path, True
    other = Record.at(record.path)
    # What Nix is to keep is written before anything is shown of it.
    record.write()
    if other is not None and other.identity != record.identity:
        other.remove()  # of a directory that is gone
    if not reset and not _faults(place, record):
        return
    replaced = bool(place.mounted)
    place.detach(lazy=True)
    place.write(".nixgen", "state", _state(place, record))
    if reset:
        _forget_changes(place)
        record.fitted = ""
    store = os.path.dirname(record.image)
    with images.held(), place.inside(".nixgen/upper") as changes, place.inside(".nixgen/work") as work:
        names = images.show(record.image, place.uid, place.gid)
        if record.fitted != record.image:
            _fit(place, record, changes, store)
        place.write(".nixgen/upper/.nixgen", "state", _state(place, record))
        if not record.fitted:
            place.write_new(changes, ".gitignore", _IGNORED)
            if "pyvenv.cfg" not in place.names():
                place.write_new(place.descriptor, ".gitignore", _IGNORED)
                place.write_new(place.descriptor, _NOTE, _NOTE_TEXT)
        _mount(place, record, names, store, changes, work)
    record.fitted = record.image
    record.write()
    if replaced:
        images.sweep()
    if not options.quiet and options.verb in ("attach", "reset", "rollback"):
        _say_changes(place)


def _source(record):
    """Return what an overlay of a record is called in the table of mounts."""
    return SOURCE + os.path.basename(record.image)


def _state(place, record):
    previous = images.environment_of(record.previous) if record.previous and os.path.exists(record.previous) else ""
    lines = [
        "nixgen-venv 1",
        f"env {images.environment_of(record.image)}",
        f"previous {previous}",
        "form mounted",
        f"path {place.path}",
        f"image {record.image}",
        f"id {record.identity}",
    ]
    return "".join(line + "\n" for line in lines)


def _forget_changes(place):
    with place.inside(".nixgen") as here:
        for name in ("upper", "work"):
            upper.remove(here, name)


def _fit(place, record, changes, store):
    """Make the changes fit the environment; say what was kept and what was put back."""
    old = None
    if record.fitted and os.path.exists(os.path.join(record.fitted, images.IMAGE)):
        old = upper.Lower(images.show(record.fitted), store)
    aside = "{}/kept/{}".format(upper.OWN, time.strftime("%Y-%m-%dT%H-%M-%S"))
    layer = upper.Upper(changes, place.uid, place.gid)
    layer.fit(old, upper.Lower(images.show(record.image), store), aside)
    place.fitted = (layer, aside)


def _say_changes(place):
    layer, aside = getattr(place, "fitted", (None, None))
    if layer is None:
        return
    if layer.restored:
        print(f"{place.path}: put back: {', '.join(sorted(layer.restored))}", file=sys.stderr)
    for path in sorted(layer.kept):
        print(
            f"{place.path}: {path} was changed here, and is another file now: your change is in {aside}/{path}",
            file=sys.stderr,
        )


def _mount(place, record, names, store, changes, work):
    options = [
        ("source", _source(record)),
        ("metacopy", "on"),
        ("redirect_dir", "on"),
        ("lowerdir", f"{names}::{store}"),
        ("upperdir", f"/proc/self/fd/{changes}"),
        ("workdir", f"/proc/self/fd/{work}"),
    ]
    try:
        made = mounts.make("overlay", options, mounts.NOSUID | mounts.NODEV)
        try:
            mounts.move(made, place.descriptor)
        finally:
            os.close(made)
    except OSError as error:
        raise Refusal(
            7,
            f"cannot mount here: {error.strerror}",
            place.path,
            "see the kernel's log (dmesg); changes need a file system such as ext4, XFS, Btrfs or tmpfs below DIR, "
            "and not another overlay",
        ) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
