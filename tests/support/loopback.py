"""A server on loopback that answers as long as a ``with`` lasts."""

from __future__ import annotations

import http.server
import threading
from types import TracebackType
from typing import Self


class Loopback:
    """What a server is to its tests; ``_http`` is made by whoever inherits from it."""

    _http: http.server.ThreadingHTTPServer

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        """The server's URL, without a final slash."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"
