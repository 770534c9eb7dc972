"""Filing, joining, adding to and withdrawing dissents: HTTP in, page out."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from panel.core import hooks
from panel.core.pages import Acting, act
from panel.dissents import actions, queries
from panel.dissents.forms import AddendumForm, DissentForm, JoiningForm, WithdrawalForm
from panel.dissents.models import Dissent


def _hearing(hearing_id: str) -> str:
    return f"/hearings/{hearing_id}#part-dissents"


@act("dissents.file", of=hooks.hearing, form=DissentForm)
async def file(acting: Acting, hearing: Any, form: DissentForm) -> Response:
    """File a dissent."""
    await acting.write(
        actions.file,
        hearing_id=hearing.id,
        kind=form.kind,
        subject_kind=form.subject_kind,
        subject_id=form.subject_id,
        consideration=form.consideration,
        text=form.text,
        waives_secrecy=bool(form.waives_secrecy),
    )
    return acting.received(_hearing(hearing.id))


@act("dissents.join", of=queries.dissent, form=JoiningForm)
async def join(acting: Acting, dissent: Dissent, form: JoiningForm) -> Response:
    """Join a dissent."""
    await acting.write(actions.join, dissent_id=dissent.id, waives_secrecy=bool(form.waives_secrecy))
    return acting.received(_hearing(dissent.hearing_id))


@act("dissents.supplement", of=queries.dissent, form=AddendumForm)
async def supplement(acting: Acting, dissent: Dissent, form: AddendumForm) -> Response:
    """Add to one's own dissent."""
    await acting.write(actions.supplement, dissent_id=dissent.id, text=form.text)
    return acting.received(_hearing(dissent.hearing_id))


@act("dissents.withdraw", of=queries.dissent, form=WithdrawalForm)
async def withdraw(acting: Acting, dissent: Dissent, form: WithdrawalForm) -> Response:
    """Withdraw one's own dissent."""
    await acting.write(actions.withdraw, dissent_id=dissent.id, reason=form.reason)
    return acting.received(_hearing(dissent.hearing_id))


routes = [
    Route("/hearings/{id}/dissents", file, methods=["POST"], name="dissents.file"),
    Route("/dissents/{id}/joinings", join, methods=["POST"], name="dissents.join"),
    Route("/dissents/{id}/addenda", supplement, methods=["POST"], name="dissents.supplement"),
    Route("/dissents/{id}/withdrawal", withdraw, methods=["POST"], name="dissents.withdraw"),
]
