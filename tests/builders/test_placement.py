"""The rules by which a file becomes a copy."""

from __future__ import annotations

import inspect
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import directories
import placement
import pytest
import sources
import syntax

from tests.builders.conftest import Workbench, manifest_of
from tests.support.elf import EXECUTABLE, make_elf
from tests.support.wheels import make_wheel


def rules_for(paths: Iterable[str], overrides: Mapping[str, object] | None = None) -> placement.Placement:
    """Return the rules of a wheel whose files' contents do not matter."""
    return placement.Placement(dict.fromkeys(paths, ""), overrides)


def reasons(path: str, content: bytes, executable: bool) -> list[str]:
    """Return the reasons of a file that is a wheel of its own."""
    return decide(rules_for([path]), path, content, executable)


def decide(rules: placement.Placement, path: str, content: bytes, executable: bool = False) -> list[str]:
    """Return the reasons of a file of a wheel."""
    seen = rules.look(path, content) if placement.is_source(path) else None
    found: list[str] = rules.reasons(path, content, executable, seen)
    return found


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
    "find_spec, imported": "from importlib.util import find_spec\nx = find_spec('a').origin\nx.resolve()\n",
    "get_filename": "import os\nprint(os.path.realpath(__loader__.get_filename()))\n",
    "stack": "import inspect, os\nprint(os.path.realpath(inspect.stack()[0][1]))\n",
    "traceback": "import os, traceback\nprint(os.path.realpath(traceback.extract_stack()[-1].filename))\n",
    "getattr": "import os\nprint(os.path.realpath(getattr(demo, '__file__')))\n",
    "globals": "import os\nprint(os.path.realpath(globals()['__file__']))\n",
    "sys.modules": "import os, sys\nprint(os.path.realpath(sys.modules[__name__].__file__))\n",
    "pkg_resources": "import os\nfrom pkg_resources import resource_filename as r\nx = os.path.realpath(r('a', 'b'))\n",
    "importlib.resources": "import importlib.resources as r\nx = r.files('a').joinpath('a.py').resolve()\n",
    "importlib.resources, from": "from importlib import resources\nx = resources.files('a').resolve()\n",
    "importlib.resources, names": "from importlib.resources import as_file, files\nx = p.resolve()\n",
    "importlib_resources": "from importlib_resources import files\nx = files('a').joinpath('a.py').resolve()\n",
    "resolve, strict": "from pathlib import Path\nHERE = Path(__file__).resolve(strict=True)\n",
    "Path.samefile": "from pathlib import Path\nx = Path(__file__).samefile(other)\n",
    "inside a function": "def here():\n    import pathlib\n    return pathlib.Path(__file__).resolve()\n",
    "no space around": "import os;x=os.path.realpath(__file__)\n",
    "beside other letters": "from os.path import realpath as é\nü=é(__file__)\n",
    "before an operator": "from os import path\nf = path.realpath if x else g\nf(__file__)\n",
    "renamed": "from os.path import realpath as f\nprint(f(__file__))  # to resolve it\n",
    "over lines": "import os\nx = os.path.realpath \\\n    (__file__)\n",
    "in the text of an f-string": 'from pathlib import Path as P\nx = f"""\n# by {P(__file__).resolve()}\n"""\n',
    "behind a string whose last line looks like comment": "import os\nx = '''\n# by''' + os.path.realpath(__file__)\n",
    "behind a string that goes on": "import os\nx = 'a\\\n# b' + os.path.realpath(__file__)\n",
    "behind comments, with old ends of lines": "y = 1\n# a\rimport os\rx = os.path.realpath(__file__)\r",
    "handed to others": "from demo.data import load\nload(__file__, 'data.csv')\n",
    "handed to others, by name": "import demo\ndemo.load('data.csv', base=__file__)\n",
    "handed to others, over lines": "import demo\ndemo.load(\n    f(x),\n    __file__,\n)\n",
    "handed to others, as a path": "from pathlib import Path\nload(Path(__file__).absolute())\n",
    "handed to others, in steps": "import os, demo\nHERE = os.path.abspath(__file__)\ndemo.load(x, HERE)\n",
    "handed to others, typed": "HERE: str = __file__\ndemo.load(HERE)\n",
    "handed to others, of the spec": "load(__spec__.origin)\n",
    "coding cookie": "# -*- coding: latin-1 -*-\nimport os\nx = os.path.realpath(__file__)\n",
}

HARMLESS = {
    "empty": "",
    "own location, unresolved": "from pathlib import Path\nHERE = Path(__file__).parent\n",
    "own location, absolute": "import os\nHERE = os.path.dirname(os.path.abspath(__file__))\n",
    "own location, absolute path": "from pathlib import Path\nHERE = Path(__file__).absolute()\n",
    "files of a kind": "files = []\nfor file in files:\n    file.resolve()\n",
    "other resources": "from . import resources\nresources.resolve()\n",
    "its directory, handed to others": "import os, demo\ndemo.load(os.path.dirname(__file__), x)\n",
    "its directory, handed to others in steps": "import os\nHERE = os.path.dirname(__file__)\nload(HERE, x)\n",
    "handed to what only opens it": "import os\nopen(__file__), print(1, __file__), os.path.join(__file__, x)\n",
    "handed to others, says a text": "X = 'load(__file__)'\n",
    "other stacks": "import numpy\nnumpy.stack(x).resolve()\n",
    "resolves something else": "import os\ndef f(p):\n    return os.path.realpath(p)\n",
    "a resolver of names": "class Resolver:\n    def resolve(self, name):\n        return name\n",
    "words in a string": "TEXT = 'os.path.realpath(__file__)'\n",
    "prose": "# We resolve it and resolve if needed\nHERE = __file__  # and resolve\n",
    "words in a comment": "x = 1  # Path(__file__).resolve()\n",
    "words in a docstring": '"""Path(__file__).resolve()"""\n',
    "does not parse": "print os.path.realpath(__file__)\n",
    "holds a null byte": "os.path.realpath(__file__)\0\n",
    "similar names": "import os\nrealpath_of = os.path.abspath(__file__)\nunresolved = resolver = None\n",
}


@pytest.mark.parametrize("source", RESOLVING.values(), ids=RESOLVING)
def test_a_source_that_resolves_its_location_is_copied(source: str) -> None:
    """However a module resolves links on its own location, it becomes a copy."""
    assert reasons("demo/a.py", source.encode(), False) == ["resolves-itself"]


@pytest.mark.parametrize(
    "source",
    [
        "HERE = __file__\n  # what it resolves to after resolve, or realpath()\n",
        "NAMES = ['realpath', 'ns-resolve', __file__]\nTEXT = \"readlink\"\n",
        "from .beside import x\nfrom . import beside\nfrom.. import(beside)\nif __name__ == '__main__': pass\n",
    ],
)
def test_text_needs_no_syntax_tree(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a word is surely no name, nothing is parsed: that takes longer than all else, on tests of many lines."""
    monkeypatch.setattr(syntax, "read", lambda _: pytest.fail("it was parsed"))
    rules = rules_for(["demo/a.py", "demo/beside.py"])
    assert decide(rules, "demo/a.py", source.encode()) == []


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_a_source_that_does_not_is_a_link(source: str) -> None:
    """What only names its location, resolves something else or just talks of it stays a link."""
    assert reasons("demo/a.py", source.encode(), False) == []


def test_only_sources_resolve_themselves() -> None:
    """The same text in a file that Python does not run stays a link."""
    source = RESOLVING["realpath"].encode()
    assert reasons("demo/a.pyw", source, False) == ["resolves-itself"]
    assert reasons("demo/a.txt", source, False) == []
    assert reasons("demo/apy", source, False) == []


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
        make_elf(flags=0x08000001),  # a static PIE, as Rust programs are: selenium-manager is one
        make_elf(flags=0x08000000, wide=False),
    ],
)
def test_a_program_that_is_marked_executable_is_copied(content: bytes) -> None:
    """Scripts with ``#!`` and ELF programs, static ones too, become copies where the archive marks them."""
    assert reasons("demo/bin/tool", content, True) == ["executable"]
    assert reasons("demo/bin/tool", content, False) == []


@pytest.mark.parametrize(
    ("path", "copied"),
    [("demo/env.sh", True), ("demo/bin/tool", True), ("demo/LICENSE", False), ("demo/bin/notes.txt", False)],
)
def test_a_shell_script_without_a_first_line_is_copied(path: str, copied: bool) -> None:
    """What a shell runs without ``#!`` keeps its x bit; a text with a stray one is a link."""
    assert reasons(path, b"echo $HOME\n", True) == (["executable"] if copied else [])
    assert reasons(path, b"echo $HOME\n", False) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("demo/a.cpython-311-x86_64-linux-gnu.so", make_elf(soname="a.so")),
        ("demo/liba.so.1", make_elf(wide=False)),
        ("demo/libb.so", make_elf(soname="b.so", flags=1)),
        ("demo/a.py", b"x = 1\n"),
        ("demo/data.json", b"{}\n"),
        ("demo/short", b"\x7fELF"),
        ("demo/empty", b""),
    ],
)
def test_a_stray_bit_makes_no_program(path: str, content: bytes) -> None:
    """The x bits that many wheels have on libraries, sources and data make no copy."""
    assert reasons(path, content, True) == []


def test_both_reasons_are_given() -> None:
    """A program that also resolves its location has both reasons."""
    source = b"#!/usr/bin/env python\n" + RESOLVING["resolve"].encode()
    assert reasons("demo/run.py", source, True) == ["executable", "resolves-itself"]


def test_a_source_too_deep_to_parse_is_a_link() -> None:
    """A source that exhausts the parser is judged harmless rather than stopping the build."""
    source = b"realpath; __file__\n" + b"(" * 10000 + b")" * 10000
    assert reasons("demo/a.py", source, False) == []


#: What makes ``root`` the directory of the package, out of a location that is resolved.
ROOTS = {
    "realpath": "import os\nroot = os.path.dirname(os.path.realpath(__file__))\n",
    "resolve, in steps": "import pathlib\nhere = pathlib.Path(__file__)\nreal = here.resolve()\nroot = real.parent\n",
    "readlink": (
        "import os\nroot = os.path.dirname(os.readlink(__file__) if os.path.islink(__file__) else __file__)\n"
    ),
    "inspect": "import inspect, os\ndef f(): pass\nroot = os.path.dirname(os.path.realpath(inspect.getfile(f)))\n",
    "getattr": "import os, sys\nroot = os.path.dirname(os.path.realpath(getattr(sys.modules[__name__], '__file__')))\n",
    "spec": "from os.path import *\nroot = dirname(realpath(__spec__.origin))\n",
    "find_spec": (
        "import importlib.util as u\nfrom os.path import dirname, realpath as r\n"
        "root = dirname(r(u.find_spec('demo.where').origin))\n"
    ),
    "loader": "import os\nroot = os.path.dirname(os.path.realpath(__loader__.get_filename()))\n",
    "resources": (
        "import importlib.resources as r\nroot = r.files('demo').joinpath('where.py').resolve(strict=True).parent\n"
    ),
    "code": "import os, sys\nroot = os.path.dirname(os.path.realpath(sys._getframe().f_code.co_filename))\n",
    "its package": "import os\nimport demo\nroot = os.path.dirname(os.path.realpath(demo.__file__))\n",
    "a package of it": (
        "import os\nimport demo.sub as s\nroot = os.path.dirname(os.path.dirname(os.path.realpath(s.__file__)))\n"
    ),
    "a location that is an argument": (
        "import pathlib\nfrom demo.handed import handed\nroot = handed(pathlib.Path(__file__))\n"
    ),
    "a location from elsewhere": "from demo.paths import HERE\nroot = HERE.resolve().parent\n",
    "a location from elsewhere, renamed": (
        "import os\nfrom demo.paths import HERE as here\nroot = os.path.dirname(os.path.realpath(here))\n"
    ),
}


def _program(root: str) -> dict[str, str]:
    show = "import os\nprint(open(os.path.join(str(root), 'data.txt')).read())\n"
    return {
        "demo/__init__.py": "x = 1\n",
        "demo/data.txt": "found",
        "demo/paths.py": "from pathlib import Path\nHERE = Path(__file__)\n",
        "demo/handed.py": "import os\ndef handed(path):\n    return os.path.dirname(os.path.realpath(path))\n",
        "demo/sub/__init__.py": "x = 2\n",
        "demo/where.py": root + show,
    }


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_a_program_finds_its_data(root: str, workbench: Workbench) -> None:
    """Whichever way a program resolves where it is, it finds the files beside it; with links alone it would not."""
    wheel = make_wheel(files=_program(root))
    assert _runs(workbench.env(workbench.tree(wheel)), "demo.where") == "found\n"
    assert "FileNotFoundError" in _runs(workbench.env(workbench.tree(wheel, {"link": ["*"]})), "demo.where")


def _runs(env: Path, module: str) -> str:
    done = subprocess.run([env / "bin/python", "-m", module], capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def test_a_package_is_found_by_strangers(workbench: Workbench) -> None:
    """Where code of somebody else resolves a package's location, it finds the package's files."""
    wheel = make_wheel(files=_program("root = None\n"))
    code = "import demo, os; print(os.path.exists(os.path.dirname(os.path.realpath(demo.__file__)) + '/data.txt'))"
    said = {}
    for name, overrides in (("rules", None), ("links", {"link": ["*"]})):
        env = workbench.env(workbench.tree(wheel, overrides))
        said[name] = subprocess.run([env / "bin/python", "-c", code], capture_output=True, text=True).stdout
    assert said == {"rules": "True\n", "links": "False\n"}


def test_only_the_top_package_is_copied_for_strangers() -> None:
    """The source of a package that lies in another, or of no package, needs no copy."""
    paths = ["a/__init__.py", "a/b/__init__.py", "space/c/__init__.py", "a/x.py"]
    rules = rules_for(paths)
    assert [path for path in paths if decide(rules, path, b"x = 1\n")] == [
        "a/__init__.py",
        "space/c/__init__.py",
    ]


def test_who_resolves_a_name_means_who_hands_it_out() -> None:
    """A module that hands out its location is copied where another resolves that name, and only then."""
    rules = rules_for(["demo/paths.py", "demo/user.py"])

    def late(paths: bytes, user: bytes) -> dict[str, list[str]]:
        files = {"demo/paths.py": paths, "demo/user.py": user}
        found: dict[str, list[str]] = rules.late_reasons({path: rules.look(path, text) for path, text in files.items()})
        return found

    assert late(b"HERE = Path(__file__)\n", b"HERE.resolve()\n") == {"demo/paths.py": ["resolves-itself"]}
    assert late(b"HERE: Path = Path(__file__)\n", b"realpath(m.HERE)\n") == {"demo/paths.py": ["resolves-itself"]}
    assert late(b"HERE = Path(__file__).parent\n", b"HERE.resolve()\n") == {}
    assert late(b"HERE = Path(__file__)\n", b"THERE.resolve()\n") == {}
    assert late(b"HERE = Path(__file__)\n", b"x = HERE\n") == {}


LOADING = """
import importlib.util
from pathlib import Path

def load(name):
    found = next(Path(__path__[0]).glob(name + ".*so")).resolve()
    return importlib.util.module_from_spec(importlib.util.spec_from_file_location("demo." + name, found))
"""


def test_extension_modules_that_are_loaded_by_their_real_path_are_copied(workbench: Workbench) -> None:
    """A package that resolves its modules' paths and loads them finds the libraries beside them, as VTK's does."""
    wheel = make_wheel(
        files={
            "demo/__init__.py": LOADING,
            "demo/tool.cpython-311.so": make_elf(needed=["libdep.so"], run_path="$ORIGIN"),
            "demo/other.so": make_elf(),
            "demo/libdep.so": make_elf(soname="libdep.so", run_path="$ORIGIN"),
        }
    )
    code = "import demo\ntry:\n    demo.load('tool')\nexcept ImportError as error: print(error)"
    said, copies = {}, {}
    for name, overrides in (("rules", None), ("links", {"link": ["*.so"]})):
        tree = workbench.tree(wheel, overrides)
        copies[name] = [
            path.rpartition("/")[2] for path, why in manifest_of(tree)["copies"].items() if "loaded" in why[0]
        ]
        said[name] = subprocess.run(
            [workbench.env(tree) / "bin/python", "-c", code], capture_output=True, text=True, check=True
        ).stdout
    assert copies == {"rules": ["tool.cpython-311.so"], "links": []}
    # Loaded by then: it is no module, and that is what Python misses.
    assert "PyInit_tool" in said["rules"]
    assert "libdep.so: cannot open" in said["links"]


def test_loading_alone_copies_nothing() -> None:
    """Only what both resolves links and loads from paths counts, for the modules below it that look beside them."""
    paths = ["demo/load.py", "demo/a.so", "demo/b/c.so", "demo/libx.so", "other/d.so"]

    def late(source: bytes) -> dict[str, list[str]]:
        found: dict[str, list[str]] = rules_for(paths).late_reasons({"demo/load.py": sources.look(source)}, paths[1:])
        return found

    copied = {"demo/a.so": ["loaded-by-path"], "demo/b/c.so": ["loaded-by-path"]}
    assert late(b"spec_from_file_location(1, p.resolve())\n") == copied
    assert late(b"spec_from_file_location(1, p)\n") == late(b"p.resolve()\n") == {}
    assert late(b"# spec_from_file_location\np.resolve()\n") == late(b"spec_from_file_location( p.resolve()\n") == {}


def test_libraries_of_macos_that_look_beside_them_are_copied() -> None:
    """Mach-O with a dependency beside it is a copy, in every form; with the system's alone, or not Mach-O, a link."""
    for magic in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe\0\0\0\x02"):
        library = magic + bytes(28) + b"@loader_path/../.dylibs/libz.dylib\0"
        assert rules_for(["a.so"]).looks_into("a.so", False, library[:4])
        assert reasons("a.so", library, False) == ["mach-o"]
        assert reasons("a.so", magic + bytes(28) + b"/usr/lib/libz.dylib\0", False) == []
    assert reasons("A.class", b"\xca\xfe\xba\xbe\0\0\0\x34 @loader_path", False) == []
    assert reasons("a.txt", b"@loader_path", False) == []


def test_a_program_of_macos_is_a_program() -> None:
    """Mach-O programs that are marked executable are copies; its libraries with a stray bit are not."""
    assert reasons("bin/tool", b"\xcf\xfa\xed\xfe" + bytes(8) + b"\2\0\0\0", True) == ["executable"]
    assert reasons("a.so", b"\xcf\xfa\xed\xfe" + bytes(8) + b"\6\0\0\0", True) == []


def test_users_override_both_ways() -> None:
    """``copy`` and ``solid`` make copies, ``link`` makes links of what rules or they would copy."""
    content = RESOLVING["realpath"].encode()

    def found(path: str, content: bytes, executable: bool = False, **overrides: object) -> list[str]:
        return decide(rules_for([path], overrides), path, content, executable)

    assert found("demo/a/b.txt", b"x", copy=["demo/*"]) == ["override"]
    assert found("demo/a/b.txt", b"x", copy=["*.json"]) == []
    assert found("demo/a/b.txt", b"x", solid=True) == ["override"]
    assert found("demo/a.py", content, copy=["*"]) == ["override", "resolves-itself"]
    assert found("demo/a.py", content, link=["*.py"]) == []
    assert found("demo/a.py", content, link=["*.py"], solid=True, copy=["*"]) == []
    assert found("demo/tool", b"#!/bin/sh\n", True, link=["*"]) == ["executable"]


def test_late_reasons_can_be_overridden() -> None:
    """A link that the user asks for stays one whatever other modules do."""
    paths, resolving = ["demo/__init__.py", "demo/a.py"], b"import os\nos.path.realpath(x.__file__)\n"
    seen = {"demo/__init__.py": sources.look(b"x = 1\n"), "demo/a.py": sources.look(resolving)}
    assert rules_for(paths).late_reasons(seen) == {"demo/__init__.py": ["resolves-itself"]}
    assert rules_for(paths, {"link": ["*/__init__.py"]}).late_reasons(seen) == {}


def test_every_reason_is_listed() -> None:
    """The list of reasons is that of the rules."""
    text = "".join(inspect.getsource(module) for module in (placement, directories))
    given = set(re.findall(r'(?:append\(|= \[)"([a-z-]+)"', text))
    assert given == set(placement.REASONS)


#: Ways to write that.
IMPORTING = [
    *(b"from deploy_lib import x\n", b"from deploy_lib . x import y\n", b"from \\\r\n\tdeploy_lib.x import y\n"),
    *(b"import deploy_lib.x\n", b"import os, tool\n", b"import \\\n  tool\n", b"import os as o,\\\n tool as t\n"),
    *(b"# from . \\\nimport tool\n", b"from . import a; import tool\n"),
    *(b"x = 'import'; import os; import tool\n", b"import os\rimport tool\r", "import \uff54ool\n".encode()),
    *(b"if 'import': import tool\n", b"if 'from x import': import tool\n", b"def f(): yield from y\nimport tool\n"),
]


def test_a_program_that_imports_its_neighbours_is_copied() -> None:
    """A source that is run by its path finds the modules beside it only as a copy, as PySide6's deploy.py does."""
    paths = ["demo/scripts/deploy.py", "demo/scripts/deploy_lib/__init__.py", "demo/scripts/tool.py", "demo/other.py"]
    rules = rules_for(paths)
    main = b'if __name__ == "__main__":\n    pass\n'
    for source in IMPORTING:
        assert decide(rules, "demo/scripts/deploy.py", source + main) == ["run-by-path"]
        assert decide(rules, "demo/scripts/deploy.py", source) == []
    for source in (b"from . import tool\n", b"from .deploy_lib import x\n", b"import other\n", b"import json\n"):
        assert decide(rules, "demo/scripts/deploy.py", source + main) == []
    assert decide(rules, "demo/scripts/deploy.py", b"import tool (\n" + main) == []
    typed = rules_for(["demo/app.py", "demo/typing.py"])
    assert decide(typed, "demo/app.py", b"import typing as t\n" + main) == []
    # At the top, the modules beside it are on Python's path anyway.
    assert decide(rules_for(["tool.py", "lib.py"]), "tool.py", b"import lib\n" + main) == []
