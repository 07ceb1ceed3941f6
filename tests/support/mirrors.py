"""Where a mirror has the file of a URL: one table for nixgen/mirrors.py and nix/mirrors.nix."""

from __future__ import annotations

ROOT = "https://mirror.example.org/pypi"

#: What is said, a URL, and where its file is fetched.
MIRRORED = [
    ("", "https://files.example.org/a/x.whl", "https://files.example.org/a/x.whl"),
    (ROOT, "https://files.example.org/a/x.whl", f"{ROOT}/a/x.whl"),
    (f" {ROOT}/ ", "http://127.0.0.1:8080/a/x.whl", f"{ROOT}/a/x.whl"),
    (f"https://files.example.org={ROOT}", "https://files.example.org/a/x.whl", f"{ROOT}/a/x.whl"),
    (f"https://files.example.org/={ROOT}/", "https://files.example.org/a/x.whl", f"{ROOT}/a/x.whl"),
    (f"https://files.example.org/a={ROOT}", "https://files.example.org/a/x.whl", f"{ROOT}/x.whl"),
    (f"https://files.example.org/a={ROOT}", "https://files.example.org/ab/x.whl", "https://files.example.org/ab/x.whl"),
    (f"https://files.example.org={ROOT}", "https://files.example.org.uk/x.whl", "https://files.example.org.uk/x.whl"),
    (f"https://files.example.org={ROOT}", "http://files.example.org/x.whl", "http://files.example.org/x.whl"),
    (f"http://other:80 {ROOT} https://a/b=http://c", "https://a/b/x.whl", "http://c/x.whl"),
    (f"http://other:80 {ROOT} https://a/b=http://c", "https://a/d/x.whl", "http://other:80/d/x.whl"),
    ("https://a=http://short https://a/b=http://long", "https://a/b/x.whl", "http://long/x.whl"),
]

#: What is refused.
NO_MIRRORS = ["mirror.example.org", "ftp://mirror.example.org", f"files={ROOT}", f"{ROOT}=", f"{ROOT}={ROOT}={ROOT}"]
