"""Ask the rules of placement about installed files: run by the environment's own Python, as a tree's builder is.

``python judge.py BUILDERS`` reads a list of distributions as JSON, each ``files`` (path in the wheel to the installed
file and whether it is executable) and ``overrides`` (as ``Placement`` takes them), and writes the reasons of each one's
copies: path in the wheel to a list. Standard library only, for any Python from 3.8 on.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Judge what standard input lists by the rules in the directory that the command line names."""
    sys.path.insert(0, sys.argv[1])
    import placement  # type: ignore[import-not-found]
    from cores import cores  # type: ignore[import-not-found]
    from processes import in_processes  # type: ignore[import-not-found]

    distributions = json.load(sys.stdin)
    rules = [placement.Placement(_contents(one["files"]), one["overrides"]) for one in distributions]
    tasks = [
        (rules[number], path, file, executable)
        for number, one in enumerate(distributions)
        for path, (file, executable) in one["files"].items()
    ]
    judged = iter(in_processes(_judge, tasks, min(cores(), len(tasks) // 200)))
    found = []
    for number, one in enumerate(distributions):
        files = {path: next(judged) for path in one["files"]}
        reasons = {path: one_file.reasons for path, one_file in files.items()}
        for path, late in rules[number].late(files).items():
            reasons[path] = list(dict.fromkeys([*reasons[path], *late]))
        found.append({path: list(each) for path, each in reasons.items() if each})
    json.dump(found, sys.stdout)


def _contents(files: dict[str, tuple[str, bool]]) -> dict[str, str]:
    return {path: file if os.path.getsize(file) else "" for path, (file, _) in files.items()}  # noqa: PTH202


def _judge(task: tuple[Any, str, str, bool]) -> Any:
    rules, path, file, executable = task
    return rules.judge(path, file, executable)._replace(content=None)


if __name__ == "__main__":
    main()
