"""A server that does not wait for ever: the head of a request has to come whole, soon, and not too large."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
HEAD_BYTES = 64 * 1024


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on heads: a connection that dribbles header lines is closed (slow loris)."""

    head_seconds = HEAD_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Begin to wait for the first request's head."""
        super().connection_made(transport)
        self._coming, self._timer = 0, self.loop.call_later(self.head_seconds, self._give_up)
        self._waiting = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._timer.cancel()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Stop waiting: the head is whole."""
        self._timer.cancel()
        self._coming, self._waiting = 0, False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what came. Between two requests a new wait begins; too many bytes without a whole head end it."""
        if not self._waiting and self.cycle.response_complete:
            self._waiting, self._timer = True, self.loop.call_later(self.head_seconds, self._give_up)
        super().data_received(data)
        self._coming = self._coming + len(data) if self._waiting else 0
        if self._coming > HEAD_BYTES:
            self._give_up()

    def _give_up(self) -> None:
        self._timer.cancel()
        if not self.transport.is_closing():
            self.transport.abort()
