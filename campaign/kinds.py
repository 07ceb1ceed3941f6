"""The kinds of mutation: each makes a wheel hostile, or only unusual, in one way that its name says."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from campaign.archive import DEFLATED, STORED, Member, extra_field
from campaign.draft import DATA, DIST_INFO, Draft, Row, row

Mutation = Callable[[Draft, random.Random], None]

#: Every kind by its name, in the order of the report.
KINDS: dict[str, Mutation] = {}


def _kind(name: str) -> Callable[[Mutation], Mutation]:
    def register(mutation: Mutation) -> Mutation:
        KINDS[name] = mutation
        return mutation

    return register


def _victim(draft: Draft, random: random.Random) -> Member:
    return random.choice(draft.members)


def _first(draft: Draft) -> str:
    return draft.members[0].path


# The archive: what the directory says, against what lies there.


@_kind("archive: another name in the local header")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    member.local_name = random.choice([b"hostile/other.py", member.name + b"x", b"", b"/" + member.name, b"../x"])


@_kind("archive: CRC")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    for side in random.choice([(member.central,), (member.local,), (member.central, member.local)]):
        side["crc"] = random.choice([lambda crc: crc ^ 1, lambda crc: 0])


@_kind("archive: size")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    change = random.choice([lambda size: size - 1, lambda size: size + 1, lambda _: 0, lambda _: 0x7FFFFFFF])
    for side in random.choice([(member.central,), (member.local,), (member.central, member.local)]):
        side["size"] = change


@_kind("archive: compressed size")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    change = random.choice([lambda size: size - 1, lambda size: size + 1, lambda _: 0, lambda _: 0x7FFFFFFF])
    for side in random.choice([(member.central,), (member.local,), (member.central, member.local)]):
        side["compressed"] = change


@_kind("archive: flags")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    bit = random.choice([0x2, 0x8, 0x10, 0x20, 0x800, 0x1000, 0x8000])
    for side in random.choice([(member.central,), (member.local,), (member.central, member.local)]):
        side["flags"] = lambda flags: flags ^ bit


@_kind("archive: encrypted")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    bit = random.choice([0x1, 0x41, 0x2000])
    for side in random.choice([(member.central,), (member.local,), (member.central, member.local)]):
        side["flags"] = lambda flags: flags | bit


@_kind("archive: method")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    method = random.choice([0, 1, 9, 12, 14, 93, 95, 99, 0xFFFF])
    for side in random.choice([(member.central,), (member.local,), (member.central, member.local)]):
        side["method"] = lambda _: method


@_kind("archive: stored")
def _(draft: Draft, random: random.Random) -> None:
    for member in draft.members if random.random() < 0.5 else [_victim(draft, random)]:
        member.method = STORED


@_kind("archive: offset")
def _(draft: Draft, random: random.Random) -> None:
    change = random.choice([lambda at: at + 1, lambda at: 0xFFFFFFF0, lambda at: max(at - 1, 0) ^ 1, lambda _: 4])
    _victim(draft, random).central["offset"] = change


@_kind("archive: data descriptor")
def _(draft: Draft, random: random.Random) -> None:
    for member in draft.members if random.random() < 0.5 else [_victim(draft, random)]:
        member.descriptor = True
        member.signature = random.choice([b"PK\x07\x08", b""])


@_kind("archive: data descriptor that lies")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    member.descriptor = True
    member.described[random.choice(["crc", "compressed", "size"])] = lambda value: value + 1


@_kind("archive: zip64")
def _(draft: Draft, random: random.Random) -> None:
    if random.random() < 0.5:
        draft.ending.zip64 = True
    else:
        _victim(draft, random).zip64 = True


@_kind("archive: zip64 that lies")
def _(draft: Draft, random: random.Random) -> None:
    if random.random() < 0.5:
        draft.ending.zip64 = True
        field = random.choice(["entries", "size", "offset"])
        draft.ending.fields64[field] = random.choice([lambda value: value + 1, lambda _: 2**63, lambda _: 0])
    else:
        member = _victim(draft, random)
        cut = extra_field(1, b"\x01\x02\x03")
        member.extra = random.choice([cut, extra_field(1, struct.pack("<Q", 2**62)), b"\x01\x00\xff\xff"])
        member.central["size"] = lambda _: 0xFFFFFFFF


@_kind("archive: bytes before")
def _(draft: Draft, random: random.Random) -> None:
    draft.ending.prefix = random.choice([b"#!/bin/sh\nexit 1\n", b"PK\x03\x04" * 8, b"\0" * 5000])
    draft.ending.counted = random.random() < 0.5


@_kind("archive: bytes between and after")
def _(draft: Draft, random: random.Random) -> None:
    if random.random() < 0.5:
        draft.ending.gap = random.choice([b"x" * 300, b"PK\x01\x02" * 20])
    else:
        draft.ending.suffix = random.choice([b"\0", b"x" * 70000, b"PK\x05\x06" + b"\0" * 18])


@_kind("archive: comments")
def _(draft: Draft, random: random.Random) -> None:
    choice = random.randrange(4)
    if choice == 0:
        draft.ending.comment = random.choice([b"hello", b"x" * 65535, b"PK\x05\x06" + b"\0" * 18])
    elif choice == 1:
        draft.ending.comment = b"hello"
        draft.ending.fields["comment"] = random.choice([lambda size: size + 1, lambda size: size - 1])
    else:
        _victim(draft, random).comment = b"x" * random.choice([1, 65535])


@_kind("archive: end record")
def _(draft: Draft, random: random.Random) -> None:
    field = random.choice(["entries", "size", "offset"])
    change = random.choice([lambda value: value + 1, lambda value: value - 1, lambda _: 0, lambda _: 0xFFFF])
    draft.ending.fields[field] = change


@_kind("archive: cut")
def _(draft: Draft, random: random.Random) -> None:
    part = random.choice([0.0, 0.3, 0.7, 0.99])
    draft.after.append(lambda content: content[: int(len(content) * part)])


@_kind("archive: bytes changed")
def _(draft: Draft, random: random.Random) -> None:
    changes = [(random.random(), random.randrange(1, 256)) for _ in range(random.choice([1, 3, 20]))]

    def patch(content: bytes) -> bytes:
        changed = bytearray(content)
        for part, mask in changes:
            if changed:
                changed[int(part * len(changed))] ^= mask
        return bytes(changed)

    draft.after.append(patch)


@_kind("archive: a name twice")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    if random.random() < 0.5:
        member.entries = 2
    else:
        draft.add(member.name, random.choice([member.content, b"other"]))


@_kind("archive: members that overlap")
def _(draft: Draft, random: random.Random) -> None:
    member = draft.members[0]
    if random.random() < 0.5:
        other = draft.add("hostile/other.txt", member.content)
        other.central["offset"] = lambda _: 0
    else:
        for side in (member.central, member.local):
            side["compressed"] = lambda size: size + 40


@_kind("archive: extra fields")
def _(draft: Draft, random: random.Random) -> None:
    member = _victim(draft, random)
    # 0x7075 is Info-ZIP's Unicode path, which gives the member another name
    unicode_path = extra_field(0x7075, b"\x01" + b"\0\0\0\0" + b"hostile/unicode.py")
    extra = random.choice([unicode_path, extra_field(0x5455, b"\x01\0\0\0\0"), b"\xff", b"\x99\x99\xff\x00abc"])
    member.extra = extra
    if random.random() < 0.5:
        member.local_extra = extra


@_kind("archive: order of members")
def _(draft: Draft, random: random.Random) -> None:
    key = random.random()

    def shuffled(members: list[Member]) -> list[Member]:
        return sorted(members, key=lambda member: hash_of(member.name, key))

    draft.order.append(shuffled)


@_kind("archive: members for directories")
def _(draft: Draft, random: random.Random) -> None:
    for name in random.choice([(b"hostile/",), (b"hostile/", b"empty/", b"empty/deep/"), (b"hostile/data.txt/",)]):
        draft.members.append(Member(name=name, mode=random.choice([0o40755, 0o100644]), method=STORED))


@_kind("archive: a directory with content")
def _(draft: Draft, random: random.Random) -> None:
    draft.members.append(Member(name=b"hostile/full/", content=b"full", mode=0o40755, method=STORED))


@_kind("archive: another system")
def _(draft: Draft, random: random.Random) -> None:
    system = random.choice([0, 7, 10, 19, 255])
    for member in draft.members:
        member.central["system"] = lambda _: system


@_kind("archive: bomb")
def _(draft: Draft, random: random.Random) -> None:
    draft.add("hostile/zeros.bin", bytes(random.choice([1, 8, 24]) << 20))


# Names of members.


@_kind("name: leaves the wheel")
def _(draft: Draft, random: random.Random) -> None:
    up = "../" * random.randrange(1, 9)
    name = random.choice(
        [
            f"{up}canary/{draft.marker()}",
            f"{up}{draft.marker()}",
            f"{up}tmp/{draft.marker()}",
            f"hostile/{up}../{draft.marker()}",
            f"{DATA}/data/{up}{draft.marker()}",
            f"{DATA}/scripts/{up}{draft.marker()}",
        ]
    )
    draft.add(name)


@_kind("name: absolute")
def _(draft: Draft, random: random.Random) -> None:
    marker = draft.marker()
    draft.add(random.choice([f"/tmp/{marker}", f"//tmp/{marker}", f"{DATA}/data//tmp/{marker}", f"hostile//{marker}"]))


@_kind("name: drive letter")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice(["C:/x.py", "c:x.py", "C:", "hostile/C:/x.py", f"{DATA}/data/C:/x"]))


@_kind("name: backslash")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice(["hostile\\x.py", "..\\x.py", "\\x.py", "hostile/a\\b.py", f"{DATA}/scripts/a\\b"]))


@_kind("name: dots")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice(["./hostile/x.py", "hostile/./x.py", ".", "..", "hostile/...", "hostile/x.", "...", ".x"]))


@_kind("name: control characters")
def _(draft: Draft, random: random.Random) -> None:
    character = random.choice(["\n", "\r", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\u200b"])
    draft.add(random.choice([f"hostile/a{character}b.py", f"hostile/ab.py{character}", f"{character}/ab.py"]))


@_kind("name: long")
def _(draft: Draft, random: random.Random) -> None:
    part = "n" * random.choice([200, 246, 252, 255, 256, 4000])
    deep = "/".join(["d" * 100] * random.choice([5, 15, 20, 30]))
    draft.add(random.choice([f"hostile/{part}", f"hostile/{part[:-3]}.py", f"hostile/{deep}/x.py", "é" * 140]))


@_kind("name: deep")
def _(draft: Draft, random: random.Random) -> None:
    draft.add("d/" * random.choice([50, 500, 1010, 1100]) + random.choice(["x.py", "x"]))


@_kind("name: forms of Unicode")
def _(draft: Draft, random: random.Random) -> None:
    names = random.choice(
        [["caf\u00e9.py", "cafe\u0301.py"], ["\ufb01.py", "fi.py"], ["\u212b.txt", "\u00c5.txt"], ["\U0001f600.py"]]
    )
    for name in names:
        draft.add(f"hostile/{name}")


@_kind("name: equal but for case")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice(["Hostile/__init__.py", "hostile/MODULE.py", "HOSTILE/data.txt", "hostile/\u0131.py"]))


@_kind("name: without the flag for UTF-8")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice([b"hostile/caf\xe9.py", "hostile/café.py".encode(), b"hostile/\xff\xfe.py"])).utf8 = False


@_kind("name: broken UTF-8")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice([b"hostile/\xff.py", b"hostile/\xed\xa0\x80.py", b"hostile/\xc0\xae.py"])).utf8 = True


@_kind("name: quotes, $ and Nix syntax")
def _(draft: Draft, random: random.Random) -> None:
    mark = random.choice(
        [
            '"',
            "'",
            "''",
            "${x}",
            "$(id)",
            "`id`",
            "''${x}",
            "\\${x}",
            ";",
            "%s",
            "{{ x }}",
            " ",
            ",",
            "#",
            "~",
            "*",
            "@x@",
        ]
    )
    draft.add(random.choice([f"hostile/a{mark}b.py", f"{mark}.py", f"{mark}/x.py", f"{DATA}/scripts/a{mark}b"]))


@_kind("name: leading sign")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice(["-rf", "--help", "-/x.py", "=x", "@x", "+x.py", f"{DATA}/scripts/-x"]))


@_kind("name: a file that is a directory")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(random.choice(["hostile", "hostile/data.txt/x", "hostile/__init__.py/x.py", DIST_INFO]))


@_kind("name: the installer's own")
def _(draft: Draft, random: random.Random) -> None:
    place = random.choice(["hostile/__pycache__/module.cpython-311.pyc", "__pycache__/x.py", "hostile/__pycache__"])
    own = random.choice(["INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s", "RECORD/x"])
    draft.add(random.choice([place, f"{DIST_INFO}/{own}", "_nixgen_libraries.py", "0-nixgen-libraries.pth", "x.pth"]))


# RECORD.


@_kind("RECORD: missing or empty")
def _(draft: Draft, random: random.Random) -> None:
    if random.random() < 0.5:
        draft.record = False
    else:
        text = random.choice([b"", b"\n", b"\n\n \n"])
        draft.texts.append(lambda _: text)


@_kind("RECORD: twice")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(f"{DIST_INFO}/{random.choice(['RECORD', 'record', 'Record'])}", random.choice([b"", b"x,,\n"]))


def _on_row(draft: Draft, random: random.Random, change: Callable[[Row], list[Row]]) -> None:
    at = random.random()

    def changed(rows: list[Row]) -> list[Row]:
        index = int(at * (len(rows) - 1))
        return [*rows[:index], *change(rows[index]), *rows[index + 1 :]] if rows else rows

    draft.rows.append(changed)


@_kind("RECORD: no row")
def _(draft: Draft, random: random.Random) -> None:
    _on_row(draft, random, lambda _: [])


@_kind("RECORD: rows twice")
def _(draft: Draft, random: random.Random) -> None:
    other = row("x", b"other")
    choice = random.randrange(3)
    _on_row(draft, random, lambda cells: [cells, [cells, (cells[0], *other[1:]), (cells[0], "", "")][choice]])


@_kind("RECORD: weak or unknown hash")
def _(draft: Draft, random: random.Random) -> None:
    content = draft.members[0].content
    algorithm = random.choice(["md5", "sha1", "sha224", "sha384", "sha512", "sha3_256", "crc32", "none"])
    try:
        new = row(_first(draft), content, algorithm)
    except ValueError:
        new = (_first(draft), f"{algorithm}=abc", str(len(content)))
    draft.rows.append(lambda rows: [new, *rows[1:]])


@_kind("RECORD: wrong hash")
def _(draft: Draft, random: random.Random) -> None:
    algorithm = random.choice(["sha256", "sha384", "sha512"])
    wrong = row("x", b"other", algorithm)[1]
    _on_row(draft, random, lambda cells: [(cells[0], wrong, *cells[2:])])


@_kind("RECORD: broken hash")
def _(draft: Draft, random: random.Random) -> None:
    change: Callable[[str], str] = random.choice(
        [
            lambda text: text[:-3],
            lambda text: text + "=",
            lambda text: text.upper(),
            lambda text: "sha256=!!!!",
            lambda text: "sha256",
            lambda text: "=",
            lambda text: text.replace("=", ":"),
            lambda text: "sha256=" + "a" * 64,
            lambda text: "",
        ]
    )
    _on_row(draft, random, lambda cells: [(cells[0], change(cells[1]), *cells[2:])])


@_kind("RECORD: wrong size")
def _(draft: Draft, random: random.Random) -> None:
    size = random.choice(["0", "1", "-5", "9" * 30, "x", "", "1.5", " 6", "\u0661"])
    _on_row(draft, random, lambda cells: [(*cells[:2], size)])


@_kind("RECORD: columns")
def _(draft: Draft, random: random.Random) -> None:
    change: Callable[[Row], Row] = random.choice(
        [lambda cells: cells[:1], lambda cells: cells[:2], lambda cells: (*cells, "extra")]
    )
    _on_row(draft, random, lambda cells: [change(cells)])


@_kind("RECORD: spelling of paths")
def _(draft: Draft, random: random.Random) -> None:
    change: Callable[[str], str] = random.choice(
        [
            lambda path: "./" + path,
            lambda path: path.replace("/", "\\"),
            lambda path: " " + path,
            lambda path: path.upper(),
            lambda path: "/" + path,
            lambda path: path.replace("/", "//"),
        ]
    )
    _on_row(draft, random, lambda cells: [(change(cells[0]), *cells[1:])])


@_kind("RECORD: line ends")
def _(draft: Draft, random: random.Random) -> None:
    end = random.choice([b"\r\n", b"\r", b"\n\n", b"\n\r", b"\x0b"])
    draft.texts.append(lambda text: text.replace(b"\n", end))


@_kind("RECORD: encoding")
def _(draft: Draft, random: random.Random) -> None:
    change = random.choice(
        [
            lambda text: b"\xef\xbb\xbf" + text,
            lambda text: text + b"\xff,,\n",
            lambda text: text.decode("utf-8", "replace").encode("utf-16"),
            lambda text: text + b"\0,,\n",
            lambda text: text + b'"open,,\n',
            lambda text: text.rstrip(b"\n"),
        ]
    )
    draft.texts.append(change)


@_kind("RECORD: extra rows")
def _(draft: Draft, random: random.Random) -> None:
    path = random.choice(
        [
            "hostile/absent.py",
            f"../../../{draft.marker()}",
            f"/tmp/{draft.marker()}",
            "C:\\x",
            "",
            "hostile/",
            "a" * 5000,
        ]
    )
    extra = row(path, b"absent") if random.random() < 0.5 else (path, "", "")
    draft.rows.append(lambda rows: [*rows, extra])


@_kind("RECORD: large")
def _(draft: Draft, random: random.Random) -> None:
    rows = random.choice([3000, 20000])
    draft.rows.append(lambda honest: [*honest, *((f"absent/{index}.py", "", "") for index in range(rows))])


# .dist-info.


@_kind(".dist-info: none")
def _(draft: Draft, random: random.Random) -> None:
    draft.dist_info = random.choice(["hostile", "hostile-1.0.egg-info", f"deep/{DIST_INFO}", "dist-info"])


@_kind(".dist-info: two")
def _(draft: Draft, random: random.Random) -> None:
    other = random.choice(["other-1.0.dist-info", "hostile-2.0.dist-info", "Hostile-1.0.dist-info", ".dist-info"])
    draft.add(f"{other}/{random.choice(['METADATA', 'RECORD', 'x'])}", draft.info.get("METADATA", b""))


@_kind(".dist-info: another name, version or spelling")
def _(draft: Draft, random: random.Random) -> None:
    draft.dist_info = random.choice(
        [
            "other-1.0.dist-info",
            "hostile-2.0.dist-info",
            "Hostile-1.0.dist-info",
            "hostile-1.0.0.dist-info",
            "hostile-01.0.dist-info",
            "hostile-v1.0.dist-info",
            "hostile-1.0.DIST-INFO",
            "hostile.dist-info",
            "hostile-.dist-info",
            "-1.0.dist-info",
        ]
    )


@_kind(".dist-info: in a package below")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(f"hostile/_vendor/other-2.0.dist-info/{random.choice(['METADATA', 'RECORD', 'WHEEL'])}", b"Name: other\n")


@_kind("file name: another")
def _(draft: Draft, random: random.Random) -> None:
    draft.filename = random.choice(
        [
            "hostile-1.0-1-py3-none-any.whl",
            "Hostile-1.0-py3-none-any.whl",
            "hostile-1.0.0-py3-none-any.whl",
            "hostile-2.0-py3-none-any.whl",
            "other-1.0-py3-none-any.whl",
            "hostile-1.0-py2.py3-none-any.whl",
            "hostile-1.0-x-py3-none-any.whl",
            "hostile-1.0+local-py3-none-any.whl",
            "hostile-1.0-py3-none-win32.whl",
        ]
    )


# METADATA and WHEEL.


@_kind("METADATA: missing or empty")
def _(draft: Draft, random: random.Random) -> None:
    if random.random() < 0.5:
        draft.info.pop("METADATA", None)
    else:
        draft.info["METADATA"] = random.choice([b"", b"\n", b"\0" * 100])


@_kind("METADATA: encoding")
def _(draft: Draft, random: random.Random) -> None:
    honest = draft.info.get("METADATA", b"")
    draft.info["METADATA"] = random.choice(
        [
            b"\xef\xbb\xbf" + honest,
            honest.decode("latin-1").encode("utf-16"),
            honest + b"Summary: caf\xe9\n",
            honest.replace(b"\n", b"\r\n"),
            honest.replace(b"\n", b"\r"),
            honest + b"Summary: \xff\xfe\x00\n",
            honest + b"\n\xff\xfe body\n",
        ]
    )


@_kind("METADATA: fields")
def _(draft: Draft, random: random.Random) -> None:
    honest = draft.info.get("METADATA", b"")
    draft.info["METADATA"] = random.choice(
        [
            honest.replace(b"Name: hostile", b"Name: other"),
            honest.replace(b"Name: hostile", b"Name: Hostile"),
            honest.replace(b"Version: 1.0", b"Version: 2.0"),
            honest.replace(b"Version: 1.0", b"Version: not a version"),
            honest.replace(b"Name: hostile\n", b""),
            honest.replace(b"\nVersion: 1.0", b""),
            honest.replace(b"Metadata-Version: 2.1\n", b""),
            honest.replace(b"Metadata-Version: 2.1", b"Metadata-Version: 99.0"),
            honest + b"Name: hostile\n",
            honest + b"Requires-Python: >=4\n",
            honest + b"Requires-Python: nonsense\n",
            honest + b"Requires-Dist: not a requirement (((\n",
            honest + b"Requires-Dist: absent>=1\n",
            honest + b"Classifier: x\n" * 20000,
            b"no header at all",
        ]
    )


@_kind("WHEEL: missing, empty or of another version")
def _(draft: Draft, random: random.Random) -> None:
    honest = draft.info.get("WHEEL", b"")
    text = random.choice(
        [
            None,
            b"",
            honest.replace(b"1.0", b"1.9"),
            honest.replace(b"1.0", b"2.0"),
            honest.replace(b"1.0", b"x"),
            honest.replace(b"1.0", b"1." + b"9" * 5000),
            honest + b"Wheel-Version: 1.0\n",
            honest.replace(b"Root-Is-Purelib: true", b"Root-Is-Purelib: maybe"),
            honest.replace(b"Root-Is-Purelib: true", b"Root-Is-Purelib: false"),
            honest.replace(b"py3-none-any", b"cp27-cp27m-win32"),
            b"\xff\xfe" + honest,
            honest.replace(b"\n", b"\r\n"),
        ]
    )
    if text is None:
        draft.info.pop("WHEEL", None)
    else:
        draft.info["WHEEL"] = text


# Entry points.


@_kind("entry points: names")
def _(draft: Draft, random: random.Random) -> None:
    name = random.choice(
        [
            "../x",
            "/tmp/x",
            "a/b",
            "a\\b",
            "python",
            "python3",
            "pip",
            "activate",
            "nixgen-venv",
            "x" * 300,
            "",
            ".",
            "..",
            "-x",
            "a b",
            "$(id)",
            "${x}",
            "'",
            '"',
            "café",
            "\u202e",
            "a:b",
            "#x",
            "A",
            ".hidden",
        ]
    )
    group = random.choice(["console_scripts", "gui_scripts"])
    draft.info["entry_points.txt"] = f"[{group}]\n{name} = hostile.module:main\n".encode()


@_kind("entry points: references")
def _(draft: Draft, random: random.Random) -> None:
    reference = random.choice(
        [
            "hostile.module",
            "hostile.module:",
            ":main",
            "hostile.module:main.x.y",
            "hostile.module:main()",
            "hostile.module:main [extra]",
            "hostile.module:main[",
            "hostile.module : main",
            "hostile.module:import",
            "class:main",
            "os; import sys:main",
            "hostile..module:main",
            "hostile.module:main:main",
            "",
            "hostile.módule:main",
            "a" * 5000 + ":b",
            "hostile.module:main\n  more",
            "hostile.module:main # comment",
        ]
    )
    draft.info["entry_points.txt"] = f"[console_scripts]\nhostile = {reference}\n".encode()


@_kind("entry points: the file")
def _(draft: Draft, random: random.Random) -> None:
    line = b"x = hostile.module:main\n"
    draft.info["entry_points.txt"] = random.choice(
        [
            b"",
            line,
            b"[console_scripts",
            b"[console_scripts]\n" + line + line,
            b"[console_scripts]\n" + line + b"x = hostile:main\n",
            b"[console_scripts]\n" + line + b"[gui_scripts]\n" + line,
            b"[console_scripts]\n" + line + b"[console_scripts]\ny = hostile.module:main\n",
            b"\xef\xbb\xbf[console_scripts]\n" + line,
            b"[console_scripts]\r\nx = hostile.module:main\r\n",
            b"[console_scripts]\n\xff = hostile.module:main\n",
            b"[console_scripts]\nx: hostile.module:main\n",
            b"[console_scripts]\nX = hostile.module:main\n" + line,
            b"[DEFAULT]\n" + line + b"[console_scripts]\n",
            b"[console_scripts]\n%(x)s = hostile.module:main\n",
            b"[console_scripts]\n" + b"".join(b"c%d = hostile.module:main\n" % index for index in range(500)),
            b"[" + b"g" * 10000 + b"]\n" + line,
            b"\0",
        ]
    )


# The .data directory.


@_kind(".data: schemes")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(
        random.choice(
            [
                f"{DATA}/purelib/hostile/pure.py",
                f"{DATA}/platlib/hostile/plat.py",
                f"{DATA}/headers/hostile.h",
                f"{DATA}/scripts/run",
                f"{DATA}/scripts/deep/run",
                f"{DATA}/data/share/hostile/x",
                f"{DATA}/data/etc/x",
                f"{DATA}/data/bin/run",
                f"{DATA}/data/bin/deep/run",
                f"{DATA}/data/include/x.h",
                f"{DATA}/data/lib/libx.so",
            ]
        ),
        random.choice([b"#!python\nprint(1)\n", b"#!pythonw -x\n", b"#!/bin/sh\n", b"x"]),
    )


@_kind(".data: unknown scheme or another directory")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(
        random.choice(
            [
                f"{DATA}/stdlib/x.py",
                f"{DATA}/Scripts/x",
                f"{DATA}/x",
                f"{DATA}/scripts",
                f"{DATA}/platstdlib/x.py",
                "other-1.0.data/scripts/x",
                "Hostile-1.0.data/scripts/x",
                "hostile-1.0.0.data/data/x",
                "hostile.data/x",
                "x.data/y",
                ".data/scripts/x",
            ]
        )
    )


@_kind(".data: the environment itself")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(
        random.choice(
            [
                f"{DATA}/data/.lock",
                f"{DATA}/data/bin/python3/x",
                f"{DATA}/data/bin/python3",
                f"{DATA}/data/bin/python3.11",
                f"{DATA}/data/bin/activate",
                f"{DATA}/data/bin/Activate.fish",
                f"{DATA}/scripts/python",
                f"{DATA}/scripts/activate",
                f"{DATA}/scripts/nixgen-venv",
                f"{DATA}/scripts/nixgen-venv/x",
                f"{DATA}/data/lib/python3.11",
                f"{DATA}/data/lib/python3.11/x.py",
                f"{DATA}/data/lib/python3.11/site-packages",
                f"{DATA}/data/lib/python3.9/site-packages/x.py",
                f"{DATA}/data/lib/python3/x",
                f"{DATA}/data/lib64/x",
                f"{DATA}/data/lib",
                f"{DATA}/data/bin",
                f"{DATA}/data/include",
                f"{DATA}/data/include/python3.11",
                f"{DATA}/data/share",
                f"{DATA}/data/pyvenv.cfg",
                f"{DATA}/data/PYVENV.CFG",
                f"{DATA}/data/nix-support/setup-hook",
                f"{DATA}/data/nix-support/propagated-build-inputs",
                f"{DATA}/data/.nixgen/x",
                f"{DATA}/data/.nixgen-x",
                f"{DATA}/headers/x/y.h",
                f"{DATA}/purelib/sitecustomize.py",
                f"{DATA}/purelib/usercustomize/__init__.py",
            ]
        )
    )


@_kind(".data: two files for one place")
def _(draft: Draft, random: random.Random) -> None:
    first, second = random.choice(
        [
            ("hostile/two.py", f"{DATA}/purelib/hostile/two.py"),
            (f"{DATA}/platlib/hostile/two.py", f"{DATA}/purelib/hostile/two.py"),
            ("hostile/two.py", f"{DATA}/data/lib/python3.11/site-packages/hostile/two.py"),
            (f"{DATA}/scripts/two", f"{DATA}/data/bin/two"),
            (f"{DATA}/scripts/two", f"{DATA}/scripts/Two"),
            (f"{DATA}/data/two", f"{DATA}/data/two/three"),
            (f"{DATA}/scripts/two", f"{DATA}/data/bin/two/three"),
            ("hostile/two", f"{DATA}/purelib/hostile/two/x.py"),
            (f"{DATA}/headers/x.h", f"{DATA}/data/include/site/python3.11/hostile/x.h"),
        ]
    )
    draft.add(first, b"#!python\n")
    draft.add(second, random.choice([b"#!python\n", b"other"]))


@_kind(".data: a script that an entry point makes")
def _(draft: Draft, random: random.Random) -> None:
    script = random.choice(
        ["hostile", "Hostile", "hostile.exe", "hostile-script.py", "hostile/x", "hostile-script.pyw"]
    )
    draft.add(f"{DATA}/{random.choice(['scripts', 'data/bin'])}/{script}", b"#!python\n")
    draft.info["entry_points.txt"] = b"[console_scripts]\nhostile = hostile.module:main\n"


# Files.


@_kind("files: sources that do not compile")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(
        random.choice(["hostile/bad.py", f"{DATA}/purelib/bad.py", "hostile/__init__.pyi"]),
        random.choice(
            [
                b"def (:\n",
                b"\0\0\0",
                b"\xff\xfe",
                b"# coding: nonsense\n",
                b"# coding: utf-16\nx = 1\n",
                b"# coding: rot13\nx = 1\n",
                b"(" * 300,
                b"(" * 100000,
                b"x = " + b"-" * 50000 + b"1\n",
                b"x = " + b"1+" * 50000 + b"1\n",
                b"x" + b".x" * 50000 + b"\n",
                b"".join(b" " * depth + b"if 1:\n" for depth in range(120)),
                b"x = '\\N{NO SUCH}'\n",
                b"x = " + b"9" * 10000 + b"\n",
                b"return 1\n",
                b"'\\d'\nx is 1\nassert (1, 2)\n",
                b"\xef\xbb\xbfx = 1\n",
                b"\x0c\nx = 1\r\ny = 2\rz = 3",
            ]
        ),
    )


@_kind("files: huge sources")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(
        "hostile/huge.py",
        random.choice(
            [
                b"x = 1\n" * 200000,
                b"#" * 5_000_000,
                b"x = '" + b"y" * 5_000_000 + b"'\n",
                b"x = [" + b"1, " * 300000 + b"]\n",
                b"def f(): pass\n" * 30000,
            ]
        ),
    )


@_kind("files: empty")
def _(draft: Draft, random: random.Random) -> None:
    for name in random.choice(
        [
            ("hostile/py.typed",),
            ("hostile/empty.py",),
            ("empty/__init__.py", "empty/a.py", "empty/b.so"),
            (f"{DATA}/scripts/empty",),
            (f"{DATA}/data/share/empty",),
            (f"{DIST_INFO}/empty",),
        ]
    ):
        draft.add(name, b"").method = random.choice([STORED, DEFLATED])


@_kind("files: modes")
def _(draft: Draft, random: random.Random) -> None:
    mode = random.choice([0o100755, 0o104755, 0o102755, 0o101777, 0o100000, 0o100111, 0o755, 0, 0o100444])
    for member in draft.members if random.random() < 0.5 else [_victim(draft, random)]:
        member.mode = mode


@_kind("files: programs")
def _(draft: Draft, random: random.Random) -> None:
    elf = b"\x7fELF\x02\x01\x01" + bytes(9)
    draft.add(
        random.choice(["hostile/program", "hostile/x.so", f"{DATA}/scripts/program", "hostile/x.cpython-311-x.so"]),
        random.choice(
            [
                elf,
                elf + b"\x02\x00\x3e\x00" + b"\xff" * 44,
                elf + b"\x03\x00\x3e\x00" + b"\x00" * 100,
                b"\x7fELF",
                b"\x7fELF\x01\x02" + b"\xff" * 60,
                b"\xcf\xfa\xed\xfe" + b"\xff" * 60,
                b"\xca\xfe\xba\xbe\x00\x00\xff\xff",
                b"#!",
                b"#!\n",
                b"#!/usr/bin/env python\nprint()\n",
                b"#!" + b"x" * 5000 + b"\n",
                b"#!python" + b"\xff" * 10 + b"\n",
                b"#!python",
            ]
        ),
        random.choice([0o100644, 0o100755]),
    )


@_kind("files: symbolic links")
def _(draft: Draft, random: random.Random) -> None:
    target = random.choice([f"/tmp/{draft.marker()}", "../../..", "module.py", "link", "/etc/passwd", ""])
    draft.add("hostile/link", target.encode(), 0o120777)
    if random.random() < 0.5:
        draft.add(f"hostile/link/{draft.marker()}")


@_kind("files: devices and pipes")
def _(draft: Draft, random: random.Random) -> None:
    draft.add("hostile/device", b"", random.choice([0o10644, 0o20644, 0o60644, 0o140644, 0o40755, 0o160000, 0o170000]))


@_kind("files: many")
def _(draft: Draft, random: random.Random) -> None:
    count, directories = random.choice([(400, 1), (400, 400), (1500, 30)])
    for index in range(count):
        draft.add(f"many/d{index % directories}/f{index}.txt", str(index).encode())


@_kind("files: one content everywhere")
def _(draft: Draft, random: random.Random) -> None:
    for name in ("same.py", "same.txt", "same/same.py", f"{DATA}/scripts/same", f"{DATA}/data/same"):
        draft.add(name, b"#!python\nsame = 1\n", random.choice([0o100644, 0o100755]))


@_kind("files: modules of the installation itself")
def _(draft: Draft, random: random.Random) -> None:
    name = random.choice(
        ["sitecustomize.py", "usercustomize.py", "os.py", "json/__init__.py", "hostile.pth", "zipfile.py", "index.py"]
    )
    text = f"import os; open('/tmp/{draft.marker()}', 'w').close()\n"
    draft.add(random.choice([name, f"{DATA}/purelib/{name}"]), text.encode())


@_kind("files: sources that look for themselves")
def _(draft: Draft, random: random.Random) -> None:
    draft.add(
        random.choice(["hostile/where.py", "hostile/__init__/x.py", "where.py"]),
        random.choice(
            [
                b"from pathlib import Path\nHERE = Path(__file__).resolve()\n",
                b"from pathlib import Path\nHERE = Path(__file__).resolve(" + b"(" * 200 + b"\n",
                b"import os\nos.path.realpath(__file__)\n\0",
                b"from . import nothing\nfrom .... import more\nimport os; os.path.realpath(nothing.__file__)\n",
            ]
        ),
    )
    for name in random.choice(
        [("package.json", "index.js"), ("lib/modules", "release"), ("static/index.html", "x.js")]
    ):
        draft.add(f"hostile/{name}", random.choice([b"{}", b"{", b"\xff", b'{"main": []}', b"[]", b"[" * 100000]))


def hash_of(name: bytes, key: float) -> int:
    """Return a number that orders names, the same in every process."""
    return random.Random(f"{key} {name!r}").getrandbits(32)
