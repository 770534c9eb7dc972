"""What is open to everybody is carried by a cache: readers do not reach the server, and nobody's own page is kept.

Under a stand-in that knows nothing but what the answers say of themselves (RFC 9111), as any cache in between does, and
under nginx with our sample. There is no live page for the public yet: what it has are summaries and the record.
"""

import asyncio
import http.client
import os
import re
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import run
from panel.cli.serve import server_of
from panel.publication import actions as publication
from tests.contracts.conftest import decide, end
from tests.contracts.walk import Walk
from tests.factories import make_world
from tests.operation.test_doctor import certificate
from tests.operation.test_proxies import program
from tests.operation.test_samples import sample
from tests.serving import free_port, running

NAME, OPEN = "heyi.example.cn", "open.heyi.example.cn"
READERS, AT_ONCE = 2000, 4
LANGUAGES = ("zh-CN,zh;q=0.9", "en-GB,en;q=0.8")
ELSEWHERE = ("fr-FR, en;q=0.7", " de , zh-TW", "pt,es;q=0.5")
PUBLIC = re.compile(r"/public(/.*)?|/how-to-verify|/verify/heyi-verify\.html|/record/.*|/static/.*")


class Cache:
    """Keeps what says that it may be kept, for as long as it says, by address and by what it varies with."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._one_at_a_time = app, asyncio.Lock()
        self._varies: dict[str, tuple[str, ...]] = {}
        self._kept: dict[tuple[str, ...], tuple[float, list[Message]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        async with self._one_at_a_time:
            until, messages = self._kept.get(self._key(request), (0.0, []))
            if until <= time.monotonic():
                messages = await self._ask(request, receive)
        for message in messages:
            await send({**message})

    def _key(self, request: Request) -> tuple[str, ...]:
        address = f"{request.url.path}?{request.url.query}"
        return address, *(request.headers.get(name, "") for name in self._varies.get(address, ()))

    async def _ask(self, request: Request, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def noted(message: Message) -> None:
            messages.append(message)

        await self._app(request.scope, receive, noted)
        headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
        age = re.fullmatch(r"public, max-age=(\d+)(, immutable)?", headers["cache-control"])
        if age and "set-cookie" not in headers:
            self._varies[f"{request.url.path}?{request.url.query}"] = tuple(headers.get("vary", "").split(", "))
            self._kept[self._key(request)] = time.monotonic() + int(age[1]), messages
        return messages


@dataclass
class Behind:
    """A published case behind a cache; `asked` counts, by path, what reached the server, `cookies` what was told it."""

    walk: Walk
    context: ssl.SSLContext
    port: int = 0
    real: bool = False
    away: bool = False
    """The server answers as a proxy does for one that is not there."""
    asked: Counter[str] = field(default_factory=Counter)
    cookies: list[str] = field(default_factory=list)

    def counting(self, app: ASGIApp) -> ASGIApp:
        """Return the application with a count in front; a summary that holds for a minute holds for a second here."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start" and scope["path"] == self.summary:
                    short = [(n, v.replace(b"max-age=60", b"max-age=1")) for n, v in message["headers"]]
                    message = {**message, "headers": short}
                await send(message)

            if scope["type"] == "http":
                self.asked[scope["path"]] += 1
                self.cookies += [value.decode() for name, value in scope["headers"] if name == b"cookie"]
            answering = PlainTextResponse("away", 503) if self.away and scope["type"] == "http" else app
            await answering(scope, receive, sent)

        return counted

    @property
    def summary(self) -> str:
        """The published summary's address."""
        return f"/public/{self.walk.slug}"

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if self.real:
            plain = socket.create_connection(("127.0.0.1", self.port), 60)
            connection.sock = self.context.wrap_socket(plain, server_hostname=OPEN)
        return connection

    def get(self, path: str, **headers: str) -> "Answer":
        with closing(self.connection()) as connection:
            return get(connection, path, **headers)

    def cookie(self, who: str) -> str:
        return f"{self.walk.world.site.settings.cookie}={self.walk.world.sign_in(who)}"

    def public(self) -> list[str]:
        """Return what the public has: pages, the entry of a publication, the record, a style sheet."""
        home = self.get("/public").body.decode()
        style = re.findall(r'"(/static/css/base\.css\?v=[0-9a-f]{12})"', home)[0]
        until = time.monotonic() + 60  # the server signs its first checkpoint in its own time
        while (signed := self.get("/record/checkpoint")).status == 404 and time.monotonic() < until:
            time.sleep(0.1)
        size = int(signed.body.split(b"\n")[1])
        tile = f"/record/tile/0/000.p/{size}"
        return ["/public", self.summary, f"{self.summary}/entry", "/how-to-verify", "/record/checkpoint", tile, style]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def get(connection: http.client.HTTPConnection, path: str, **headers: str) -> Answer:
    """Ask on a connection that stays open."""
    connection.request("GET", path, headers={"Host": OPEN, **headers})
    answer = connection.getresponse()
    return Answer(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())


def nginx(folder: Path, upstream: int, port: int) -> tuple[str, ...]:
    """Write the two samples as one configuration for this machine; returns the command that serves it."""
    found = run.tool("nginx")
    if found is None:
        pytest.skip("nginx is not on this machine: the sample of a cache was not tried under nginx itself")
    text = sample("nginx.conf") + sample("nginx-cache.conf")
    for here, there in (
        ("/etc/ssl/heyi/fullchain.pem", f"{folder}/cert.pem"), ("/etc/ssl/heyi/key.pem", f"{folder}/key.pem"),
        ("/var/log/nginx/", f"{folder}/"), ("/var/cache/nginx/heyi", f"{folder}/kept"),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"), ("listen 443", f"listen 127.0.0.1:{port}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
    ):  # fmt: skip
        text = text.replace(here, there)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = f"daemon off;\n{user}pid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
    config += f"http {{\naccess_log off;\n{temporary}{text}\n}}\n"
    (folder / "nginx.conf").write_text(config, encoding="utf-8")
    command = (found, "-e", "stderr", "-c", f"{folder}/nginx.conf")
    judged = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True, timeout=60)
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")
    return command


def published(folder: Path, template: Path) -> Walk:
    """Bring a case to its published summary, in a world that knows both addresses."""
    origins = (f"https://{NAME}", f"https://{OPEN}")
    world = make_world(folder / "room", template, origins=origins, trusted_proxies=("127.0.0.1",))
    end(world)
    decide(world)
    draft = world.act(publication.compose, "secretary", case=world.case_id)
    made = world.act(publication.publish, "secretary", case=world.case_id, body_sha256=draft.body_sha256)
    world.served = True
    return Walk(world, slug=made.slug)


@contextmanager
def behind_a_cache(folder: Path, template: Path, kind: str) -> Iterator[Behind]:
    """Serve a published case behind the stand-in or behind nginx."""
    file, _ = certificate(folder, 5, OPEN)
    walk = published(folder, template)
    one = Behind(walk, ssl.create_default_context(cafile=str(file)), real=kind == "nginx")
    counted = one.counting(walk.world.app)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one.port = upstream = listening.getsockname()[1]
        front = nginx(folder, upstream, port := free_port()) if one.real else None
        app = counted if one.real else Cache(counted)
        with running(server_of(app, walk.world.site.settings), listening):
            if front is None:
                yield one
                return
            with program(folder, *front, port=port) as one.port:
                yield one


@pytest.fixture(scope="module", params=["stand-in", "nginx"])
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: Path
) -> Iterator[Behind]:
    """A published case behind each cache that there is."""
    with behind_a_cache(tmp_path_factory.mktemp("cached"), template, request.param) as one:
        yield one


def crowd(behind: Behind, paths: list[str], languages: tuple[str, ...], readers: int) -> set[tuple[str, int, bytes]]:
    """Let so many readers each read one of these addresses, half of them signed in; returns what they were shown."""
    cookies, shown, failures = [behind.cookie("chair"), "pv_locale=en; theme=dark"], set(), []

    def read(these: range) -> None:
        try:
            with closing(behind.connection()) as connection:
                for n in these:
                    path, said = paths[n % len(paths)], languages[n // len(paths) % len(languages)]
                    headers = {"Cookie": cookies[n % 2], "Accept-Language": said, "HX-Request": "true"}
                    answer = get(connection, path, **headers)
                    shown.add((path, answer.status, answer.body))
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=read, args=(range(n, readers, AT_ONCE),)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return shown


def test_thousands_of_readers_do_not_reach_the_server(behind: Behind) -> None:
    paths, began = behind.public(), time.monotonic()
    behind.asked.clear()
    shown = crowd(behind, paths, LANGUAGES, READERS)
    took = time.monotonic() - began
    print(f"{READERS} readers in {took:.1f} s; to the server came {behind.asked.total()} requests")
    assert {(path, status) for path, status, _ in shown} == {(path, 200) for path in paths}
    assert len({body for path, _, body in shown if path == "/public"}) == len(LANGUAGES)
    for path, asked in behind.asked.items():
        holds = {"/record/checkpoint": 10, behind.summary: 1}.get(path, 60)
        assert asked <= len(LANGUAGES) * (1 + took // holds), path


def test_what_is_asked_besides_makes_no_further_variants(behind: Behind) -> None:
    if not behind.real:
        pytest.skip("a cache in between keeps one variant for each Accept-Language; the sample of nginx keeps three")
    paths = [f"/public?n={n}" for n in range(50)] + ["/public?lang=zh&lang=en", "/public?lang=en&lang=zh"]
    behind.asked.clear()
    began = time.monotonic()
    for path in paths:
        assert behind.get(path, **{"Accept-Language": ELSEWHERE[0]}).status == 200
    wished = {wish: behind.get(f"/public?lang={wish}", **{"Accept-Language": "fr"}).body for wish in ("zh", "en")}
    assert wished["zh"] != wished["en"]
    assert behind.get(paths[-2]).body == wished["zh"]
    for said, language in zip(ELSEWHERE, ("en", "zh", "zh"), strict=True):
        assert (behind.get("/public", **{"Accept-Language": said}).body == wished["en"]) is (language == "en"), said
    assert behind.asked["/public"] <= 3 * (2 + (time.monotonic() - began) // 60)
    assert behind.cookies == []


def test_no_answer_to_somebody_is_kept_for_anybody(behind: Behind) -> None:
    chair = behind.cookie("chair")
    for name, path in behind.walk.visits("GET"):
        before = behind.asked.total()
        known, unknown = behind.get(path, Cookie=chair), behind.get(path)
        reached = behind.asked.total() - before
        if PUBLIC.fullmatch(path) and known.status == 200:
            assert (known.body, "set-cookie" in known.headers) == (unknown.body, False), name
        elif behind.real and not PUBLIC.fullmatch(path):
            there = "/public" if path == "/" else f"https://{NAME}{path}"
            assert (known.status, reached) == (302, 0), name
            assert known.headers["location"].endswith(there), name
        else:
            assert (known.headers["cache-control"], reached) == ("no-store", 2), name


def test_a_withdrawn_summary_leaves_the_cache(behind: Behind) -> None:
    path, world, said = behind.summary, behind.walk.world, {"Accept-Language": LANGUAGES[0]}
    assert [behind.get(path, **said).status for _ in range(3)] == [200] * 3
    world.act(publication.withdraw, "secretary", case=world.case_id, reason="决定已变更。")
    until = time.monotonic() + 30
    while behind.get(path, **said).status == 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    behind.asked.clear()
    began = time.monotonic()
    shown = crowd(behind, [path], LANGUAGES[:1], 300)
    assert {status for _, status, _ in shown} == {410}
    assert behind.asked[path] <= 2 + (time.monotonic() - began)


def test_what_is_kept_is_shown_while_the_server_is_away(behind: Behind) -> None:
    if not behind.real:
        pytest.skip("what a cache shows while the server is away is its own affair; the sample of nginx settles it")
    said = {"Accept-Language": LANGUAGES[0]}
    kept = behind.get(behind.summary, **said)
    behind.asked.clear()
    behind.away, until = True, time.monotonic() + 30
    while behind.asked[behind.summary] < 2:
        assert time.monotonic() < until
        assert behind.get(behind.summary, **said).body == kept.body
        time.sleep(0.05)
    assert behind.get(behind.summary, **said).status == kept.status
