"""Run the same probes in npm's environment and in nixgen's, and judge each."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.compare import compare, normalise
from corpus.npm import trees
from corpus.npm.entries import Entry
from corpus.npm.sides import Side
from corpus.processes import Done, Processes
from corpus.result import DEFECT, Compared, Outcome
from nixgen.npm.model import NpmLock

INSIDE = Path(__file__).resolve().parent / "inside"

#: How much of what a program printed is kept for people.
_SAID = 3000

#: How often a module that ends the process may do so, before those after it are not tried.
_ENDS = 10

#: The store path of a package, up to what it has in common with npm's.
_INSTANCE = r"[0-9a-z]{32}-[^/\s'\"]+/(?:\d+/)?(?=node_modules/)"

#: The packages around a nested one.
_NESTED = re.compile(r"(?:node_modules/(?:@[\w.-]+/)?[\w.-]+/)+(?=node_modules/)")

#: What two runs of one program of Node.js print differently, beside what any program does.
_CHANGING = (
    (re.compile(r"\(node:\d+\)"), "(node)"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:m|min|mins|minutes?)\b"), "DURATION"),
    (re.compile(r"\b[\d.]+ ?m?s\b"), "DURATION"),
    (re.compile(r"\b[\d.,]+ ?(?:tests?|files?|modules?)?/s\b"), "RATE"),
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds that probes may take.

    Attributes:
        module: to load one.
        program: to run one of a package.
        command: to run one of a project.
    """

    module: float = 30
    program: float = 60
    command: float = 900


@dataclass(kw_only=True)
class Prober:
    """Runs probes.

    Attributes:
        npm: what npm has installed.
        sides: nixgen's environments, by form.
        processes: runs the programs.
        store: the directory of nixgen's store.
        path: where Node.js and the machine's programs are, as ``PATH``.
        limits: of time.
    """

    npm: Side
    sides: Mapping[str, Side]
    processes: Processes
    store: Path
    path: str
    limits: Limits = field(default_factory=Limits)

    def whole(self, lock: NpmLock) -> Iterator[tuple[str, Compared]]:
        """Yield the judgement of what is of all packages together, with the form that it is of."""
        yield from self._files(lock)
        yield from self._listed()

    def probe(self, entry: Entry) -> Iterator[tuple[str, Compared]]:
        """Yield the judgement of every probe of a package or project, with the form that it is of."""
        if entry.roots:
            survey = self._run(self.npm, ["node", INSIDE / "survey.js", *entry.roots], self.limits.program)
            offered = json.loads(survey.out or "{}")
            for kind in ("require", "import"):
                yield from self._modules(kind, offered.get("entries", []))
            for name in offered.get("programs", []):
                yield from self._program(name)
        for number, command in enumerate(entry.commands):
            last = number == len(entry.commands) - 1
            yield from self._judged(command, lambda side, line=command: self._command(side, line))  # type: ignore[misc]
            if last and entry.made:
                yield from self._judged("files made", lambda side: self._made(side, entry.made))

    def _files(self, lock: NpmLock) -> Iterator[tuple[str, Compared]]:
        for form, side in self.sides.items():
            if form == "mounted":
                found = trees.mounted_differences(self.npm.directory / "node_modules", side.directory / "node_modules")
            else:
                found = trees.store_differences(lock, self.npm.directory, side.directory)
            good = Outcome(status="pass")
            mine = Outcome(status="fail", said="\n".join(found)[:_SAID]) if found else good
            yield form, compare("files", good, mine, exact=True)

    def _listed(self) -> Iterator[tuple[str, Compared]]:
        """Compare what npm says of its tree: in the store's form it takes every link for a project of its own."""
        words = ["npm", "ls", "--all", "--json"]
        yield from self._judged(" ".join(words), lambda side: self._outcome(side, words), forms=["mounted"])

    def _judged(
        self, name: str, run: Callable[[Side], Outcome], forms: Sequence[str] = ()
    ) -> Iterator[tuple[str, Compared]]:
        peer = run(self.npm)
        for form, side in self.sides.items():
            if forms and form not in forms:
                continue
            judged = compare(name, peer, run(side), exact=True)
            if judged.verdict == DEFECT:
                # What is not the same twice in npm's environment need not be the same in ours.
                again = run(self.npm)
                steady = (again.status, again.output) == (peer.status, peer.output)
                judged = compare(name, again, run(side), exact=steady)
            yield form, judged

    def _program(self, name: str) -> Iterator[tuple[str, Compared]]:
        for argument in ("--help", "--version"):
            words = [f"node_modules/.bin/{name}", argument]
            if self._outcome(self.npm, words).status == "pass":
                break
        else:
            words[1] = "--help"
        yield from self._judged(f"{name} {words[1]}", lambda side: self._outcome(side, words))

    def _outcome(self, side: Side, words: Sequence[str]) -> Outcome:
        return self._judge(self._run(side, words, self.limits.program))

    def _command(self, side: Side, line: str) -> Outcome:
        return self._judge(self._run(side, ["sh", "-c", line], self.limits.command))

    def _made(self, side: Side, directories: tuple[str, ...]) -> Outcome:
        found = trees.made(side.directory, directories, self._placed)
        lines = [f"{path} {digest}" for path, digest in sorted(found.items())]
        return Outcome(status="pass" if found else "fail", output="\n".join(lines))

    def _judge(self, done: Done) -> Outcome:
        status = "timeout" if done.code is None else "pass" if done.code == 0 else "fail"
        said = "" if status == "pass" else f"exit code {done.code}\n{(done.err + done.out)[-_SAID:]}"
        return Outcome(status=status, output=self._normal(f"{done.out}\n{done.err}"), said=said)

    def _modules(self, kind: str, specifiers: Sequence[str]) -> Iterator[tuple[str, Compared]]:
        seen = {form: self._loaded(kind, specifiers, side) for form, side in self.sides.items()}
        peer = self._loaded(kind, specifiers, self.npm)
        missed = Outcome(status="fail", said="not reached")
        for specifier in specifiers:
            for form, side in self.sides.items():
                theirs, ours = peer.get(specifier, missed), seen[form].get(specifier, missed)
                judged = compare(f"{kind} {specifier}", theirs, ours, exact=True)
                if judged.verdict == DEFECT:
                    theirs, ours = (
                        self._loaded(kind, [specifier], one).get(specifier, missed) for one in (self.npm, side)
                    )
                    judged = compare(judged.probe, theirs, ours, exact=True)
                yield form, judged

    def _loaded(self, kind: str, specifiers: Sequence[str], side: Side) -> dict[str, Outcome]:
        """Return how each module loads; one that ends the process has failed, and those after it get another."""
        found: dict[str, Outcome] = {}
        rest = list(specifiers)
        code = (INSIDE / "load.mjs").read_text(encoding="utf-8")
        for _ in range(_ENDS):
            if not rest:
                break
            milliseconds = str(int(self.limits.module * 1000))
            words = ["node", "--input-type=module", "--eval", code, kind, milliseconds, *rest]
            done = self._run(side, words, self.limits.module * 2 + len(rest))
            for line in done.out.splitlines():
                if line.startswith("\x01"):
                    status, specifier, *more = json.loads(line[1:])
                    said = "it ended the process" if status == "begin" else " ".join(more[1:])
                    found[specifier] = Outcome(
                        status="fail" if status == "begin" else status,
                        output=self._normal(" ".join(more[:1])),
                        said=said if status != "pass" else "",
                    )
            left = [specifier for specifier in rest if specifier not in found]
            if len(left) == len(rest):
                break
            rest = left
        return found

    def _run(self, side: Side, words: Sequence[object], timeout: float) -> Done:
        for directory in ("home", "tmp"):
            (side.scratch / directory).mkdir(parents=True, exist_ok=True)
        try:
            return self.processes.run(
                [*side.prefix, *map(str, words)], cwd=side.directory, env=self._environment(side), timeout=timeout
            )
        except OSError as error:
            return Done(code=127, out="", err=str(error))
        finally:
            shutil.rmtree(side.scratch / "tmp", ignore_errors=True)

    def _environment(self, side: Side) -> dict[str, str]:
        """Return the variables of a user at work in a project, who has no settings and is asked nothing."""
        return {
            "PATH": f"{side.place}/node_modules/.bin:{self.path}",
            "HOME": str(side.scratch / "home"),
            "TMPDIR": str(side.scratch / "tmp"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "CI": "1",
            "COLUMNS": "100",
            "npm_config_update_notifier": "false",
            "NEXT_TELEMETRY_DISABLED": "1",
            "STORYBOOK_DISABLE_TELEMETRY": "1",
            "CHECKPOINT_DISABLE": "1",
            "DO_NOT_TRACK": "1",
        }

    def _placed(self, text: str) -> str:
        """Return a text with one name for the places of all environments.

        A package in the store, at a path of its own or relative to the project, is that at the top of npm's tree; as is
        one that npm has nested.
        """
        text = re.sub(rf"{re.escape(str(self.store))}/{_INSTANCE}", "PROJECT/", text)
        text = re.sub(rf"(?:\.\./)+(?:[\w.+-]+/)*{_INSTANCE}", "", text)
        text = re.sub(r"(?:\.\./)+(?=node_modules/)", "", text)
        sides = (self.npm, *self.sides.values())
        places = {str(path): "PROJECT" for side in sides for path in (side.directory, side.place)}
        places |= {str(side.scratch): "SCRATCH" for side in sides}
        for place in sorted(places, key=len, reverse=True):
            text = text.replace(place, places[place])
        return _NESTED.sub("", text)

    def _normal(self, text: str) -> str:
        """Return output as it is compared."""
        text = self._placed(text)
        for pattern, replacement in _CHANGING:
            text = pattern.sub(replacement, text)
        return normalise(text, {})
