"""Headers that include what lies beside them, and CMake files that resolve where they lie."""

from __future__ import annotations

import subprocess
from pathlib import Path

import headers
import placement
import pytest

from tests.builders.conftest import Workbench, manifest_of, site
from tests.support.programs import program
from tests.support.wheels import make_wheel

WHEEL = make_wheel(
    files={
        "demo/__init__.py": "",
        "demo/include/demo/all.h": '#pragma once\n#include "detail/one.h"\n',
        "demo/include/demo/detail/one.h": '# include\t"../two.h" // beside that\n',
        "demo/include/demo/two.h": "#include <stddef.h>\n#define TWO 2\n",
        "demo/include/demo/root.h": '#include "demo/two.h"\n',
        "demo/include/Core": '#include "demo/two.h"\n',
        "demo/two.c": '#include "include/demo/two.h"\n',
    }
)


def test_headers_are_found_as_those_of_the_system(workbench: Workbench, tmp_path: Path) -> None:
    """GCC finds what headers include by quotes, by -isystem and by its variable; with links alone it does not."""
    (tmp_path / "main.c").write_text("#include <demo/all.h>\nint main(void) { return TWO; }\n")
    said = {}
    for name, overrides in (("rules", None), ("links", {"link": ["*"]})):
        include = site(workbench.env(workbench.tree(WHEEL, overrides))) / "demo/include"
        command = [program("gcc"), "-fsyntax-only", str(tmp_path / "main.c")]
        ways = ({"C_INCLUDE_PATH": str(include)}, command), ({}, [*command, "-isystem", str(include)])
        said[name] = [
            subprocess.run(words, env={"PATH": "/usr/bin:/bin", **more}, capture_output=True, check=False).returncode
            for more, words in ways
        ]
    assert said == {"rules": [0, 0], "links": [1, 1]}


def test_only_what_includes_its_neighbours_is_copied(workbench: Workbench) -> None:
    """A header that includes nothing, or by a path that starts elsewhere, stays a link, and so does a source of C."""
    copies = manifest_of(workbench.tree(WHEEL))["copies"]
    assert {path.rpartition("demo/include/")[2] for path, why in copies.items() if why == ["header"]} == {
        "demo/all.h",
        "demo/detail/one.h",
        "Core",
    }


@pytest.mark.parametrize(
    ("path", "content", "reasons"),
    [
        ("demo/cmake/demo-config.cmake", "get_filename_component(D ${CMAKE_CURRENT_LIST_FILE} REALPATH)", True),
        ("demo/CMakeLists.txt", "file(REAL_PATH ${CMAKE_CURRENT_LIST_FILE} D)", True),
        ("demo/cmake/demo-config.cmake", "get_filename_component(D ${CMAKE_CURRENT_LIST_FILE} PATH)", False),
        ("demo/notes.txt", "REALPATH", False),
    ],
)
def test_cmake_files_that_ask_for_a_real_path_are_copied(path: str, content: str, reasons: bool) -> None:
    """CMake's own files that resolve a path are copies, as nanobind's is; others are links."""
    rules = placement.Placement({path: ""})
    assert rules.looks_into(path, False, b"") is (headers.is_cmake(path))
    assert rules.reasons(path, content.encode(), False, None) == (["resolves-itself"] if reasons else [])
