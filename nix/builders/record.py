"""RECORD, in which an installer says what it has placed (PEP 376): rows of a path, a hash and a size."""

import base64
import csv
import io
import os
import posixpath

# The module by itself: hashlib loads OpenSSL, a tenth of the time of a small wheel's tree.
try:
    from _sha2 import sha256
except ImportError:
    try:
        from _sha256 import sha256  # until 3.11
    except ImportError:
        from hashlib import sha256  # a Python that was built without

#: Hash and size of a file of which RECORD says neither.
UNSAID = ("", "")


def digest(content):
    """Return hash and size of a file's content, as RECORD has them."""
    hashed = base64.urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
    return "sha256=" + hashed, str(len(content))


def read(file):
    """Return hash and size of each path of a RECORD; "" is the leaf of an empty one."""
    if not file:
        return {}
    with open(file, encoding="utf-8", newline="") as opened:
        return {row[0]: tuple(row[1:3]) for row in csv.reader(opened) if len(row) >= 3}


def write(out, path, site, rows):
    """Write a RECORD into a tree, in place of the wheel's own.

    Args:
        out: the tree.
        path: where RECORD lies in it.
        site: where site-packages lies in it, which paths of RECORD are relative to.
        rows: hash and size of each file, by its path in the tree; RECORD's own are unsaid.
    """
    rows = {**rows, path: UNSAID}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for target in sorted(rows):
        inside = target.startswith(site + "/")  # most are
        writer.writerow((target[len(site) + 1 :] if inside else posixpath.relpath(target, site), *rows[target]))
    os.unlink(os.path.join(out, path))
    with open(os.path.join(out, path), "x", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
