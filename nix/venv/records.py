"""What root keeps of each directory that is mounted: the directories themselves may belong to others."""

import binascii
import contextlib
import json
import os

#: Where.
RECORDS = os.path.join(os.environ.get("NIXGEN_STATE_DIR") or "/var/lib/nixgen", "mounted")

#: Where Nix looks for what it is to keep.
ROOTS = os.path.join(os.environ.get("NIX_STATE_DIR") or "/nix/var/nix", "gcroots", "nixgen")


class Record:
    """What root keeps of one DIR, in a file of its own; ``identity`` is its name, and stands in DIR.

    Attributes:
        path: of DIR.
        uid, gid: whom DIR belongs to.
        image, previous: store paths of its image, and of the one of before ("" for none).
        fitted: the image that the layer of DIR was last made to fit; "" for none.
        attached: whether it is to be mounted, now and after a restart.
    """

    FIELDS = ("path", "uid", "gid", "image", "previous", "fitted", "attached")

    def __init__(self, identity, **fields):
        self.identity = identity
        for name in self.FIELDS:
            setattr(self, name, fields[name])

    @classmethod
    def read(cls, identity):
        """Return the record of that name, None where there is none."""
        try:
            with open(os.path.join(RECORDS, identity + ".json"), encoding="utf-8") as file:
                return cls(identity, **json.load(file))
        except (OSError, ValueError, KeyError):
            return None

    @classmethod
    def every(cls):
        """Return all records, by the paths of their DIRs."""
        names = os.listdir(RECORDS) if os.path.isdir(RECORDS) else []
        found = [cls.read(name[:-5]) for name in names if name.endswith(".json")]
        return sorted(filter(None, found), key=lambda record: record.path)

    @classmethod
    def at(cls, path):
        """Return the record that was last written for a path, None where there is none; no other one is read."""
        with contextlib.suppress(OSError):
            record = cls.read(os.readlink(_link_of(path)))
            if record is not None and record.path == path:
                return record
        return None

    def write(self):
        """Write it, and have Nix keep what it names."""
        os.makedirs(RECORDS, mode=0o755, exist_ok=True)
        path = os.path.join(RECORDS, self.identity + ".json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({name: getattr(self, name) for name in self.FIELDS}, file, indent=1)
            file.write("\n")
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
        os.unlink(os.path.join(RECORDS, self.identity + ".json"))
        with contextlib.suppress(OSError):
            if os.readlink(_link_of(self.path)) == self.identity:
                os.unlink(_link_of(self.path))
        for name in ("", "-previous"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(ROOTS, self.identity + name))


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
