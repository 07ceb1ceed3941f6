"""Archives of sources, from servers or from disk, compared with the SHA-256 that is known of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nixgen.access import Access
from nixgen.errors import InputError, VerificationError
from nixgen.model import Source
from nixgen.wheels.answers import shown
from nixgen.wheels.transport import Transport
from nixgen.wheels.verify import hash_file


def read_archives(
    sources: list[Source], directory: Path, base: Path, access: Access
) -> dict[Source, tuple[Path, str, int]]:
    """Return where the archive of each source lies, its SHA-256 and its size in bytes.

    Args:
        sources: those with a URL are downloaded, those with a path are read where they are.
        directory: where downloads go.
        base: the directory that relative paths refer to.
        access: how servers are reached.

    Raises:
        InputError: an archive on disk cannot be read.
        NetworkError: a server did not give one.
        VerificationError: one does not have the SHA-256 that is known of it.
    """
    return asyncio.run(_read_all(sources, directory, base, access))


async def _read_all(
    sources: list[Source], directory: Path, base: Path, access: Access
) -> dict[Source, tuple[Path, str, int]]:
    async with Transport(access=access) as transport:

        async def one(number: int, source: Source) -> tuple[Path, str, int]:
            if source.url is None:
                path = base / (source.path or "")
                try:
                    sha256, size = await asyncio.to_thread(hash_file, path)
                except OSError as error:
                    raise InputError(
                        f"cannot read the source: {error.strerror or error}", where=str(path), todo="put it there"
                    ) from error
            else:
                download = await transport.download(source.url, directory / str(number))
                path, sha256, size = download.path, download.sha256, download.size
            if source.sha256 not in (None, sha256):
                raise VerificationError(
                    f"the archive has SHA-256 {sha256}, expected {source.sha256}",
                    where=shown(source.url) if source.url else source.path,
                    todo="see who changed it: the lock, or what lies there",
                )
            return path, sha256, size

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {source: group.create_task(one(number, source)) for number, source in enumerate(sources)}
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return {source: task.result() for source, task in tasks.items()}
