"""The baseline of the live bench: a bare python-socketio server that broadcasts one signal to everybody."""

import sys

import socketio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

sockets = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], cors_allowed_origins="*")


async def broadcast(_request: Request) -> Response:
    """Emit one signal to every client, then answer."""
    await sockets.emit("revision", {"hearing": "bare", "revision": 1})
    return PlainTextResponse("sent")


app = socketio.ASGIApp(sockets, Starlette(routes=[Route("/broadcast", broadcast, methods=["POST"])]))


def main() -> None:
    """Serve on 127.0.0.1 and the port given as the first argument."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=False,
        log_level="warning",
        ws_per_message_deflate=False,
    )


if __name__ == "__main__":
    main()
