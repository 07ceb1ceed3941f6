"""File names that wheels may have: one table for nixgen/leaf.py and nix/leaf.nix."""

from __future__ import annotations

#: Name of the leaf by name of the file.
LEAF_NAMES = {
    "app.py": "file.py",
    "LICENSE": "file",
    "a.tar.gz": "file.gz",
    "app.cpython-311-x86_64-linux-gnu.so": "file.so",
    "libz.so.1": "file.1",
    "libz-1a2b.so.1.2.11": "file.11",
    ".hidden": "file",
    ".hidden.txt": "file.txt",
    "..": "file",
    "...py": "file.py",
    "trailing.": "file",
    "trailing..": "file",
    "no-dot-but-hyphen": "file",
    "x.abcdefghij": "file.abcdefghij",
    "x.abcdefghijk": "file",
    "x.a.abcdefghijkl": "file",
    "x.c++": "file.c++",
    "x.a_b-c+d": "file.a_b-c+d",
    "x.$(a)": "file",
    "x.${a}": "file",
    "x.a b": "file",
    "x.é": "file",
    "größe.py": "file.py",
    "日本語.txt": "file.txt",
    "日本語": "file",
    "new\nline.py": "file.py",
    "new.py\n": "file",
    'it\'s "quoted".txt': "file.txt",
    "a~b.py~": "file",
    "x.PY": "file.PY",
    "x.7z": "file.7z",
    "-rf.py": "file.py",
    "a" * 200 + ".py": "file.py",
    "e\u0301.py": "file.py",
    "x.p\u0301y": "file",
    "😀.😀": "file",
}

NAMES = list(LEAF_NAMES)
