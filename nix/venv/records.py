"""What root keeps of each directory that is mounted: the directories themselves may belong to others."""

import binascii
import contextlib
import os

#: Where.
RECORDS = os.path.join(os.environ.get("NIXGEN_STATE_DIR") or "/var/lib/nixgen", "mounted")

#: Where Nix looks for what it is to keep.
ROOTS = os.path.join(os.environ.get("NIX_STATE_DIR") or "/nix/var/nix", "gcroots", "nixgen")


class Record:
    """What root keeps of one DIR, in a file of its own; ``identity`` is its name, and stands in DIR.

    A line is a name and a value, with what is no printable ASCII escaped: ``path /home/ada/.venv``.

    Attributes:
        path: of DIR.
        uid, gid: whom DIR belongs to.
        image, previous: store paths of its image, and of the one of before ("" for none).
        fitted: the image that the layer of DIR was last made to fit; "" for none.
        attached: whether it is to be mounted, now and after a restart.
    """

    TEXTS = ("path", "image", "previous", "fitted")
    NUMBERS = ("uid", "gid", "attached")

    def __init__(self, identity, **fields):
        self.identity = identity
        for name in (*self.TEXTS, *self.NUMBERS):
            setattr(self, name, fields[name])
        self.attached = bool(self.attached)

    @classmethod
    def read(cls, identity):
        """Return the record of that name, None where there is none."""
        try:
            with open(_file_of(identity), "rb") as file:
                said = dict(line.split(b" ", 1) for line in file.read().splitlines())
            texts = {name: said[name.encode()].decode("unicode_escape") for name in cls.TEXTS}
            return cls(identity, **texts, **{name: int(said[name.encode()]) for name in cls.NUMBERS})
        except (OSError, ValueError, KeyError):
            return None

    @classmethod
    def every(cls):
        """Return all records, by the paths of their DIRs."""
        names = os.listdir(RECORDS) if os.path.isdir(RECORDS) else []
        found = [cls.read(name) for name in names if "." not in name]
        return sorted(filter(None, found), key=lambda record: record.path)

    @classmethod
    def at(cls, path):
        """Return the record that was last written for a path, None where there is none; no other one is read."""
        with contextlib.suppress(OSError):
            record = cls.read(os.readlink(_link_of(path)))
            if record is not None and record.path == path:
                return record
        return None

    def show(self, image):
        """Say that DIR is to show an image; what it showed is then the one of before."""
        if self.image != image:
            self.previous, self.image = self.image, image

    def write(self):
        """Write it, and have Nix keep what it names."""
        os.makedirs(RECORDS, mode=0o755, exist_ok=True)
        path = _file_of(self.identity)
        with open(path + ".new", "wb") as file:
            for name in self.TEXTS:
                file.write(b"%s %s\n" % (name.encode(), getattr(self, name).encode("unicode_escape")))
            for name in self.NUMBERS:
                file.write(b"%s %d\n" % (name.encode(), getattr(self, name)))
        os.replace(path + ".new", path)
        _replace_link(_link_of(self.path), self.identity)
        with contextlib.suppress(OSError):  # there is no Nix here
            os.makedirs(ROOTS, exist_ok=True)
            for name, target in (("", self.image), ("-previous", self.previous)):
                link = os.path.join(ROOTS, self.identity + name)
                if target:
                    _replace_link(link, target)

    def remove(self):
        """Remove it: Nix need not keep anything for it any more."""
        os.unlink(_file_of(self.identity))
        with contextlib.suppress(OSError):
            if os.readlink(_link_of(self.path)) == self.identity:
                os.unlink(_link_of(self.path))
        for name in ("", "-previous"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(ROOTS, self.identity + name))


def _file_of(identity):
    return os.path.join(RECORDS, identity)


def _link_of(path):
    """Return the link that names the last record of a path; two paths that share one lose nothing but its speed."""
    return os.path.join(RECORDS + "-at", format(binascii.crc32(os.fsencode(path)), "08x"))


def _replace_link(link, target):
    if os.path.islink(link) and os.readlink(link) == target:
        return
    os.makedirs(os.path.dirname(link), mode=0o755, exist_ok=True)
    new = f"{link}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    os.symlink(target, new)
    os.replace(new, link)
