"""The rules by which a file becomes a copy."""

from __future__ import annotations

import placement
import pytest

from tests.support.elf import EXECUTABLE, make_elf

RESOLVING = {
    "realpath": "import os\nHERE = os.path.dirname(os.path.realpath(__file__))\n",
    "resolve": "from pathlib import Path\nHERE = Path(__file__).resolve().parent\n",
    "resolve in steps": "from pathlib import Path\np = Path(__file__)\nq = p.resolve()\n",
    "imported function": "from os.path import realpath\nHERE = realpath(__file__)\n",
    "imported function renamed": "from os.path import realpath as real\nHERE = real(__file__)\n",
    "readlink": "import os\nprint(os.readlink(__file__))\n",
    "samefile": "import os, sys\nok = os.path.samefile(__file__, sys.argv[0])\n",
    "package path": "import os\nprint(os.path.realpath(__path__[0]))\n",
    "spec": "import os\nprint(os.path.realpath(__spec__.origin))\n",
    "module's file": "import os, demo\nprint(os.path.realpath(demo.__file__))\n",
    "inspect": "import inspect, os\nprint(os.path.realpath(inspect.getfile(main)))\n",
    "inspect, imported": "from inspect import getsourcefile as where\nimport os\nprint(os.path.realpath(where(f)))\n",
    "frame": "import os, sys\nprint(os.path.realpath(sys._getframe().f_code.co_filename))\n",
    "find_spec": "import os, importlib.util as u\nprint(os.path.realpath(u.find_spec('a').origin))\n",
    "inside a function": "def here():\n    import pathlib\n    return pathlib.Path(__file__).resolve()\n",
    "no space around": "import os;x=os.path.realpath(__file__)\n",
    "beside other letters": "from os.path import realpath as é\nü=é(__file__)\n",
    "coding cookie": "# -*- coding: latin-1 -*-\nimport os\nx = os.path.realpath(__file__)\n",
}

HARMLESS = {
    "empty": "",
    "own location, unresolved": "from pathlib import Path\nHERE = Path(__file__).parent\n",
    "own location, absolute": "import os\nHERE = os.path.dirname(os.path.abspath(__file__))\n",
    "resolves something else": "import os\ndef f(p):\n    return os.path.realpath(p)\n",
    "a resolver of names": "class Resolver:\n    def resolve(self, name):\n        return name\n",
    "words in a string": "TEXT = 'os.path.realpath(__file__)'\n",
    "words in a comment": "x = 1  # Path(__file__).resolve()\n",
    "words in a docstring": '"""Path(__file__).resolve()"""\n',
    "does not parse": "print os.path.realpath(__file__)\n",
    "holds a null byte": "os.path.realpath(__file__)\0\n",
    "similar names": "import os\nrealpath_of = os.path.abspath(__file__)\nunresolved = resolver = None\n",
}


@pytest.mark.parametrize("source", RESOLVING.values(), ids=RESOLVING)
def test_a_source_that_resolves_its_location_is_copied(source: str) -> None:
    """However a module resolves links on its own location, it becomes a copy."""
    assert placement.reasons("demo/a.py", source.encode(), False) == ["resolves-itself"]


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_a_source_that_does_not_is_a_link(source: str) -> None:
    """What only names its location, resolves something else or just talks of it stays a link."""
    assert placement.reasons("demo/a.py", source.encode(), False) == []


def test_only_sources_resolve_themselves() -> None:
    """The same text in a file that Python does not run stays a link."""
    source = RESOLVING["realpath"].encode()
    assert placement.reasons("demo/a.pyw", source, False) == ["resolves-itself"]
    assert placement.reasons("demo/a.txt", source, False) == []
    assert placement.reasons("demo/apy", source, False) == []


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/sh\nexit 0\n",
        b"#!/usr/bin/env python\n",
        make_elf(interpreter="/lib64/ld-linux-x86-64.so.2"),
        make_elf(interpreter="/lib/ld-linux.so.2", wide=False),
        make_elf(interpreter="/lib/ld64.so.1", order=">"),
        make_elf(kind=EXECUTABLE),
        make_elf(kind=EXECUTABLE, wide=False, order=">"),
    ],
)
def test_a_program_that_is_marked_executable_is_copied(content: bytes) -> None:
    """Scripts with ``#!`` and ELF programs, static ones too, become copies where the archive marks them."""
    assert placement.reasons("demo/bin/tool", content, True) == ["executable"]
    assert placement.reasons("demo/bin/tool", content, False) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("demo/a.cpython-311-x86_64-linux-gnu.so", make_elf(soname="a.so")),
        ("demo/liba.so.1", make_elf(wide=False)),
        ("demo/a.py", b"x = 1\n"),
        ("demo/data.json", b"{}\n"),
        ("demo/short", b"\x7fELF"),
        ("demo/empty", b""),
    ],
)
def test_a_stray_bit_makes_no_program(path: str, content: bytes) -> None:
    """The x bits that many wheels have on libraries, sources and data make no copy."""
    assert placement.reasons(path, content, True) == []


def test_both_reasons_are_given() -> None:
    """A program that also resolves its location has both reasons."""
    source = b"#!/usr/bin/env python\n" + RESOLVING["resolve"].encode()
    assert placement.reasons("demo/run.py", source, True) == ["executable", "resolves-itself"]


def test_a_source_too_deep_to_parse_is_a_link() -> None:
    """A source that exhausts the parser is judged harmless rather than stopping the build."""
    source = b"realpath; __file__\n" + b"(" * 10000 + b")" * 10000
    assert placement.reasons("demo/a.py", source, False) == []
