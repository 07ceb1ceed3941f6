"""The module that loads libraries before the first import that needs them."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import finder
import pytest

from tests.builders.conftest import INTERPRETER
from tests.support.elf import make_elf
from tests.support.interpreters import interpreters

Run = Callable[..., str]

#: Loads, or says why not.
LOAD = "import ctypes; ctypes.CDLL({!r})"


@pytest.fixture(autouse=True)
def meta_path() -> Iterator[None]:
    """Leave the finders as they were."""
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the list of libraries that are loaded, in place of loading them."""
    found: list[str] = []
    monkeypatch.setattr("ctypes.CDLL", found.append)
    return found


def test_libraries_are_loaded_once_by_the_first_import(loaded: list[str], tmp_path: Path) -> None:
    """The first look for one of the names loads all in their order; other names do nothing, nor do later looks."""
    finder.install(["nixgen_native", "nixgen_other"], ["/a", "/b"])
    for name in ("nixgen_pure", "nixgen_nativelike", "nixgen_pure.nixgen_native"):
        with pytest.raises(ImportError):
            import_module(name)
    assert loaded == []
    with pytest.raises(ImportError):
        import_module("nixgen_native.inner")
    assert loaded == ["/a", "/b"]
    with pytest.raises(ImportError):
        import_module("nixgen_other")
    assert loaded == ["/a", "/b"]


def test_a_submodule_of_another_package_does_nothing(loaded: list[str]) -> None:
    """A submodule with one of the names is no top-level package."""
    finder.install(["decoder"], ["/a"])
    sys.modules.pop("json.decoder")
    assert import_module("json.decoder").JSONDecoder
    assert loaded == []


def test_a_submodule_loads_where_the_package_was_found_by_another(loaded: list[str]) -> None:
    """Where a finder before this one took the package, its first submodule loads the libraries."""
    finder.install(["json"], ["/a"])
    sys.modules.pop("json.decoder")
    assert import_module("json.decoder").JSONDecoder
    assert loaded == ["/a"]


def test_no_finder_is_skipped(loaded: list[str]) -> None:
    """All other finders are asked on the import that loads, and the list of finders stays as it is."""
    asked = []

    class Asked:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            asked.append(name)

    sys.meta_path[:] = [Asked(), Asked()]  # type: ignore[list-item]
    finder.install(["nixgen_native"], ["/a"])
    sys.meta_path.insert(0, Asked())  # type: ignore[arg-type]
    before = list(sys.meta_path)
    with pytest.raises(ImportError):
        import_module("nixgen_native")
    assert (len(asked), loaded, sys.meta_path) == (3, ["/a"], before)


def test_a_library_that_cannot_be_loaded_is_a_warning(tmp_path: Path) -> None:
    """What the loader refuses is named, the others are loaded, and the import goes on."""
    broken, good = tmp_path / "broken.so", tmp_path / "good.so"
    broken.write_bytes(b"no library")
    good.write_bytes(make_elf(soname="good.so"))
    finder.install(["nixgen_native"], [str(broken), str(good)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ModuleNotFoundError):
            import_module("nixgen_native")
    assert [str(warning.message).startswith(f"nixgen cannot load {broken}") for warning in caught] == [True]


def test_threads_wait_for_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that imports a second package while the libraries are being loaded waits for them."""
    loading, go = threading.Event(), threading.Event()
    order = []

    def load(path: str) -> None:
        loading.set()
        assert go.wait(10)
        order.append(path)

    monkeypatch.setattr("ctypes.CDLL", load)
    finder.install(["nixgen_a", "nixgen_b"], ["/a"])
    made = sys.meta_path[0]

    def second() -> None:
        made.find_spec("nixgen_b", None)
        order.append("second")

    first = threading.Thread(target=made.find_spec, args=("nixgen_a", None))
    first.start()
    assert loading.wait(10)
    other = threading.Thread(target=second)
    other.start()
    other.join(0.1)
    assert order == []
    go.set()
    first.join()
    other.join()
    assert order == ["/a", "second"]


@pytest.mark.parametrize("version", interpreters())
def test_a_loaded_library_satisfies_a_need(version: str, run: Run, tmp_path: Path) -> None:
    """On every Python: a need of a SONAME is met by a library loaded from elsewhere, whose symbols stay local."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/libb.so.1").write_bytes(make_elf(soname="libb.so.1"))
    (tmp_path / "liba.so").write_bytes(make_elf(soname="liba.so", needed=["libb.so.1"]))
    trigger = "import sys; sys.path.insert(0, {!r}); import finder; finder.install(['native'], {!r}); ".format(
        str(Path(finder.__file__).parent), [str(tmp_path / "hidden/libb.so.1")]
    )
    load = LOAD.format(str(tmp_path / "liba.so"))
    caught = "\ntry: import native\nexcept ImportError: pass\n"
    python = interpreters()[version]
    assert run(python, "-I", "-B", "-c", trigger + caught + load + "; print('loaded')") == "loaded\n"
    with pytest.raises(AssertionError, match=r"libb\.so\.1"):
        run(python, "-I", "-B", "-c", trigger + load)


def test_the_finder_needs_no_import(run: Run) -> None:
    """Until libraries are loaded, nothing is imported that Python has not started with."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(finder.__file__).parent)!r}); before = set(sys.modules);"
        " import finder; finder.install(['x'], []); print(sorted(set(sys.modules) - before))"
    )
    assert run(INTERPRETER, "-I", "-S", "-B", "-c", code) == "['finder']\n"
