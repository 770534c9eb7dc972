"""A witness, for another organisation to run: over HTTP, or by files."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from panel.cli.record import Locale, usage
from panel.core import clock, log
from panel.core.errors import Reason, Refused
from panel.core.files import write_whole
from panel.core.i18n import DEFAULT_LOCALE, Translator, translator
from panel.record import checkpoint, merkle, tiles
from panel.record.commitment import encode64
from panel.record.cosignature import witness_key
from panel.record.note import BadNote, CheckpointText, VerifierKey, parted
from panel.verify.report import unreadable
from panel.verify.witness import LARGEST, OK, Answer, Witness
from panel.verify.witness import Request as Asked

KeyFile = Annotated[Path, typer.Option(help="The witness's key.")]
Logs = Annotated[list[str], typer.Option(help="A log's public key; once for each key that is trusted.")]
State = Annotated[Path, typer.Option(help="Where it keeps the last checkpoints, and evidence.")]

witness = typer.Typer(no_args_is_help=True)


@witness.command("key")
def make_key(
    file: Annotated[Path, typer.Argument(help="The file to make.")],
    name: Annotated[str, typer.Option(help="The witness's name, such as an address without https://.")],
    locale: Locale = DEFAULT_LOCALE,
) -> None:
    """Make a witness's key, and print its public half for the log's operator."""
    words = translator(locale)
    try:
        typer.echo(str(witness_key(checkpoint.make_key(file, name))))
    except BadNote as bad:
        usage(words.reason(Reason(str(bad))))
    except OSError as problem:
        usage(words.reason(unreadable(file, problem.strerror or "")))


@witness.command("serve")
def serve(
    key: KeyFile, log_key: Logs, state: State,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8001,
    locale: Locale = DEFAULT_LOCALE,
) -> None:  # fmt: skip
    """Answer logs that ask for a cosignature (C2SP tlog-witness: POST /add-checkpoint)."""
    log.configure()
    app = application(_witness(key, log_key, state, translator(locale)))
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)


@witness.command("check")
def check(
    mirror: Annotated[Path, typer.Argument(help="A folder that mirrors the log: checkpoint and tiles.")],
    key: KeyFile, log_key: Logs, state: State,
    to: Annotated[Path, typer.Option(help="The file for the cosignature.")],
    locale: Locale = DEFAULT_LOCALE,
) -> None:  # fmt: skip
    """Follow a log by files alone: prove from its tiles that it has only grown, and cosign its checkpoint."""
    words = translator(locale)
    follower = _witness(key, log_key, state, words)
    try:
        answer = followed(follower, mirror)
        typer.echo(answer.body.rstrip("\n"), err=answer.status != OK)
        if answer.status == OK:
            write_whole(to, answer.body.encode())
    except OSError as problem:
        usage(words.reason(unreadable(Path(problem.filename or mirror), problem.strerror or "")))
    raise typer.Exit(0 if answer.status == OK else 1)


def followed(follower: Witness, mirror: Path) -> Answer:
    """Ask a witness to follow a mirrored log; the proof is made from the log's own tiles."""
    note = (mirror / "checkpoint").read_text(encoding="utf-8")
    stated = CheckpointText.parse(parted(note)[0])
    before = follower.last(stated.origin)
    old = CheckpointText.parse(parted(before)[0]).size if before else 0
    proof: list[bytes] = []
    if 0 < old < stated.size:
        source = tiles.source(lambda tile: (mirror / tile.path).read_bytes(), stated.size)
        proof = merkle.consistency_proof(old, stated.size, source)
    lines = "".join(f"{line}\n" for line in (f"old {old}", *map(encode64, proof)))
    return follower.answer(str(Asked.parse(f"{lines}\n{note}")), int(clock.now().timestamp()))


def application(follower: Witness) -> Starlette:
    """Return the witness as a web application."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                return PlainTextResponse("The request is too large.\n", status_code=413)
        now = int(clock.now().timestamp())
        answer = await run_in_threadpool(follower.answer, body.decode(errors="replace"), now)
        return Response(answer.body, status_code=answer.status, media_type=answer.media_type)

    async def who(request: Request) -> Response:
        return PlainTextResponse(f"{witness_key(follower.key)}\n")

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"]), Route("/", who)])


def _witness(key: Path, logs: list[str], state: Path, words: Translator) -> Witness:
    try:
        state.mkdir(parents=True, exist_ok=True)
        return Witness(checkpoint.read_key(key), [VerifierKey.parse(each) for each in logs], state)
    except BadNote as bad:
        usage(words.reason(Reason(str(bad))))
    except Refused as refused:
        usage(words.reason(refused.reason))
    except OSError as problem:
        usage(words.reason(unreadable(Path(problem.filename or key), problem.strerror or "")))
