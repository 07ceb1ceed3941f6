"""Disks that run full, have no inodes left or are read-only under a verb: it says so, and the state of before stays."""

from __future__ import annotations

import contextlib
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from campaign.case import Case, Part
from campaign.honest import Honest, differences, honest, pin
from campaign.liar import Liar
from campaign.place import Place, listing, refusal, remove
from campaign.small import SmallDisk, missing, small_disk
from corpus.processes import Done, Processes
from nixgen.names import LOCK_NAME
from nixgen.temporary import is_temporary

#: Which directory is too small for which verb. ``uv`` resolves what is locked, so that its cache has something to hold.
PLACES = (
    ("lock", "project"),
    ("lock", "tmp"),
    ("lock", "home"),
    ("build", "nix"),
    ("build", "tmp"),
    ("build", "home"),
    ("venv", "project"),
    ("venv", "nix"),
    ("fetch", "nix"),
)
CONDITIONS = ("full", "no inodes", "read-only")

#: Nix failed, or the machine.
_REFUSED = (6, 7)

#: A reason that a person can act on; Nix's own words, SQLite's, and the system's.
_SAYS_WHY = re.compile(
    r"no space left|disk is full|database or disk|full|read-?only|no room|quota|cannot write|not writ", re.IGNORECASE
)


class _Scene:
    """What all cases of one worker have in common: the wheels, and how much room each verb takes."""

    def __init__(self, place: Place, liar: Liar) -> None:
        self.place = place
        self.liar = liar
        self.old = honest("old", {f"old/m{number}.py": f"old = {number}\n".encode() for number in range(12)})
        data = {"new/large.bin": random.Random("disks").randbytes(300_000)}
        self.new = honest("new", {f"new/m{number}.py": f"new = {number}\n".encode() for number in range(40)} | data)
        liar.wheels = {wheel.filename: wheel.content for wheel in (self.old, self.new)}
        self._needs: dict[tuple[str, str], tuple[int, int]] = {}

    def lock(self, *wheels: Honest, ask_uv: bool) -> list[str]:
        """Write the inputs of these wheels, and return the words of the verb that locks them."""
        project = self.place.project
        for name in ("pylock.toml", "requirements.in"):
            (project / name).unlink(missing_ok=True)
        if not ask_uv:
            pin(project, wheels, self.liar.base)
            return ["lock"]
        (project / "requirements.in").write_text("".join(f"{wheel.name}\n" for wheel in wheels))
        return ["lock", "--default-index", f"{self.liar.base}/simple/"]

    def begin(self, verb: str) -> list[str]:
        """Build a first state, change what is wanted, and return the words of the verb under trial."""
        self.sure(*self.lock(self.old, ask_uv=verb == "lock"))
        self.sure("venv") if verb == "venv" else self.sure("build")
        words = self.lock(self.old, self.new, ask_uv=verb == "lock")
        if verb == "lock":
            return words
        self.sure(*words)
        return [verb]

    def sure(self, *arguments: str) -> Done:
        """Run a verb that has to succeed, since nothing is in its way."""
        done = self.place.nixgen(*arguments)
        if done.code != 0:
            raise RuntimeError(self.place.said)
        return done

    def needs(self, verb: str, where: str) -> tuple[int, int]:
        """Measure once how many KiB and inodes a verb takes at most; half of them are free at its end again, say."""
        if (verb, where) not in self._needs:
            with self.on_disk(where) as disk:
                words = self.begin(verb)
                os.sync()
                before = disk.used()
                self.sure(*words)
                os.sync()
                after = disk.used()
            kilobytes, inodes = after[0] - before[0], after[1] - before[1]
            self._needs[verb, where] = max(64, 2 * kilobytes), max(8, 2 * inodes)
        return self._needs[verb, where]

    @contextlib.contextmanager
    def on_disk(self, where: str) -> Iterator[SmallDisk]:
        """Begin with empty directories, one of which is a disk of its own."""
        place = self.place
        place.said = ""
        for path in (place.project, place.home, place.temporary):
            remove(path)
            path.mkdir()
        path = place.directory / where
        remove(place.nix)
        with small_disk(path) as disk:
            if where == "nix":
                place.open_store()
            else:
                place.fresh_store()
            yield disk


@contextlib.contextmanager
def _open(directory: Path, processes: Processes) -> Iterator[Callable[[int], Case]]:
    place = Place(directory, processes)
    with Liar() as liar:
        scene = _Scene(place, liar)
        yield lambda seed: _case(scene, seed)
    place.remove()


def _case(scene: _Scene, seed: int) -> Case:
    verb, where = PLACES[seed % len(PLACES)]
    condition = CONDITIONS[seed // len(PLACES) % len(CONDITIONS)]
    chance, place = random.Random(f"{seed} disks"), scene.place
    needs = scene.needs(verb, where)
    findings: list[str] = []
    with scene.on_disk(where) as disk:
        words = scene.begin(verb)
        before = listing(place.project)
        if condition == "full":
            disk.leave(chance.randint(0, needs[0] // 4) * 4)
        elif condition == "no inodes":
            disk.leave_inodes(chance.randint(1, needs[1]))
        else:
            disk.freeze()
        done = place.nixgen(*words)
        findings.extend(refusal(f"nixgen {verb}", done, _REFUSED))
        if done.code and not _SAYS_WHY.search(done.err):
            findings.append(f"nixgen {verb} does not say why the machine does not let it")
        if done.code != 0:
            findings.extend(_changed(verb, before, listing(place.project)))
        disk.relent()
        again = place.nixgen(*words)
        if again.code != 0:
            findings.append(f"nixgen {verb} ends with {again.code} where there is room again")
        else:
            findings.extend(_right(scene, verb))
    return Case(
        kinds=(f"{verb}, {_NAMES[where]}: {condition}",),
        seed=seed,
        outcome=f"refused ({done.code})" if done.code in _REFUSED else "there was room enough",
        findings=tuple(findings),
        said=place.said if findings else "",
    )


_NAMES = {"project": "the project", "tmp": "TMPDIR", "home": "the caches", "nix": "the store"}


def _changed(verb: str, before: dict[str, bytes | str], after: dict[str, bytes | str]) -> Iterator[str]:
    """Say what a verb that failed changed in the project."""
    for name in sorted(before.keys() | after.keys()):
        known = name == LOCK_NAME or name == "result" or name.startswith("nix/")
        temporary = any(map(is_temporary, name.split("/")))
        if temporary or (known and before.get(name) != after.get(name)):
            yield f"nixgen {verb} fails and {name} is not as before"


def _right(scene: _Scene, verb: str) -> list[str]:
    project, wheels = scene.place.project, [scene.old, scene.new]
    if verb == "lock":
        return [] if b"new-1.0-py3-none-any.whl" in (project / LOCK_NAME).read_bytes() else ["the lock lacks a wheel"]
    if verb == "venv":
        code = "import old.m3, new.m4; print(old.m3.old + new.m4.new)"
        done = scene.place.run(project / ".venv/bin/python", "-c", code)
        return [] if done.out == "7\n" else ["the virtual environment's Python does not import the packages"]
    if verb == "fetch":
        scene.sure("build")
    return differences(project / "result", wheels)


PART = Part(
    name="disks",
    title="Full disks",
    text="""\
The project, TMPDIR, the caches or the store is a small disk (ext4): it runs full, or out of inodes, after as much as
the seed chooses, from nothing to twice what the verb adds, or is read-only. A finding is another exit code than 6 (Nix)
or 7 (the machine), a message without its three parts or without the reason, a lock, a `nix/` or a `result` that is not
as before, anything temporary in the project, or the same verb not succeeding when there is room again.""",
    outcomes=("there was room enough", "refused (6)", "refused (7)"),
    open=_open,
    missing=missing,
)
