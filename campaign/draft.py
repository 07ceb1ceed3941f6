"""A wheel before it is written: honest, until a mutation changes it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from campaign.archive import Ending, Member, write

Row = tuple[str, ...]

#: The distribution of every wheel.
NAME = "hostile"
VERSION = "1.0"
DIST_INFO = f"{NAME}-{VERSION}.dist-info"
DATA = f"{NAME}-{VERSION}.data"


@dataclass(kw_only=True)
class Draft:
    """A wheel to be.

    Attributes:
        seed: what its content and the places that mutations try to reach are named for.
        filename: the wheel's.
        members: the files, but for those of its own ``.dist-info``.
        dist_info: the directory's name.
        info: files of that directory, but for RECORD.
        record: whether there is one.
        rows: changes of RECORD's rows.
        texts: changes of RECORD's bytes.
        ending: what stands around the members.
        order: changes of the order of all members, with RECORD last.
        after: changes of the finished archive.
    """

    seed: int
    filename: str = f"{NAME}-{VERSION}-py3-none-any.whl"
    members: list[Member]
    dist_info: str = DIST_INFO
    info: dict[str, bytes]
    record: bool = True
    rows: list[Callable[[list[Row]], list[Row]]] = field(default_factory=list)
    texts: list[Callable[[bytes], bytes]] = field(default_factory=list)
    record_member: list[Callable[[Member], None]] = field(default_factory=list)
    order: list[Callable[[list[Member]], list[Member]]] = field(default_factory=list)
    ending: Ending = field(default_factory=Ending)
    after: list[Callable[[bytes], bytes]] = field(default_factory=list)

    @classmethod
    def honest(cls, seed: int) -> Draft:
        """Return a small wheel that every installer takes, of content that is its seed's own."""
        return cls(
            seed=seed,
            members=[
                Member(name=b"hostile/__init__.py", content=f"seed = {seed}\n".encode()),
                Member(name=b"hostile/module.py", content=b"def main():\n    return 0\n" * 8),
                Member(name=b"hostile/data.txt", content=b"honest words, many times\n" * 20),
            ],
            info={
                "METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n".encode(),
                "WHEEL": b"Wheel-Version: 1.0\nGenerator: campaign\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            },
        )

    def add(self, name: str | bytes, content: bytes = b"x = 1\n", mode: int = 0o100644) -> Member:
        """Add a file and return it."""
        raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
        member = Member(name=raw, content=content, mode=mode)
        self.members.append(member)
        return member

    def marker(self) -> str:
        """Return the name of what mutations try to put where it does not belong."""
        return f"nixgen-campaign-{self.seed}"

    def to_bytes(self) -> bytes:
        """Return the wheel."""
        members = list(self.members)
        members += [Member(name=f"{self.dist_info}/{name}".encode(), content=text) for name, text in self.info.items()]
        if self.record:
            members.append(self._record(members))
        for change in self.order:
            members = change(members)
        content = write(members, self.ending)
        for patch in self.after:
            content = patch(content)
        return content

    def _record(self, members: list[Member]) -> Member:
        rows: list[Row] = [row(member.path, member.content) for member in members if not member.name.endswith(b"/")]
        own = f"{self.dist_info}/RECORD"
        rows.append((own, "", ""))
        for change in self.rows:
            rows = change(rows)
        text = "".join(",".join(_quoted(cell) for cell in cells) + "\n" for cells in rows)
        content = text.encode("utf-8", "surrogatepass")
        for patch in self.texts:
            content = patch(content)
        record = Member(name=own.encode(), content=content)
        for alter in self.record_member:
            alter(record)
        return record


def row(path: str, content: bytes, algorithm: str = "sha256") -> Row:
    """Return the row of RECORD for a file."""
    digest = hashlib.new(algorithm, content).digest()
    return path, f"{algorithm}={base64.urlsafe_b64encode(digest).decode().rstrip('=')}", str(len(content))


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n\r') else cell
