"""Behind a proxy as the samples set it up: sockets pass, strangers' forwarding headers do not, bodies have a limit.

nginx and Caddy themselves are tried where they can be had (`run.py test` unpacks them on Debian). Everywhere, a
stand-in obeys the header rules that the sample of nginx states; it shows that these rules and our server fit together.
"""

import os
import re
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

import run
from panel.cli.serve import server_of
from panel.core.security import DOOR_KEY
from tests.contracts.sockets import QUERY, Socket
from tests.factories import World, make_world
from tests.operation.test_doctor import certificate
from tests.operation.test_samples import SAMPLES, sample
from tests.serving import free_port, running

NAME = "heyi.example.cn"
FORGED = {"x-forwarded-for": "6.6.6.6", "x-forwarded-host": "evil.example", "forwarded": "for=6.6.6.6", DOOR_KEY: "x"}
MIB = 1024 * 1024


@dataclass
class Behind:
    """A server behind a proxy; `seen`: the requests as they came through."""

    world: World
    upstream: int
    context: ssl.SSLContext
    port: int = 0
    streams: bool = False
    """Like Caddy: bodies are passed on as they come; a host that is not its own is answered with nothing at all."""
    seen: list[Scope] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx2.Response:
        with httpx2.Client(verify=self.context, trust_env=False) as browser:
            return browser.get(
                f"https://127.0.0.1:{self.port}{path}",
                headers={"host": NAME, **headers},
                extensions={"sni_hostname": NAME},
            )

    def status_of(self, path: str, length: int) -> int:
        """Send a body of this length, as far as it is taken; return the status of the answer."""
        head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {length}\r\n\r\n"
        with (
            socket.create_connection(("127.0.0.1", self.port), 20) as plain,
            self.context.wrap_socket(plain, server_hostname=NAME) as secured,
        ):
            with suppress(OSError):
                secured.sendall(head.encode() + bytes(length))
            return int(secured.recv(4096).split()[1])


Rules = Mapping[str, str]


def rules_of_nginx() -> dict[str, str]:
    found = re.findall(r'proxy_set_header (\S+) (?:"([^"]*)"|(\S+));', sample("nginx.conf"))
    return {name.lower(): quoted or plain for name, quoted, plain in found}


def passed_on(head: bytes, rules: Rules, remote: str) -> bytes:
    """Return a request's head as nginx passes it on: headers with an empty value are left out."""
    first, *lines = head.decode("latin-1").split("\r\n")
    sent = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    upgrade = sent.get("upgrade", "")
    known = {"$host": sent["host"].partition(":")[0], "$remote_addr": remote, "$http_upgrade": upgrade,
             "$connection_upgrade": "upgrade" if upgrade else "close"}  # fmt: skip
    headers = {**sent, **{name: known.get(value, value) for name, value in rules.items()}}
    return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers.items() if value), "", ""]).encode()


@contextmanager
def stand_in(upstream: int, context: ssl.SSLContext, rules: Rules, most: int) -> Iterator[int]:
    """Run a proxy that speaks TLS and passes one request, or one socket, on each connection; yields its port."""

    class Pass(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as client:
                head, rest = _head(client)
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                if length and int(length[1]) > most:
                    client.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", upstream), 20) as server:
                    server.settimeout(None)
                    server.sendall(passed_on(head, rules, self.client_address[0]) + rest)
                    threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                    _pump(server, client)

    class Proxy(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close = True, False

    with Proxy(("127.0.0.1", 0), Pass) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy.server_address[1]
        proxy.shutdown()
        thread.join(10)


def _head(client: ssl.SSLSocket) -> tuple[bytes, bytes]:
    came = b""
    while b"\r\n\r\n" not in came:
        piece = client.recv(65536)
        if not piece:
            raise OSError("closed")
        came += piece
    head, _, rest = came.partition(b"\r\n\r\n")
    return head, rest


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def program(folder: Path, *command: str, port: int) -> Iterator[int]:
    """Run a real proxy until the block ends."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder, text=True) as process:
        try:
            for _ in range(200):
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def nginx(folder: Path, upstream: int) -> Any:
    found, port = run.tool("nginx"), free_port()
    if found is None:
        pytest.skip("nginx is not on this machine: its sample was not tried under nginx itself")
    text = sample("nginx.conf").replace("/etc/ssl/heyi/fullchain.pem", f"{folder}/cert.pem")
    text = text.replace("/etc/ssl/heyi/key.pem", f"{folder}/key.pem").replace("/var/log/nginx/", f"{folder}/")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}").replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = f"daemon off;\n{user}pid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
    config += f"http {{\naccess_log off;\n{temporary}{text}\n}}\n"
    (folder / "nginx.conf").write_text(config, encoding="utf-8")
    command = (found, "-e", "stderr", "-c", f"{folder}/nginx.conf")
    judged = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True, timeout=60)
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
    return program(folder, *command, port=port)


def caddy(folder: Path, upstream: int) -> Any:
    found, port = run.tool("caddy"), free_port()
    if found is None:
        pytest.skip("Caddy is not on this machine: its sample was not tried under Caddy itself")
    text = sample("Caddyfile").replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    text = text.replace(
        f"{NAME} {{", f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/cert.pem {folder}/key.pem"
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}", encoding="utf-8")
    for judge in (["fmt", str(SAMPLES / "Caddyfile")], ["validate", "--config", f"{folder}/Caddyfile"]):
        judged = subprocess.run([found, *judge], capture_output=True, text=True, timeout=60)
        assert judged.returncode == 0, judged.stderr
    return program(folder, found, "run", "--config", f"{folder}/Caddyfile", port=port)


@contextmanager
def served(folder: Path, template: Path) -> Iterator[tuple[Behind, ssl.SSLContext]]:
    """Serve a world whose only trusted proxy is on this machine; yields the proxy's TLS as well."""
    file, context = certificate(folder, 5, NAME)
    trusting = ssl.create_default_context(cafile=str(file))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        world = make_world(folder / "room", template, origins=(f"https://{NAME}",), trusted_proxies=("127.0.0.1",))
        world.served = True
        behind = Behind(world, listening.getsockname()[1], trusting)

        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                behind.seen.append(scope)
            await world.app(scope, receive, send)

        with running(server_of(noted, world.site.settings), listening):
            yield behind, context


@pytest.fixture(scope="module", params=["stand-in", "nginx", "caddy"])
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: Path
) -> Iterator[Behind]:
    """A server behind each proxy that there is."""
    folder = tmp_path_factory.mktemp("behind")
    with served(folder, template) as (one, context):
        real = {"nginx": nginx, "caddy": caddy}.get(request.param)
        proxy = real(folder, one.upstream) if real else stand_in(one.upstream, context, rules_of_nginx(), 22 * MIB)
        with proxy as one.port:
            one.streams = request.param == "caddy"
            yield one


def headers_of(scope: Scope) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in scope["headers"]}


def test_what_strangers_say_of_themselves_does_not_pass(behind: Behind) -> None:
    answer = behind.get("/sign-in", **FORGED)
    assert (answer.status_code, "strict-transport-security" in answer.headers) == (200, True)
    scope, headers = behind.seen[-1], headers_of(behind.seen[-1])
    assert (scope["scheme"], scope["client"][0], headers["host"]) == ("https", "127.0.0.1", NAME)
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert {"x-forwarded-host", "forwarded", DOOR_KEY.lower()} & headers.keys() == set()


def test_without_the_rules_they_would_pass(tmp_path: Path, template: Path) -> None:
    with served(tmp_path, template) as (one, context), stand_in(one.upstream, context, {"host": "$host"}, MIB) as port:
        one.port = port
        assert one.get("/sign-in", connection="close", **FORGED).status_code == 200
        assert one.seen[-1]["client"][0] == "6.6.6.6"


def test_a_socket_passes_and_is_told_what_is_new(behind: Behind) -> None:
    cookie = f"{behind.world.site.settings.cookie}={behind.world.sign_in('luo')}"
    plain = socket.create_connection(("127.0.0.1", behind.port), 20)
    with connect(
        f"wss://{NAME}/socket.io/?{QUERY}", sock=plain, ssl=behind.context, proxy=None, compression=None,
        additional_headers={"Cookie": cookie, "Origin": f"https://{NAME}"}, open_timeout=20,
    ) as connection:  # fmt: skip
        one = Socket(connection)
        assert one.wait("0") is not None
        one.send("40")
        assert one.wait("40") is not None
        assert one.ask("join", {"hearing": behind.world.hearing_id}) == {"ok": True}
    assert (behind.seen[-1]["type"], behind.seen[-1]["scheme"]) == ("websocket", "wss")


def test_bodies_have_a_limit_at_the_proxy_and_another_behind_it(behind: Behind) -> None:
    before = len(behind.seen)
    assert behind.status_of("/sign-in", 2 * MIB) == 413
    assert len(behind.seen) == before + 1
    assert behind.status_of("/sign-in", 23 * MIB) == 413
    assert len(behind.seen) == before + (2 if behind.streams else 1)


def test_another_host_is_turned_away(behind: Behind) -> None:
    answer = behind.get("/sign-in", host="evil.example")
    assert (answer.status_code, answer.content) == (200, b"") if behind.streams else answer.status_code == 421
