"""Lying servers: a pinned wheel is locked and built from them, and is either refused or exactly itself."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from campaign.case import Case, Part
from campaign.honest import Honest, differences, honest, pin
from campaign.liar import Liar
from campaign.lies import lies_of
from campaign.place import Place, refusal, remove
from corpus.processes import Done, Processes

#: The exit codes that a server's lies may lead to: it did not give what was asked for, or other bytes than promised.
_REFUSED = (4, 5)


@contextlib.contextmanager
def _open(directory: Path, processes: Processes) -> Iterator[Callable[[int], Case]]:
    place = Place(directory, processes)
    # Half a minute is nixgen's usual patience; what it does when that ends is the same.
    place.env["UV_HTTP_TIMEOUT"] = "2"
    large = random.Random("large").randbytes(400_000)
    another = honest("another", {"another/__init__.py": b"another = True\n", "another/large.bin": large[::-1]})
    with Liar({another.filename: another.content}) as liar:
        # What a part of the wheels shares with the store: of these, a build fetches single files, with ranges.
        shared = honest("shared", {"shared/large.bin": large})
        liar.wheels[shared.filename] = shared.content
        _begin(place, shared, liar)
        ready = place.nixgen("lock"), place.nixgen("build", "-o", place.directory / "shared")
        if any(done.code != 0 for done in ready):
            raise RuntimeError(place.said)
        yield lambda seed: _case(place, liar, seed, large, another)
    place.remove()


def _begin(place: Place, wheel: Honest, liar: Liar) -> None:
    remove(place.project)
    place.project.mkdir()
    place.said = ""
    pin(place.project, [wheel], liar.base)


def _case(place: Place, liar: Liar, seed: int, large: bytes, another: Honest) -> Case:
    chance = random.Random(f"{seed} wheel")
    own = chance.random() < 0.5
    files = {f"pinned/m{number}.py": f"value = {seed}, {number}\n".encode() * 20 for number in range(6)}
    files["pinned/large.bin"] = random.Random(f"{seed} large").randbytes(400_000) if own else large
    wheel = honest("pinned", files)
    liar.wheels = {another.filename: another.content, wheel.filename: wheel.content}
    names, lies = lies_of(seed, another.content, liar.base)
    to_lock, to_build = chance.choice([(True, True), (True, False), (False, True)])
    _begin(place, wheel, liar)
    findings: list[str] = []

    def step(verb: str, lying: bool) -> Done:
        liar.lies = lies if lying else []
        done = place.nixgen(verb)
        findings.extend(refusal(f"nixgen {verb}", done, _REFUSED))
        return done

    ends = [step("lock", to_lock)]
    if ends[0].code == 0:
        ends.append(step("build", to_build))
    code = ends[-1].code
    if code == 0:
        findings.extend(differences(place.project / "result", [wheel]))
    else:
        if (place.project / "result").is_symlink():
            findings.append("nixgen build fails and leaves a result")
        for verb in ("lock", "build"):
            if (done := step(verb, False)).code != 0:
                findings.append(f"nixgen {verb} ends with {done.code} when the server is honest again")
                break
        else:
            findings.extend(differences(place.project / "result", [wheel]))
    if not own or chance.random() < 0.2:  # the store stays small
        place.collect_garbage()
    where = "lock" if len(ends) == 1 else "build"
    outcome = "the wheel itself" if code == 0 else f"{where} refuses ({code})"
    if outcome not in OUTCOMES:
        outcome = OUTCOMES[-1]
    return Case(
        kinds=tuple(names), seed=seed, outcome=outcome, findings=tuple(findings), said=place.said if findings else ""
    )


OUTCOMES = (
    "the wheel itself",
    "lock refuses (4)",
    "lock refuses (5)",
    "build refuses (4)",
    "build refuses (5)",
    "something else",
)

PART = Part(
    name="servers",
    title="Lying servers",
    text="""\
A wheel that a pylock.toml pins is locked and built from a server that tells one to three lies, to the lock, the build
or both, always or at some of the requests. Half of the wheels have a large file that the store has already, so that the
build reads single files. A finding is an environment with other files than the wheel's, another exit code than 4
(network) or 5 (verification), a message without its three parts, a minute without an end, or a project that does not
lock and build when the server is honest again. A server that never answers, sends a byte a second or asks for a day of
waiting meets a nixgen that waits for two seconds (`UV_HTTP_TIMEOUT`).""",
    outcomes=OUTCOMES,
    open=_open,
)
