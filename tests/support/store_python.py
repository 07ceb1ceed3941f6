"""Make a Python that lives in a store and needs no library outside of it: the builder of ``store_python.nix``.

Copies the machine's own Python, its standard library and every shared library that these need, and points the program
at its own loader with patchelf. Run as ``python store_python.py PYTHON PATCHELF OUT`` where the machine is seen.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

#: A library of the C++ or OpenMP runtime that the standard library does not need must not slip in.
_LINE = re.compile(r"\s*(?:\S+ => )?(/\S+) \(0x")


def libraries(path):
    """Return the shared libraries that a program or library needs, with the loader, as ``ldd`` finds them."""
    said = subprocess.run(["/usr/bin/ldd", path], capture_output=True, text=True, check=False).stdout
    return {match[1] for line in said.splitlines() if (match := _LINE.match(line))}


def main(python, patchelf, out):
    """Copy the interpreter ``python`` to ``out`` and make it independent of the machine."""
    version = re.search(r"python(\d+\.\d+)$", python)[1]
    for directory in ("bin", "lib"):
        Path(out, directory).mkdir(parents=True)
    program = Path(out, "bin", f"python{version}")
    shutil.copy(Path(python).resolve(), program)
    Path(out, "bin", "python3").symlink_to(program.name)
    standard_library = Path(python).parent.parent / "lib" / f"python{version}"
    shutil.copytree(
        standard_library,
        Path(out, "lib", standard_library.name),
        symlinks=False,
        ignore_dangling_symlinks=True,
        ignore=shutil.ignore_patterns(
            "__pycache__", "test", "tests", "config-*", "ensurepip", "idlelib", "sitecustomize.py"
        ),
    )
    needed = libraries(program)
    for extension in Path(out, "lib").rglob("*.so"):
        needed |= libraries(extension)
    for library in needed:
        shutil.copy(Path(library).resolve(), Path(out, "lib", Path(library).name))
    # The parts of the C library: stubs since glibc 2.34, which wheels built on an older one still ask for.
    c_library = Path(next(name for name in needed if Path(name).name == "libc.so.6"))
    for part in ("libdl.so.2", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libutil.so.1"):
        if not Path(out, "lib", part).exists():
            shutil.copy(c_library.with_name(part).resolve(), Path(out, "lib", part))
    loader = next(name for name in needed if "ld-linux" in name)
    target = Path(out, "lib", Path(loader).name)
    rpath = ["--force-rpath", "--set-rpath", str(Path(out, "lib"))]
    subprocess.run([patchelf, "--set-interpreter", target, *rpath, program], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
