"""Each verb killed at the Nth system call: what it leaves is old or new, and the same verb again succeeds."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uv

from campaign.case import Case, Part
from campaign.honest import differences, honest, pin
from campaign.liar import Liar
from campaign.place import LIMIT, Place, listing, refusal, remove
from corpus.processes import Done, Processes
from nixgen.names import LOCK_NAME
from nixgen.temporary import is_temporary

#: Calls that change something, start something, or wait for it.
_CHANGES = (
    "?mkdir,mkdirat,?rename,renameat,renameat2,?link,linkat,?symlink,symlinkat,?unlink,unlinkat,?rmdir,write,pwrite64,"
    "ftruncate,?chmod,fchmod,fchmodat,fsync,utimensat,flock,?vfork,clone,?clone3,wait4,?fork"
)

#: A line of strace's: the process where there are several, and the call.
_CALL = re.compile(r"(?:(\d+) +)?(\w+)\(")

#: How the call is chosen: which calls count, and whether those of the processes that nixgen starts do.
_COUNTED = {
    "any call": ("all", False),
    "a change": (_CHANGES, False),
    "a change of whoever gets there first": (_CHANGES, True),
}

_BY_TIME = "a moment"

#: Exit codes of a nixgen that survives because it was another process that was killed.
_SURVIVOR = (3, 4, 5, 6, 7)


class Scene:
    """A project, its wheels and its store, in the state that each verb begins with."""

    def __init__(self, place: Place, liar: Liar) -> None:
        self.place = place
        self.old = honest("old", {f"old/m{number}.py": f"old = {number}\n".encode() for number in range(12)})
        self.new = honest("new", {f"new/m{number}.py": f"new = {number}\n".encode() for number in range(12)})
        self._liar = liar
        liar.wheels = {wheel.filename: wheel.content for wheel in (self.old, self.new)}
        self._templates = place.directory / "templates"
        self.environment = place.project / "env"
        self.expected: dict[str, dict[str, bytes | str]] = {}
        self._prepare()

    def _prepare(self) -> None:
        place = self.place
        for name, wheels in (("old", [self.old]), ("new", [self.old, self.new])):
            pin(place.project, wheels, self._liar.base)
            self.sure("lock")
            self.expected[name] = listing(place.project)
            shutil.copytree(place.project, self._templates / name, symlinks=True)
        files = []
        for wheel in (self.old, self.new):
            path = place.directory / wheel.filename
            path.write_bytes(wheel.content)
            files.append(path)
        program, python = uv.find_uv_bin(), Path(sys.executable).resolve()
        told = ("--quiet", "--no-index", "--link-mode", "copy", "--python", self.environment / "bin/python")
        made = place.run(program, "venv", "--quiet", "--no-python-downloads", "--python", python, self.environment)
        if made.code != 0 or place.run(program, "pip", "install", *told, *files).code != 0:
            raise RuntimeError(place.said)
        shutil.move(self.environment, self._templates / "env")

    def sure(self, *arguments: str) -> Done:
        """Run a verb that has to succeed, since nothing is in its way."""
        done = self.place.nixgen(*arguments)
        if done.code != 0:
            raise RuntimeError(self.place.said)
        return done

    def begin(self, template: str) -> None:
        """Begin with a copy of a template, an empty one where there is none of that name."""
        remove(self.place.project)
        self.place.said = ""
        if (self._templates / template).exists():
            shutil.copytree(self._templates / template, self.place.project, symlinks=True)
        else:
            self.place.project.mkdir()

    def pinned(self) -> None:
        """Pin both wheels."""
        pin(self.place.project, [self.old, self.new], self._liar.base)

    def lacks_all(self) -> None:
        """Begin with the lock of both wheels, and a store that has nothing of them."""
        self.begin("new")
        self.place.collect_garbage()

    def has_all(self) -> None:
        """Begin with the lock of both wheels, and their environment."""
        self.begin("new")
        self.sure("build")

    def with_venv(self) -> None:
        """Begin with a virtual environment, of which some is gone."""
        self.begin("new")
        self.sure("venv")
        for name in ("bin/python", "pyvenv.cfg"):
            (self.place.project / ".venv" / name).unlink()
        (self.place.project / ".venv/bin/activate").write_text("damaged")

    def damaged(self) -> None:
        """Begin with two files of the store that are not what they were."""
        self.has_all()
        for wheel in (self.old, self.new):
            (site,) = (self.place.project / "result").glob("lib/python3*/site-packages")
            leaf = (site / wheel.name / "m3.py").resolve()
            leaf.chmod(0o644)
            leaf.write_bytes(b"damaged")
            leaf.chmod(0o444)

    def with_environment(self) -> None:
        """Begin with an environment of uv's."""
        self.begin("new")
        shutil.copytree(self._templates / "env", self.environment, symlinks=True)

    def adopted(self) -> None:
        """Begin with an environment of uv's that was adopted."""
        self.with_environment()
        self.sure("adopt", "env", "--add")


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A verb, what it begins with, and what is right at its end.

    Attributes:
        arguments: of nixgen.
        begin: makes its beginning.
        right: says what is wrong after it has succeeded.
        locks: whether the lock and nix/ may be the new ones after a kill; else they stay as they were.
        over: what it says, with an error, where all of it was done before it was killed.
    """

    arguments: tuple[str, ...]
    begin: Callable[[Scene], None]
    right: Callable[[Scene], list[str]]
    locks: bool = False
    over: str | None = None


def _begin_first(scene: Scene) -> None:
    scene.begin("nothing")
    scene.pinned()


def _begin_lock(scene: Scene) -> None:
    scene.begin("old")
    scene.pinned()
    # As an older nixgen would have left it, so that the library is written too.
    (scene.place.project / "nix/nixgen/default.nix").write_text("of an older nixgen")


def _locked(scene: Scene) -> list[str]:
    left = {name: content for name, content in listing(scene.place.project).items() if name != "result"}
    return [] if left == scene.expected["new"] else ["the project is not what lock makes of it"]


def _built(scene: Scene) -> list[str]:
    return differences(scene.place.project / "result", [scene.old, scene.new])


def _fetched(scene: Scene) -> list[str]:
    done = scene.place.run("nix-build", "nix", "--no-out-link", "--argstr", "ingest", "store")
    if done.code != 0:
        return ["nix-build of what was fetched fails"]
    return differences(Path(done.out.strip().splitlines()[-1]), [scene.old, scene.new])


def _healed(scene: Scene) -> list[str]:
    found = []
    if scene.place.nixgen("fsck", "--check").code != 0:
        found.append("fsck --check finds something afterwards")
    code = "import old.m3, new.m4; print(old.m3.old + new.m4.new)"
    if scene.place.run(scene.place.project / ".venv/bin/python", "-c", code).out != "7\n":
        found.append("the virtual environment's Python does not import the packages")
    return found


def _verified(scene: Scene) -> list[str]:
    if scene.place.nixgen("verify").code != 0:
        return ["verify finds something afterwards"]
    return _built(scene)


def _linked(scene: Scene) -> list[str]:
    found = differences(scene.environment, [scene.old, scene.new])
    (site,) = scene.environment.glob("lib/python3*/site-packages")
    return found if (site / "old/m3.py").is_symlink() else [*found, "adopt made no links"]


def _undone(scene: Scene) -> list[str]:
    found = differences(scene.environment, [scene.old, scene.new])
    links = [
        path
        for path in scene.environment.rglob("*")
        if path.is_symlink() and scene.place.store in path.readlink().parents
    ]
    return [*found, *(f"{path.name} is still a link" for path in links)]


VERBS = {
    "lock, the first": Verb(arguments=("lock",), begin=_begin_first, right=_locked, locks=True),
    "lock": Verb(arguments=("lock",), begin=_begin_lock, right=_locked, locks=True),
    "build": Verb(arguments=("build",), begin=Scene.lacks_all, right=_built),
    "fetch": Verb(arguments=("fetch",), begin=Scene.lacks_all, right=_fetched),
    "venv": Verb(arguments=("venv",), begin=Scene.has_all, right=_healed),
    "fsck": Verb(arguments=("fsck",), begin=Scene.with_venv, right=_healed),
    "verify --repair": Verb(arguments=("verify", "--repair"), begin=Scene.damaged, right=_verified),
    "adopt --add": Verb(arguments=("adopt", "env", "--add"), begin=Scene.with_environment, right=_linked),
    "adopt --undo": Verb(
        arguments=("adopt", "env", "--undo"), begin=Scene.adopted, right=_undone, over="nothing was adopted here"
    ),
}


def _left(scene: Scene, verb: Verb, before: dict[str, bytes | str]) -> Iterator[str]:
    """Say what a killed verb left in the project that is neither as before nor as it would have been."""
    left = listing(scene.place.project)
    wanted = scene.expected["new"] if verb.locks else before
    own = [name for name in {*left, *before, *wanted} if name == LOCK_NAME or name.startswith("nix/")]
    for name in sorted(own):
        if any(map(is_temporary, name.split("/"))):
            continue
        if left.get(name) not in (before.get(name), wanted.get(name)):
            yield f"{name} is neither the old nor the new one after the kill"
    if left.get(LOCK_NAME) == wanted.get(LOCK_NAME) != before.get(LOCK_NAME):
        missing = [name for name in wanted if name.startswith("nix/") and left.get(name) != wanted[name]]
        if missing:
            yield f"the lock is the new one, and {missing[0]} is not"
    for name in left.keys() - before.keys() - wanted.keys():
        top = name.split("/")[0]
        if not any(map(is_temporary, name.split("/"))) and top not in ("result", ".venv", "env"):
            yield f"{name} is left after the kill"


def _strace() -> list[str] | None:
    """Return how to call strace, None where it does not work here."""
    found = shutil.which("strace")
    if found is None or subprocess.run([found, "-qq", "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        return None
    return [found, "-qq", "--signal=none"]


def _calls(scene: Scene, verb: Verb, strace: list[str], calls: str) -> list[tuple[str, int]]:
    """Return what a verb calls from its first to its last, where nobody kills it.

    Returns:
        names of calls, each with how often its process has made it up to then: strace counts so.
    """
    verb.begin(scene)
    told = scene.place.directory / "calls"
    scene.place.nixgen(*verb.arguments, before=[*strace, "-o", str(told), f"--trace={calls}"])
    made: list[tuple[str, int]] = []
    seen: Counter[tuple[str, ...]] = Counter()
    with told.open(errors="replace") as lines:
        for line in lines:
            if match := _CALL.match(line):
                seen[match.groups("")] += 1
                made.append((match[2], seen[match.groups("")]))
    return made


@contextlib.contextmanager
def _open(directory: Path, processes: Processes) -> Iterator[Callable[[int], Case]]:
    place = Place(directory, processes)
    strace, made = _strace(), dict[tuple[str, str], list[tuple[str, int]]]()
    with Liar() as liar:
        scene = Scene(place, liar)

        def case(seed: int) -> Case:
            names = list(VERBS)
            name = names[seed % len(names)]
            verb, chance = VERBS[name], random.Random(f"{seed} kills")
            if strace is None:
                counted, killed = _BY_TIME, _killed_by_time(scene, verb, chance)
            else:
                counted = chance.choice(list(_COUNTED))
                calls, follows = _COUNTED[counted]
                words = [*strace, *(["-f"] if follows else [])]
                if (name, counted) not in made:
                    made[name, counted] = _calls(scene, verb, words, calls)
                # "Any call" begins where Python has started: what is before that is nobody's work.
                listed = made[name, counted]
                call, number = chance.choice(listed[len(listed) // 2 :] if calls == "all" else listed)
                inject = f"--inject={call}:signal=KILL:when={number}"
                killed = _Killed(scene, verb, [*words, "-o", os.devnull, f"--trace={call}", inject])
            return _judge(scene, name, verb, counted, seed, killed)

        yield case
    place.remove()


class _Killed:
    """A verb that was begun, and perhaps killed.

    Attributes:
        before: what there was in the project.
        done: how it ended.
    """

    def __init__(self, scene: Scene, verb: Verb, before: list[str], limit: float = LIMIT) -> None:
        verb.begin(scene)
        self.before = listing(scene.place.project)
        self.done = scene.place.nixgen(*verb.arguments, before=before, limit=limit)
        self.dead = self.done.code == -signal.SIGKILL


def _killed_by_time(scene: Scene, verb: Verb, chance: random.Random) -> _Killed:
    began = time.monotonic()
    _Killed(scene, verb, [])
    whole = time.monotonic() - began
    killed = _Killed(scene, verb, [], limit=chance.uniform(0.1, 1.0) * whole)
    killed.dead = killed.done.code is None
    return killed


def _judge(scene: Scene, name: str, verb: Verb, counted: str, seed: int, killed: _Killed) -> Case:
    findings = list(_left(scene, verb, killed.before))
    if not killed.dead:
        findings.extend(refusal(f"nixgen {verb.arguments[0]}", killed.done, _SURVIVOR))
    again = scene.place.nixgen(*verb.arguments)
    if again.code != 0 and (verb.over is None or verb.over not in again.err):
        findings.append(f"nixgen {verb.arguments[0]} ends with {again.code} after it was killed")
    else:
        findings.extend(verb.right(scene))
    left = [path for path in listing(scene.place.project) if any(map(is_temporary, path.split("/")))]
    if left:
        findings.append(f"{left[0]} is left, also after the verb was run again")
    outcome = OUTCOMES[0] if killed.dead else OUTCOMES[1] if killed.done.code else OUTCOMES[2]
    return Case(
        kinds=(f"{name}: {counted}",),
        seed=seed,
        outcome=outcome,
        findings=tuple(findings),
        said=scene.place.said if findings else "",
    )


OUTCOMES = ("killed", "another was killed, and nixgen says so", "nothing was killed, or it did not matter")

PART = Part(
    name="kills",
    title="kill -9",
    text="""\
Each verb is killed with SIGKILL at a system call whose number the seed chooses: any call of nixgen's main thread, one
that changes or starts something, or the first process of all it starts that comes to so many of these (strace; without
it, at moments of time). A finding is a file of `nix/` or a nixgen.lock that is neither the old nor the new one, a new
lock with an old library, anything else left in the project but what the next run removes, the same verb again not
succeeding with the right result, or anything temporary still there after that. Where another process was killed, nixgen
has to succeed all the same, or to say what happened.""",
    outcomes=OUTCOMES,
    open=_open,
)
