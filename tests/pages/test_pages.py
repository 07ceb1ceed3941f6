"""Pages with a treemap, as a browser shows them: keyboard, search, many nodes, no server asked for anything."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Literal

import pytest

from nixgen.pages import write_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

in_a_browser = pytest.mark.skipif(BROWSER is None, reason="takes Chromium")

FLEET: dict[str, object] = {
    "fleet": {
        "name": "here",
        "locks": [f"team/project{number}/nixgen.lock" for number in range(12)],
        "packages": [
            ["large", [["1.0", 5000, 10, 1, [0]], ["2.0", 3000, 5, 0, list(range(12))]]],
            ["small", [["0.1", 1000, 1, 0, [3, 4]]]],
            ["in several packages", [["licences and the like", 100, 2, 2, []]]],
        ],
        "versions": 3,
        "files": 18,
        "bytes": 9100,
        "unique": 5000,
        "copied": 100_000,
    }
}


def environment(name: str, packages: int, files: int) -> dict[str, object]:
    """Return what the page shows of an environment with that many packages of that many files."""
    return {
        "name": name,
        "python": "3.11",
        "system": "x86_64-linux",
        "files": packages * files,
        "bytes": 1,
        "stored": 0,
        "shared": None,
        "disk": None,
        "packages": [
            [f"{name}{at} 1.0", [[f"{name}{at}", [[f"m{file}.py", 10 + file, file % 4] for file in range(files)]]]]
            for at in range(packages)
        ],
    }


def run(
    directory: Path, view: Literal["size", "fleet"], data: dict[str, object], script: str, *, clock: bool = False
) -> Any:
    """Write a page, run a script in it, and return what that gives; errors of the page are the test's.

    Args:
        directory: an empty one.
        view, data: as for ``write_page``.
        script: the body of an asynchronous function.
        clock: whether it needs a clock that goes, and awaits nothing; else waiting takes no time.
    """
    page = directory / "page.html"
    write_page(page, view, data)
    program = (
        "<script>const errors = []; addEventListener('error', event => errors.push(event.message));"
        "addEventListener('securitypolicyviolation', event => errors.push(event.violatedDirective));</script>"
    )
    ask = (
        "<script>const key = (name, target = maps[0].canvas) => target.dispatchEvent("
        "new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));"
        "const after = time => new Promise(done => setTimeout(done, time));"
        f"(async () => {{ {'' if clock else 'await after(300);'} let found;"
        f"try {{ found = {'(() =>' if clock else 'await (async () =>'} {{ {script} }})(); }}"
        "catch (error) { errors.push(String(error)); }"
        "document.body.dataset.found = JSON.stringify({ found, errors }); })();</script></body>"
    )
    text = page.read_text(encoding="utf-8").replace("<script>", f"{program}<script>", 1).replace("</body>", ask)
    page.write_text(text, encoding="utf-8")
    words = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory / 'browser'}"]
    words += ["--window-size=1000,700", *([] if clock else ["--virtual-time-budget=20000"]), "--dump-dom"]
    done = subprocess.run([*words, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    answer = re.search(r'data-found="([^"]*)"', done.stdout)
    assert answer is not None, done.stdout[-2000:] + done.stderr[-2000:]
    said = json.loads(html.unescape(answer[1]))
    assert said["errors"] == []
    return said["found"]


@in_a_browser
def test_a_fleet_is_walked_with_the_keyboard(tmp_path: Path) -> None:
    """Enter goes in, Escape out; what is chosen is described, with the locks that have it."""
    found = run(
        tmp_path,
        "fleet",
        FLEET,
        """
        const told = [], tell = () => told.push(said.textContent);
        maps[0].canvas.focus(); tell();
        key("Enter"); tell();
        key("ArrowRight"); key("ArrowDown"); tell();
        key("Escape"); tell();
        const panel = document.querySelector("details");
        panel.open = true; await after(50);
        return { told, locks: panel.querySelectorAll("li").length, title: document.title,
                 wide: document.documentElement.scrollWidth <= innerWidth };
        """,
    )
    first, inner, second, out = found["told"]
    assert first.startswith("large · 8.0 kB · 87.9% of all · 15 files · 12 locks")
    assert inner.startswith("large / 1.0 · 5.0 kB") and inner.endswith("1 lock · an older version")
    assert second.startswith("large / 2.0 · 3.0 kB") and second.endswith("12 locks · the newest here")
    assert out == first and found["locks"] == 12 and found["title"] == "here: what a fleet holds" and found["wide"]


@in_a_browser
def test_a_search_finds_packages_versions_and_locks(tmp_path: Path) -> None:
    """Every word has to fit; nothing is found of what is not there, and without a word all is shown again."""
    found = run(
        tmp_path,
        "fleet",
        FLEET,
        """
        const field = document.getElementById("search"), told = [];
        for (const words of ["LARGE", "large 2.0", "project3/", "project0/ small", "nowhere", ""]) {
          field.value = words; field.oninput(); await after(100); told.push(said.textContent);
        }
        key("/", document.body);
        const choice = document.getElementById("colour");
        choice.value = "age"; choice.onchange();
        return { told, field: document.activeElement === field, legend: document.getElementById("legend").textContent };
        """,
    )
    assert found["told"] == [
        "15 files, 8.0 kB",
        "5 files, 3.0 kB",
        "6 files, 4.0 kB",
        "0 files, 0 B",
        "0 files, 0 B",
        "",
    ]
    assert found["field"] and "an older version" in found["legend"]


@in_a_browser
def test_two_environments_of_20000_files_do_not_stutter(tmp_path: Path) -> None:
    """A move of the pointer takes a part of a frame, and a search no time that is felt, on a busy machine too."""
    found = run(
        tmp_path,
        "size",
        {"environments": [environment("a", 100, 200), environment("b", 100, 200)]},
        """
        maps.forEach(map => map.layout());
        const map = maps[0], box = map.canvas.getBoundingClientRect(), times = [];
        const lasts = what => { const begin = performance.now(); what(); return performance.now() - begin; };
        for (let at = 0; at < 100; at++) times.push(lasts(() => map.point({ pointerType: "mouse",
          clientX: box.left + (at * 37) % box.width, clientY: box.top + (at * 91) % box.height })));
        const shown = !document.getElementById("tip").hidden && document.getElementById("tip").textContent;
        return { move: times.sort((a, b) => a - b)[50], search: lasts(() => map.search(["m7"])), shown,
                 files: maps.map(one => one.root.files), nodes: map.rects.length };
        """,
        clock=True,
    )
    assert found["files"] == [20_000, 20_000] and found["nodes"] > 10_000 and " · " in found["shown"]
    assert 0 < found["move"] < 50 and 0 < found["search"] < 3000


def test_nothing_of_the_data_stands_for_a_part(tmp_path: Path) -> None:
    """What a file is called is data, whatever it is: no mark of the page's, and no end of its script."""
    strange = ["/*TREEMAP*/", "/*VIEW*/", "/*DATA*/null", "\\1", "</script>", "<!--"]
    write_page(tmp_path / "page.html", "size", {"environments": strange})
    text = (tmp_path / "page.html").read_text()
    line = next(line for line in text.splitlines() if line.startswith("const DATA = "))
    assert json.loads(line.removeprefix("const DATA = ").removesuffix(";")) == {"environments": strange}
    assert text.count("</script>") == 1 and "<!--" not in text.replace("<!doctype", "")
