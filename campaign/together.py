"""Ten people build at once in one store, beside collections of garbage that never end."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from campaign.case import Case, Part
from campaign.honest import Honest, differences, honest, pin
from campaign.liar import Liar
from campaign.place import Place, broken, remove
from corpus.processes import Done, Processes

#: How many build at once.
PEOPLE = 10

#: How long ten builds may take beside each other, in seconds.
_LIMIT = 240.0

_PACKAGES = "abcdef"


class _Collector:
    """Collects garbage again and again until the block ends.

    Attributes:
        codes: exit codes of the collections so far.
    """

    def __init__(self, place: Place) -> None:
        self.codes: list[int | None] = []
        self._place = place
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._collect)

    def __enter__(self) -> _Collector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _collect(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            while not self._over.is_set():
                self.codes.append(self._place.run("nix-store", "--gc").code)


@contextlib.contextmanager
def _open(directory: Path, processes: Processes) -> Iterator[Callable[[int], Case]]:
    place = Place(directory, processes)
    with Liar() as liar:
        yield lambda seed: _case(place, liar, seed)
    place.remove()


def _case(place: Place, liar: Liar, seed: int) -> Case:
    chance = random.Random(f"{seed} together")
    place.said = ""
    wheels = [
        honest(f"p{name}", {f"p{name}/m{n}.py": f"value = '{name}', {n}, {seed}\n".encode() for n in range(60)})
        for name in _PACKAGES
    ]
    liar.wheels = {wheel.filename: wheel.content for wheel in wheels}
    remove(place.project)
    people: list[tuple[Path, list[Honest], str]] = []
    for number in range(PEOPLE):
        project = place.project / f"person{number}"
        project.mkdir(parents=True)
        wanted = sorted(chance.sample(wheels, chance.randint(1, len(wheels))), key=lambda wheel: wheel.name)
        pin(project, wanted, liar.base)
        people.append((project, wanted, chance.choice(["build", "build", "build", "fetch", "venv"])))
    findings: list[str] = []

    def verb(project: Path, *arguments: str) -> Done:
        done = place.nixgen(*arguments, cwd=project, limit=_LIMIT)
        findings.extend(broken(f"nixgen {arguments[0]}", done, _LIMIT))
        if done.code not in (0, None, 1):
            findings.append(f"nixgen {arguments[0]} ends with {done.code}")
        return done

    def live(person: tuple[Path, list[Honest], str]) -> None:
        project, wanted, last = person
        if verb(project, "lock").code == 0 and verb(project, last).code == 0 and last != "fetch":
            environment = project / ("result" if last == "build" else ".venv/.nixgen/env")
            try:
                findings.extend(differences(environment, wanted))
            except (OSError, ValueError) as error:
                findings.append(f"the environment of {last} cannot be read: {error}")

    with _Collector(place) as collector:
        with ThreadPoolExecutor(PEOPLE) as pool:
            for share in [pool.submit(live, person) for person in people]:
                share.result()
        for project, wanted, last in people:
            python = project / ("result" if last == "build" else ".venv") / "bin/python"
            if last != "fetch":
                code = "; ".join(f"import {wheel.name}.m7" for wheel in wanted)
                if not python.exists():
                    findings.append(f"what {last} made is not there a while later")
                elif place.run(python, "-c", code, cwd=project).code != 0:
                    findings.append(f"what {last} made does not import its packages a while later")
    if bad := [code for code in collector.codes if code != 0]:
        findings.append(f"{len(bad)} of {len(collector.codes)} collections fail")
    count = len(collector.codes)
    return Case(
        kinds=(f"ten at once, {'1 to 9' if count < 10 else '10 to 99' if count < 100 else '100 or more'} collections",),
        seed=seed,
        outcome="all succeed" if not findings else "some fail",
        findings=tuple(dict.fromkeys(findings)),
        said=place.said if findings else "",
    )


PART = Part(
    name="together",
    title="Ten at once, and a garbage collector",
    text=f"""\
{PEOPLE} people with wheels of which they share some lock at once, then build, fetch or make a virtual environment, in
one store that is the same from case to case, beside `nix-store --gc` in an endless loop. A finding is a verb or a
collection that fails, and an environment that has not exactly its wheels' files, or does not import them later.""",
    outcomes=("all succeed", "some fail"),
    open=_open,
    workers=1,
)
