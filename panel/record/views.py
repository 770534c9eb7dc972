"""The newest checkpoint, for anyone who keeps one: witnesses, verifiers, mirrors."""

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from panel.core.errors import NotFound
from panel.core.pages import Reading, page
from panel.record import queries


@page("record.checkpoint", public=True)
def checkpoint(reading: Reading) -> Response:
    """Answer with the newest published checkpoint, a signed note in plain text."""
    newest = queries.newest_checkpoint(reading.db)
    if newest is None:
        raise NotFound
    return PlainTextResponse(newest.note, headers={"cache-control": "public, max-age=10"})


routes = [Route("/record/checkpoint", checkpoint, methods=["GET"], name="record.checkpoint")]
