"""Two users, one of them hostile: root works in his directory while he swaps things for links to what is root's."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uv

from campaign import racer
from campaign.case import Case, Part
from campaign.honest import honest, pin
from campaign.liar import Liar
from campaign.place import Place, broken, remove
from corpus.processes import Processes
from nixgen.leaf import leaf_path

#: Nobody has this number.
UID = 54322

#: How long a case's verbs are run again and again, in seconds.
_SECONDS = 6.0

#: How long one verb may take: nixgen itself gives up on a user's directory after less.
_LIMIT = 90.0

#: Runs in a directory of the user; each again and again.
VERBS = {
    "venv": ("venv", "{home}"),
    "venv --farm": ("venv", "--farm", "{home}"),
    "fsck": ("fsck", "{home}"),
    "adopt --add": ("adopt", "{home}", "--add"),
    "adopt --undo": ("adopt", "{home}", "--undo"),
}

#: What a verb may end with: done, found something, or gave up for a reason.
_CODES = (0, 3, 4, 5, 6, 7)

#: What the file of root's begins with; the rest is the seed's own, so that the store cannot have it from another case.
_SECRET = b"the secret of root, of which the other user knows the hash: "


def _missing() -> str:
    if os.geteuid() != 0:
        return "it takes root to be two users"
    if _python() is None:
        return "the second user can run no Python here"
    return ""


@functools.cache
def _python() -> str | None:
    """Return an interpreter of this version that the second user can run."""
    name = "python{}.{}".format(*sys.version_info)
    for found in (os.path.realpath(sys.executable), f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        with contextlib.suppress(OSError):
            if subprocess.run([found, "-c", ""], user=UID, group=UID, extra_groups=[], cwd="/").returncode == 0:
                return found
    return None


class _Scene:
    """A directory that both users can enter: one of his own, one of root's, a store and a project."""

    def __init__(self, place: Place, liar: Liar) -> None:
        self.place = place
        self.precious = place.directory / "precious"
        self.homes = place.directory / "homes"
        self.homes.mkdir()
        os.chown(self.homes, UID, UID)
        self.wheel = honest("theirs", {f"theirs/m{number}.py": f"n = {number}\n".encode() * 50 for number in range(30)})
        liar.wheels = {self.wheel.filename: self.wheel.content}
        pin(place.project, [self.wheel], liar.base)
        for verb in ("lock", "build"):
            if place.nixgen(verb).code != 0:
                raise RuntimeError(place.said)
        # The user reads the store, as everybody does.
        subprocess.run(["chmod", "-R", "go+rX", place.nix], check=True)

    def begin(self, verb: str, secret: bytes) -> Path:
        """Make root's directory and the user's anew, and return the latter."""
        place = self.place
        place.said = ""
        remove(self.precious)
        (self.precious / "deep").mkdir(parents=True)
        for path in (self.precious / "file", self.precious / "deep/file"):
            path.write_bytes(secret)
            path.chmod(0o600)
        remove(self.homes)
        self.homes.mkdir()
        home = self.homes / "env"
        if verb.startswith("adopt"):
            program = uv.find_uv_bin()
            # A file of the same content as root's, and so its hash in RECORD.
            hostile = honest("theirs", {**self.wheel.files, "theirs/secret.txt": secret})
            wheel = place.directory / hostile.filename
            wheel.write_bytes(hostile.content)
            self._sure(program, "venv", "--quiet", "--no-python-downloads", "--python", str(_python()), home)
            told = ("pip", "install", "--quiet", "--no-index", "--link-mode", "copy", "--python", home / "bin/python")
            self._sure(program, *told, wheel)
        elif verb == "fsck":
            self._sure(sys.executable, "-m", "nixgen", "venv", home)
        subprocess.run(["chown", "-Rh", f"{UID}:{UID}", self.homes], check=True)
        if verb == "adopt --undo":
            self._sure(sys.executable, "-m", "nixgen", "adopt", home, "--add")
        return home

    def _sure(self, *command: str | Path) -> None:
        if self.place.run(*command).code != 0:
            raise RuntimeError(self.place.said)


@contextlib.contextmanager
def _open(directory: Path, processes: Processes) -> Iterator[Callable[[int], Case]]:
    remove(directory)
    # Where everybody can enter: the scratch directory may be below one where nobody else can.
    made = Path(tempfile.mkdtemp(prefix="nixgen-campaign-"))
    made.chmod(0o755)
    shutil.copy(racer.__file__, made / "racer.py")
    try:
        place = Place(made / "place", processes)
        with Liar() as liar:
            scene = _Scene(place, liar)
            yield lambda seed: _case(scene, made / "racer.py", seed)
    finally:
        remove(made)


def _case(scene: _Scene, program: Path, seed: int) -> Case:
    names = list(VERBS)
    name = names[seed % len(names)]
    chance, place = random.Random(f"{seed} users"), scene.place
    secret = _SECRET + f"{seed}\n".encode()
    home = scene.begin(name, secret)
    before = _snapshot(scene.precious)
    known = leaf_path("secret.txt", _base64(secret), str(place.store))
    findings: list[str] = []
    ended: list[int | None] = []
    # The hostile wheel's own copy of the secret is not root's: it is taken away, so that only root's could be added.
    if name == "adopt --add":
        for path in home.rglob("secret.txt"):
            path.unlink()
            path.symlink_to(scene.precious / "file") if chance.random() < 0.5 else path.write_bytes(b"not it")
            os.chown(path, UID, UID, follow_symlinks=False)
    command = [str(_python()), "-I", str(program)]
    racers = [
        subprocess.Popen(
            [*command, f"{seed} {number}", home, scene.precious],
            user=UID,
            group=UID,
            extra_groups=[],
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(2)
    ]
    try:
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            words = [word.format(home=home) for word in VERBS[name]]
            done = place.nixgen(*words, limit=_LIMIT)
            ended.append(done.code)
            findings.extend(broken(f"nixgen {words[0]}", done, _LIMIT))
            if done.code not in (*_CODES, None, 1):
                findings.append(f"nixgen {words[0]} ends with {done.code}")
    finally:
        for process in racers:
            process.kill()
            process.wait()
    if _snapshot(scene.precious) != before:
        findings.append("what is root's is not as it was")
    if name == "adopt --add" and os.path.lexists(known):
        findings.append("a file that only root may read is in the store, where everybody can")
    findings.extend(_rights(scene.homes))
    return Case(
        kinds=(name,),
        seed=seed,
        outcome="done each time" if not any(ended) else "refused now and then",
        findings=tuple(dict.fromkeys(findings)),
        said=place.said if findings else "",
    )


def _snapshot(directory: Path) -> dict[str, tuple[object, ...]]:
    """Return owner, group, mode, number of names and content of everything below a directory, and of itself."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (directory, *sorted(directory.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path)] = (status.st_uid, status.st_gid, status.st_mode, content)
    return found


def _rights(directory: Path) -> Iterator[str]:
    """Say where the user has got a file of root's that gives rights or that only root may read."""
    for root, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(root, name))  # noqa: PTH118
                if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_ISUID | stat.S_ISGID):
                    yield f"{name} has a set-user-id bit"
                if stat.S_ISREG(status.st_mode) and status.st_uid == UID and status.st_nlink == 1:
                    with open(os.path.join(root, name), "rb") as file:  # noqa: PTH118, PTH123
                        if file.read(len(_SECRET)) == _SECRET and name != "secret.txt":
                            yield f"{name} of the user has the secret of root"


def _base64(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


PART = Part(
    name="users",
    title="Two users, one of them hostile",
    text=f"""\
Root runs a verb again and again, {_SECONDS:.0f} seconds for each seed, in a directory of another user, two of whose
processes meanwhile put links to root's files and directories, pipes and hard links in the place of whatever is there,
of whatever is being made, and of directories on the way. For `adopt`, RECORD names the hash of a file that only root
may read. A finding is a change to what is root's, that file in the store or in the user's hands, a set-user-id bit, a
traceback, an unexpected error, or a verb that takes more than {_LIMIT:.0f} seconds.""",
    outcomes=("done each time", "refused now and then"),
    open=_open,
    missing=_missing,
)
