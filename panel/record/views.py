"""The record in public formats for anyone, and the receipts of whoever acts."""

from typing import Any

import segno
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from panel.core import hooks, words
from panel.core.errors import NotFound
from panel.core.pages import Reading, page
from panel.record import queries, tiles
from panel.record.commitment import encode64
from panel.record.models import Acknowledgement, RecordEntry
from panel.record.receipt import SUFFIX, short_form

MOST_ENTRIES = 1 << 62
"""No record is as large; a number beyond it is no size, and no database would take it."""
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


@page("record.checkpoint", public=True)
def checkpoint(reading: Reading) -> Response:
    """Answer with the newest published checkpoint, a signed note in plain text (C2SP tlog-checkpoint)."""
    newest = queries.newest_checkpoint(reading.db)
    if newest is None:
        raise NotFound
    return PlainTextResponse(queries.cosigned(reading.db, newest), headers={"cache-control": "public, max-age=10"})


@page("record.tile", public=True)
def tile(reading: Reading) -> Response:
    """Answer with a tile of the published tree, or the leaves below one (C2SP tlog-tiles); it never changes."""
    found = tiles.parse(f"tile/{reading.request.path_params['path']}")
    if found is None or queries.checkpoint_of(reading.db, found.size) is None:
        raise NotFound
    content = tiles.content(reading.db, found)
    return Response(content, media_type="application/octet-stream", headers=FOR_EVER)


@page("record.keys", public=True)
def keys(reading: Reading) -> Response:
    """Answer with the log's public keys, one a line, the newest first: their own word, to be compared with print."""
    lines = [f"{one.key}\n" for one in queries.log_keys(reading.db)]
    return PlainTextResponse("".join(lines), headers={"cache-control": "public, max-age=60"})


@page("record.timestamp", public=True)
def timestamp(reading: Reading) -> Response:
    """Answer with the authority's timestamp over the checkpoint of a size (RFC 3161), where there is one."""
    size = reading.request.path_params["size"]
    found = queries.timestamp(reading.db, size) if size < MOST_ENTRIES else None
    if found is None:
        raise NotFound
    return Response(found.token, media_type="application/timestamp-reply", headers=FOR_EVER)


@page("record.receipts")
def receipts(reading: Reading) -> Response:
    """List what I can have receipts of (我的凭证)."""
    mine = queries.acknowledgements(reading.db, reading.me.person_id)
    titles = {token: hooks.stream_title(reading.db, token) for token in {entry.stream for _, entry in mine}}
    newest = queries.newest_checkpoint(reading.db)
    told = [(of, _told(reading, entry, titles[entry.stream])) for of, entry in mine]
    return reading.render("record/receipts.html", mine=told, size=newest.size if newest else 0)


@page("record.receipt", of=queries.acknowledgement)
def show_receipt(reading: Reading, of: Acknowledgement) -> Response:
    """Show one receipt: what it says, where it stands, its short form as a picture to scan."""
    entry, receipt = _own(reading, of), queries.receipt(reading.db, of)
    newest = queries.newest_checkpoint(reading.db)
    assert newest is not None or receipt is None
    short = short_form(newest.origin, of.index, entry.leaf_hash) if receipt and newest else ""
    return reading.render(
        "record/receipt.html",
        of=of,
        told=_told(reading, entry, hooks.stream_title(reading.db, entry.stream)),
        leaf_hash=encode64(entry.leaf_hash),
        checkpoint=newest if receipt else None,
        root=encode64(newest.root) if receipt and newest else "",
        short=short,
        code=segno.make(short, error="m", micro=False).svg_data_uri(scale=4, border=2) if short else "",
    )


@page("record.receipt", of=queries.acknowledgement)
def receipt_file(reading: Reading, of: Acknowledgement) -> Response:
    """Hand out a receipt as a file (C2SP tlog-proof)."""
    entry, receipt = _own(reading, of), queries.receipt(reading.db, of)
    if receipt is None:
        raise NotFound
    name = f"heyi-{entry.index}{SUFFIX}"
    return PlainTextResponse(str(receipt), headers={"content-disposition": f'attachment; filename="{name}"'})


def _own(reading: Reading, of: Acknowledgement) -> RecordEntry:
    """Return the entry of one's own acknowledgement; anybody else's answers like a missing one."""
    found = queries.entry(reading.db, of.index)
    if of.person_id != reading.me.person_id or found is None:
        raise NotFound
    return found[0]


def _told(reading: Reading, entry: RecordEntry, case: str) -> dict[str, Any]:
    return {"index": entry.index, "kind": words.EVENTS[entry.kind], "time": entry.time, "case": case}


routes = [
    Route("/record/checkpoint", checkpoint, methods=["GET"], name="record.checkpoint"),
    Route("/record/tile/{path:path}", tile, methods=["GET"], name="record.tile"),
    Route("/record/keys", keys, methods=["GET"], name="record.keys"),
    Route("/record/timestamp/{size:int}", timestamp, methods=["GET"], name="record.timestamp"),
    Route("/receipts", receipts, methods=["GET"], name="record.receipts"),
    Route("/receipts/{id}", show_receipt, methods=["GET"], name="record.receipt"),
    Route("/receipts/{id}/file", receipt_file, methods=["GET"], name="record.receipt_file"),
]
