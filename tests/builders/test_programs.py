"""Which executable files may stand alone."""

from __future__ import annotations

import pytest
from index import WORTH_SHARING, Member, standing_alone


def members(sizes: dict[str, int], executable: tuple[str, ...]) -> dict[str, Member]:
    """Return an archive's members, some of them executable."""
    return {path: Member(size, path in executable) for path, size in sizes.items()}


PROGRAM = "demo/binaries/ffmpeg-7.0"


@pytest.mark.parametrize(
    ("program", "others", "alone"),
    [
        (PROGRAM, [], True),
        (PROGRAM, ["demo/binaries/__init__.py", "demo/binaries/README.md", "demo/binaries/LICENSE"], True),
        (PROGRAM, ["demo/data/x.dat", "demo-1.0.dist-info/RECORD"], True),
        (PROGRAM, ["demo/binaries/x.dat"], False),
        (PROGRAM, ["demo/binaries/share/x.dat"], False),
        ("demo/bin/cmake", ["demo/share/cmake/x.cmake"], False),
        ("demo/bin/tool", ["demo/other/__init__.py"], True),
        ("demo-1.0.data/scripts/ruff", ["ruff/__init__.py"], True),
        ("demo-1.0.data/scripts/uv", ["demo-1.0.data/scripts/uvx"], False),
        ("demo-1.0.data/scripts/tool", ["demo-1.0.data/data/share/x"], False),
        ("driver/node", ["driver/package/cli.js"], True),
        ("driver/node", ["driver/node_modules/npm/cli.js"], False),
        ("wheel/bin/node", ["wheel/lib/node_modules/npm/cli.js"], False),
        ("wheel/bin/node", ["wheel/include/node/node.h"], True),
        ("tool", ["demo/x.dat"], False),
        ("demo/library.so", [], False),
        ("demo/library.so.5", [], False),
        ("demo/run.py", [], False),
    ],
)
def test_a_program_stands_alone(program: str, others: list[str], alone: bool) -> None:
    """Only where nothing lies around it that it could read; Node.js looks for its modules alone."""
    sizes = {program: WORTH_SHARING, **dict.fromkeys(others, 5)}
    assert standing_alone(members(sizes, (program,))) == ({program} if alone else set())


def test_small_and_other_files_do_not() -> None:
    """What is small is not worth a store path of its own, and what is not executable is a leaf already."""
    assert standing_alone(members({PROGRAM: WORTH_SHARING - 1}, (PROGRAM,))) == set()
    assert standing_alone(members({PROGRAM: WORTH_SHARING}, ())) == set()


def test_an_empty_neighbour_is_nothing_to_read() -> None:
    """An empty file says nothing to a program."""
    assert standing_alone(members({PROGRAM: WORTH_SHARING, "demo/binaries/.keep": 0}, (PROGRAM,))) == {PROGRAM}
