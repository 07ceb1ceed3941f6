"""What a directory is to show, by root's record of it; and how it comes to show that, from whatever it is in."""

import contextlib
import os
import sys
import time

import images
import mounts
import owner
import upper
from images import SOURCE
from place import identity_in, reach
from records import Record
from refusal import Refusal

#: Said in DIR where nothing is mounted over it.
_NOTE = "NOT-MOUNTED.txt"
_NOTE_TEXT = """\
This is an environment of nixgen whose files are mounted here, and now they are not, as after a restart.

  nixgen mount DIR     mounts them again, as root
"""

#: As uv and virtualenv have it: ``git add -A`` takes nothing of DIR.
_IGNORED = "*\n"


def record_of(place):
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


def known(place):
    """Return the record of a DIR.

    Raises:
        Refusal: it has none.
    """
    record = record_of(place)
    if record is None:
        raise Refusal(
            3,
            "root knows of no environment that is to be mounted here",
            place.path,
            f"say which: nixgen venv --mounted {place.path}",
        )
    return record


def record_for(place, image):
    """Return the record of a DIR; where it has none, and may have one, one that says the image.

    Raises:
        Refusal: it has none, and something in it that is not nixgen's.
    """
    record = record_of(place)
    if record is not None:
        return record
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


def faults(place, record):
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


def settle(place, record, options, reset=False):
    """Have a DIR show what its record says, from whatever it is in."""
    images.valid_image(record.image)
    record.path, record.attached = place.path, True
    other = Record.at(record.path)
    # What Nix is to keep is written before anything is shown of it.
    record.write()
    if other is not None and other.identity != record.identity:
        other.remove()  # of a directory that is gone
    if not reset and not faults(place, record):
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
            if not set(place.names()) - {".nixgen"}:
                place.write_new(place.descriptor, ".gitignore", _IGNORED)
                place.write_new(place.descriptor, _NOTE, _NOTE_TEXT)
        _mount(place, record, names, store, changes, work)
    record.fitted = record.image
    record.write()
    if replaced:
        images.sweep()
    if not options.quiet and options.verb in ("attach", "reset", "rollback"):
        _say_changes(place)


def drop(place, record):
    """Have a DIR show nothing any more, and be gone; what was installed or changed in it is kept, and said."""
    place.detach(lazy=True)
    with place.inside(".nixgen/upper") as changes:
        kept = upper.Upper(changes, place.uid, place.gid).changed()
    if kept:
        record.attached = False
        record.write()
        what = "the lock has nothing here any more; what you installed or changed is in .nixgen/upper"
        print(f"{place.path}: {what}: {', '.join(kept)}", file=sys.stderr)
        return
    for name, text in ((".nixgen", None), (".gitignore", _IGNORED), (_NOTE, _NOTE_TEXT)):
        if text is None or owner.read(place.descriptor, name) == text.encode():
            upper.remove(place.descriptor, name)
    record.remove()
    place.remove()


def source(record):
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
        ("source", source(record)),
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
