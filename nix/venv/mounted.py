"""Virtual environments without links: the kernel shows files under their names, and keeps changes in a layer.

``python -I -S -B mounted.py VERB ARGUMENT...``, by bin/nixgen-venv and by nixgen. What is mounted over DIR is an
overlay of three layers: what is changed in DIR (``DIR/.nixgen/upper``, below the mount), the environment's image, which
has names and no content, and the store, which has the content. Each image is mounted once on a machine, and once more
for each owner of a DIR, whose files belong to that owner.

Root believes nothing that DIR says, for its owner may be somebody else: which environment a DIR has stands in a file of
root's, and DIR holds nothing but that file's name. Everything below DIR is reached by descriptors, and no link is
followed. Standard library only, Python 3.8 and newer.
"""

import binascii
import contextlib
import errno
import fcntl
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import mounts
import owner
import upper

#: What an image's store path holds; nix/builders/mounted.py writes it.
IMAGE, ENVIRONMENT = "image.erofs", "environment"

#: Where root keeps what is attached where, and where images are mounted.
RECORDS = os.path.join(os.environ.get("NIXGEN_STATE_DIR") or "/var/lib/nixgen", "mounted")
IMAGES = os.path.join(os.environ.get("NIXGEN_RUN_DIR") or "/run/nixgen", "mounted")

#: What an overlay of ours is called in the table of mounts, before the name of its image.
_SOURCE = "nixgen:"

#: How long somebody else may be at work in a DIR, in seconds.
_PATIENCE = 60

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_IDENTITY = re.compile(r"[0-9a-f]{32}")
_STORE_PATH = re.compile(r"/.*/[0-9a-z]{32}-[^/]+")

#: Said in DIR where nothing is mounted over it.
_NOTE = "NOT-MOUNTED.txt"
_NOTE_TEXT = """\
This is a virtual environment of nixgen whose files are mounted here, and now they are not, as after a restart.

  nixgen mount DIR     mounts them again, as root
"""

#: As uv and virtualenv have it: ``git add -A`` takes nothing of DIR.
_IGNORED = "*\n"


class Refusal(Exception):
    """What stands in the way: the exit code, what, where, and what to do about it."""


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


# --- what can be mounted here


def missing(user=False):
    """Return in a sentence why nothing can be mounted here; None where it can.

    Args:
        user: whether it is to be in a namespace of the caller's own, which needs no root.
    """
    if sys.platform != "linux":
        return f"mounting takes Linux, and this is {os.uname().sysname}"
    release = os.uname().release
    kernel = tuple(map(int, re.findall(r"[0-9]+", release)[:2]))
    needed = (6, 16) if user else (6, 5)
    if kernel < needed:
        alone = " without root" if user else ""
        return "mounting{} takes Linux {}.{} or newer, and this is {}".format(alone, *needed, release)
    if not user and os.geteuid() != 0:
        return "mounting takes root"
    for kind in ("overlay",) if user else ("erofs", "overlay"):
        if not _has_file_system(kind):
            return f"this kernel has no {kind} (modprobe {kind})"
    return None


def _has_file_system(kind):
    for again in (False, True):
        with open("/proc/filesystems", encoding="ascii") as file:
            if any(line.split()[-1] == kind for line in file):
                return True
        if not again:
            import subprocess

            with contextlib.suppress(OSError):
                subprocess.run(["modprobe", "-q", kind], check=False, stderr=subprocess.DEVNULL)
    return False


def _demand(directory):
    said = missing()
    if said is not None:
        raise Refusal(7, said, directory, "take another form: nixgen venv --overlay or --farm; or nixgen run --mounted")


# --- images


def valid_image(path):
    """Return the store path of an image, which it must be: whole, and as the store's owner left it.

    Raises:
        Refusal: it is something else, or not in the store any more.
    """
    found = path.rstrip("/") if path else ""
    store = os.path.dirname(found)
    try:
        if not _STORE_PATH.fullmatch(found) or os.path.islink(found):
            raise OSError
        for name in (found, os.path.join(found, IMAGE)):
            if os.lstat(name).st_uid != os.lstat(store).st_uid:
                raise OSError
        environment = os.readlink(os.path.join(found, ENVIRONMENT))
        if os.path.dirname(environment) != store or not os.path.exists(os.path.join(environment, "pyvenv.cfg")):
            raise OSError
    except OSError:
        raise Refusal(
            3,
            "this is no image of an environment, or not in the store any more",
            path,
            "build it: nixgen build --mounted",
        ) from None
    return found


def environment_of(image):
    """Return the store path of the environment that an image shows."""
    return os.readlink(os.path.join(image, ENVIRONMENT))


def show(image, uid=0, gid=0):
    """Have the names of an image mounted, as a user's files, and return where; others find them there too."""
    os.makedirs(IMAGES, mode=0o700, exist_ok=True)  # names without content: nobody is to take them for files
    with _locked_file(os.path.join(IMAGES, ".lock")):
        place = _show(os.path.basename(image), lambda: _names(image))
        if uid == 0:
            return place
        return _show(f"{os.path.basename(image)}-{uid}-{gid}", lambda: _names_of(place, uid, gid))


def _show(name, make):
    """Put what ``make`` gives to its place among the images, where it is not yet."""
    place = os.path.join(IMAGES, name)
    os.makedirs(place, mode=0o755, exist_ok=True)
    if not os.path.ismount(place):
        here, made = os.open(place, _DIRECTORY), make()
        mounts.move(made, here)
        os.close(made)
        os.close(here)
    return place


def _names_of(place, uid, gid):
    whole = os.open(place, _DIRECTORY)
    try:
        return mounts.owned_by(whole, uid, gid)
    finally:
        os.close(whole)


def _names(image):
    file = os.path.join(image, IMAGE)
    attributes = mounts.READ_ONLY | mounts.NOSUID | mounts.NODEV
    try:
        return mounts.make("erofs", [("ro", None), ("source", file)], attributes)
    except OSError as error:
        if error.errno != errno.ENOTBLK:  # Linux 6.12 mounts files, older ones devices
            raise
    import subprocess

    device = subprocess.run(
        ["losetup", "--find", "--show", "--read-only", file], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        return mounts.make("erofs", [("ro", None), ("source", device)], attributes)
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)  # once nothing is mounted of it


def _sweep_images():
    """Take away the names of images that no environment here shows."""
    used = {mount.source[len(_SOURCE) :] for mount in mounts.mounts(_SOURCE) if mount.source.startswith(_SOURCE)}
    with _locked_file(os.path.join(IMAGES, ".lock")):
        for name in sorted(os.listdir(IMAGES), reverse=True):
            if name == ".lock" or re.sub(r"-mounted-[0-9]+-[0-9]+$", "-mounted", name) in used:
                continue
            place = os.path.join(IMAGES, name)
            with contextlib.suppress(OSError):
                around = os.open(IMAGES, _DIRECTORY)
                try:
                    while os.path.ismount(place):
                        mounts.unmount(around, name, lazy=True)
                finally:
                    os.close(around)
                os.rmdir(place)


@contextlib.contextmanager
def _locked_file(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


# --- what root keeps of each DIR


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
        roots = os.path.join(os.environ.get("NIX_STATE_DIR") or "/nix/var/nix", "gcroots", "nixgen")
        with contextlib.suppress(OSError):  # there is no Nix here
            os.makedirs(roots, exist_ok=True)
            for name, target in (("", self.image), ("-previous", self.previous)):
                link = os.path.join(roots, self.identity + name)
                if target:
                    _replace_link(link, target)

    def remove(self):
        """Remove it: Nix need not keep anything for it any more."""
        os.unlink(os.path.join(RECORDS, self.identity + ".json"))
        with contextlib.suppress(OSError):
            if os.readlink(_link_of(self.path)) == self.identity:
                os.unlink(_link_of(self.path))
        roots = os.path.join(os.environ.get("NIX_STATE_DIR") or "/nix/var/nix", "gcroots", "nixgen")
        for name in ("", "-previous"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(roots, self.identity + name))


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


# --- DIR


class Place:
    """A DIR, by descriptors.

    Attributes:
        path: without links.
        descriptor: of what is below a mount of ours.
        uid, gid: whom it belongs to.
        mounted: names of the images that are mounted over it, the last one uppermost.
    """

    def __init__(self, path, descriptor, mounted, stack):
        self._again = []
        stack.callback(lambda: [os.close(again) for again in self._again])
        self.path = path
        self.descriptor = descriptor
        self.mounted = mounted
        status = os.fstat(descriptor)
        self.uid, self.gid = status.st_uid, status.st_gid

    def detach(self, lazy):
        """Take away all of ours that is mounted over it.

        Raises:
            Refusal: somebody uses it, and it is not to be lazy.
        """
        while self.mounted:
            if not _is_ours(self.path):
                break
            around = _reach(os.path.dirname(self.path))
            try:
                mounts.unmount(around, os.path.basename(self.path), lazy=lazy)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                holders = ", ".join(_holders(self.path)) or "somebody"
                raise Refusal(
                    7,
                    f"in use by {holders}",
                    self.path,
                    "end that; or let it keep what it has open, and nothing else: --lazy",
                ) from None
            finally:
                os.close(around)
            self.mounted.pop()
        self._reach_again()

    def _reach_again(self):
        """Reach DIR as it shows now: on what was below a mount, which is nowhere, the kernel mounts nothing."""
        after = _reach(self.path)
        if os.path.samestat(os.fstat(after), os.fstat(self.descriptor)):
            self._again.append(after)
            self.descriptor = after
            return
        os.close(after)
        raise Refusal(3, "it is another directory now", self.path, "run this again")

    def names(self):
        """Return what is in DIR itself."""
        return os.listdir(self.descriptor)

    def identity(self):
        """Return the name of its record; None where it has none."""
        text = owner.read(self.descriptor, ".nixgen/state") or b""
        found = re.search(rb"^id ([0-9a-f]{32})$", text, re.MULTILINE)
        return found.group(1).decode() if found else None

    def form(self):
        """Return its form, as it says; None where it is none of nixgen's."""
        text = owner.read(self.descriptor, ".nixgen/state") or b""
        found = re.search(rb"^form ([a-z]+)$", text, re.MULTILINE)
        return found.group(1).decode() if text.startswith(b"nixgen-venv 1\n") and found else None

    @contextlib.contextmanager
    def inside(self, path):
        """Give a descriptor of a directory in it, which is made where it is not."""
        here = os.dup(self.descriptor)
        try:
            for part in path.split("/"):
                with contextlib.suppress(FileExistsError), owner.rights_of(self.uid, self.gid):
                    os.mkdir(part, 0o755, dir_fd=here)
                try:
                    after = os.open(part, _DIRECTORY, dir_fd=here)
                except OSError as error:
                    if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                        raise
                    raise Refusal(
                        3, f"{part} in it is no directory", f"{self.path}/{path}", "remove that, and run this again"
                    ) from None
                os.close(here)
                here = after
                if os.fstat(here).st_uid not in (self.uid, 0):
                    raise Refusal(
                        3, "a directory in it belongs to somebody else", f"{self.path}/{path}", "give it back"
                    )
            yield here
        finally:
            os.close(here)

    def write(self, directory, name, text):
        """Write a file of it, by rename."""
        with self.inside(directory) as here, owner.rights_of(self.uid, self.gid):
            new = f"new-{os.urandom(16).hex()}"
            with os.fdopen(
                os.open(new, _NEW, 0o644, dir_fd=here), "w", encoding="utf-8", errors="surrogateescape"
            ) as file:
                file.write(text)
            os.rename(new, name, src_dir_fd=here, dst_dir_fd=here)


def _reach(path):
    reached = owner.reach(path)
    if reached.descriptor is None:
        raise Refusal(3, "there is no such directory", path, f"make it: nixgen venv --mounted {path}")
    return reached.descriptor


def _ours(descriptor):
    """Return the name of the image that a directory is the root of; None where it is none of ours."""
    # What is mounted has a device of its own; the table of mounts takes milliseconds where there are thousands.
    if os.fstat(descriptor).st_dev == os.stat("..", dir_fd=descriptor).st_dev:
        return None
    mount = mounts.mount_of(descriptor)
    if mount is None or mount.kind != "overlay" or not mount.source.startswith(_SOURCE):
        return None
    return mount.source[len(_SOURCE) :] if mount.place == _path(descriptor) else None


def _is_ours(path):
    here = _reach(path)
    try:
        return _ours(here) is not None
    finally:
        os.close(here)


def _path(descriptor):
    return os.readlink(f"/proc/self/fd/{descriptor}")


def _holders(path):
    """Return the processes that have something open below a mount, as users know them."""
    device = os.stat(path).st_dev
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            links = [f"/proc/{number}/{name}" for name in ("cwd", "root", "exe")]
            links += [f"/proc/{number}/fd/{name}" for name in os.listdir(f"/proc/{number}/fd")]
            if int(number) != os.getpid() and any(_device(link) == device for link in links):
                with open(f"/proc/{number}/comm", encoding="utf-8", errors="replace") as file:
                    found.append(f"{file.read().strip()} ({number})")
    return found


def _device(link):
    try:
        return os.stat(link).st_dev
    except OSError:
        return None


@contextlib.contextmanager
def opened(path, make=False):
    """Give the ``Place`` of a path, with nobody else at work in it.

    Args:
        path: of DIR.
        make: whether to make it where it is not.

    Raises:
        Refusal: there is none; somebody else is at work in it for long.
    """
    with contextlib.ExitStack() as stack:
        while True:
            with contextlib.ExitStack() as attempt:
                place = _open(path, make, attempt)
                _lock(place.descriptor, place.path)
                # Somebody may have mounted it, or taken that away, until the lock was had.
                if _is_ours(place.path) == bool(place.mounted):
                    stack.push(attempt.pop_all())
                    break
        yield place


def _open(path, make, stack):
    reached = owner.reach(path)
    if reached.descriptor is None and make:
        _make(path, reached.uid)
        reached = owner.reach(path)
    if reached.descriptor is None:
        raise Refusal(3, "there is no such directory", path, f"make it: nixgen venv --mounted {path}")
    descriptor, mounted, path = reached.descriptor, [], _path(reached.descriptor)
    if _ours(descriptor) is not None:
        mounted = [mount.source[len(_SOURCE) :] for mount in mounts.mounts(_SOURCE) if mount.place == path]
    if mounted and os.geteuid() == 0:  # others may only look, and the layer shows them what DIR says of itself
        os.close(descriptor)  # it would be one that uses the mount
        around = _reach(os.path.dirname(path))
        stack.callback(os.close, around)
        hidden = mounts.below(around)
        stack.callback(os.close, hidden)
        descriptor = os.open(os.path.basename(path), _DIRECTORY, dir_fd=hidden)
    stack.callback(os.close, descriptor)
    return Place(path, descriptor, mounted, stack)


def _make(path, uid):
    """Make a directory with the rights of whom the way to it belongs to."""
    if uid == os.geteuid():
        with contextlib.suppress(FileExistsError):
            os.makedirs(path, mode=0o755)
        return
    child = os.fork()
    if child == 0:
        code = 1
        try:
            start = os.getcwd()
            owner.become(uid)
            path = os.path.join(start, path)
            os.makedirs(path, mode=0o755, exist_ok=True)
            code = 0
        except OSError as error:
            print(f"nixgen-venv: cannot make the directory: {error.strerror}\n  where: {path}", file=sys.stderr)
        finally:
            os._exit(code)
    os.waitpid(child, 0)


def _lock(descriptor, path):
    """Wait until nobody else is at work: a lock that ends with its process."""
    for _ in range(_PATIENCE * 10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.1)
    raise Refusal(
        3, f"somebody has been at work in it for {_PATIENCE} seconds", path, "see who has it open: fuser -v DIR"
    )


# --- verbs


def _attach(options):
    _demand(options.directory)
    image = valid_image(options.image)
    with opened(options.directory, make=True) as place:
        record = _record_of(place) or _new_record(place, image)
        if record.image != image:
            record.previous, record.image = record.image, image
        _settle(place, record, options, reset=options.verb == "reset")
    return 0


def _rollback(options):
    _demand(options.directory)
    with opened(options.directory) as place:
        record = _known(place)
        if not record.previous:
            raise Refusal(
                3, "there is no environment of before", place.path, "nothing: it has had one environment only"
            )
        record.image, record.previous = record.previous, record.image
        valid_image(record.image)
        _settle(place, record, options)
    return 0


def _heal(options):
    with opened(options.directory) as place:
        if options.image and _record_of(place) is None:
            record = _new_record(place, valid_image(options.image))
        else:
            record = _known(place)
        faults = _faults(place, record)
        if options.verb in ("check", "dry-run"):
            would = "would heal: " if options.verb == "dry-run" else ""
            for fault in faults:
                print(f"{place.path}: {would}{fault}")
            return 1 if faults and options.verb == "check" else 0
        if faults:
            _demand(place.path)
            _settle(place, record, options)
            if not options.quiet:
                for fault in faults:
                    print(f"{place.path}: healed: {fault}", file=sys.stderr)
    return 0


def _heal_all(options):
    """Attach what was attached, as after a restart; one that fails does not keep the others from it."""
    code = 0
    there = {}
    for mount in mounts.mounts(_SOURCE):
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
            _demand(place.path)
            place.detach(options.lazy)
        record.attached = False
        record.write()
    _sweep_images()
    return 0


def _table(options):
    """Print what is attached, and what was."""
    current = {}
    for mount in mounts.mounts(_SOURCE):
        if mount.kind == "overlay" and mount.source.startswith(_SOURCE):
            current[mount.place] = mount.source[len(_SOURCE) :]
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
        return environment_of(image)
    except OSError:
        return None


def _missing(options):
    said = missing("user" in options.words)
    if said is not None:
        print(said)
    return 0 if said is None else 1


def _run(options):
    """Run a command that sees the environment's files in the environment's own place, and nobody else does.

    Root needs nothing; another user ``--names``, a directory that holds them as files (nixgen makes it of the image).
    """
    image, *command = options.words
    image = valid_image(image)
    environment = environment_of(image)
    user = options.names is not None
    said = missing(user)
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
    options = [("source", _SOURCE + os.path.basename(image)), ("ro", None)]
    if names is None:
        below = os.open(environment, _DIRECTORY)
        mounts.move(_names(image), below)
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
        try:
            with contextlib.closing(_Elsewhere(record.path)) as other:
                if other.identity() == identity:
                    return None  # a copy
        except Refusal:
            pass
    return record


class _Elsewhere:
    """A path that a record names, to see what is there."""

    def __init__(self, path):
        self._descriptor = _reach(path)

    def identity(self):
        text = owner.read(self._descriptor, ".nixgen/state") or b""
        found = re.search(rb"^id ([0-9a-f]{32})$", text, re.MULTILINE)
        return found.group(1).decode() if found else None

    def close(self):
        os.close(self._descriptor)


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
    valid_image(record.image)
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
    names = show(record.image, place.uid, place.gid)
    store = os.path.dirname(record.image)
    with place.inside(".nixgen/upper") as changes, place.inside(".nixgen/work") as work:
        if record.fitted != record.image:
            _fit(place, record, changes, store)
        place.write(".nixgen/upper/.nixgen", "state", _state(place, record))
        if not record.fitted:
            _write_new(place, changes, ".gitignore", _IGNORED)
            if "pyvenv.cfg" not in place.names():
                _write_new(place, place.descriptor, ".gitignore", _IGNORED)
                _write_new(place, place.descriptor, _NOTE, _NOTE_TEXT)
        _mount(place, record, names, store, changes, work)
    record.fitted = record.image
    record.write()
    if replaced:
        _sweep_images()
    if not options.quiet and options.verb in ("attach", "reset", "rollback"):
        _say_changes(place)


def _source(record):
    """Return what an overlay of a record is called in the table of mounts."""
    return _SOURCE + os.path.basename(record.image)


def _write_new(place, here, name, text):
    """Write a file that nothing is in the way of; one that is there is the user's."""
    with contextlib.suppress(FileExistsError), owner.rights_of(place.uid, place.gid):
        file = os.open(name, _NEW, 0o644, dir_fd=here)
        with os.fdopen(file, "w", encoding="utf-8") as opened_file:
            opened_file.write(text)


def _state(place, record):
    previous = environment_of(record.previous) if record.previous and os.path.exists(record.previous) else ""
    lines = [
        "nixgen-venv 1",
        f"env {environment_of(record.image)}",
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
    if record.fitted and os.path.exists(os.path.join(record.fitted, IMAGE)):
        old = upper.Lower(show(record.fitted), store)
    aside = "{}/kept/{}".format(upper.OWN, time.strftime("%Y-%m-%dT%H-%M-%S"))
    layer = upper.Upper(changes, place.uid, place.gid)
    layer.fit(old, upper.Lower(show(record.image), store), aside)
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
