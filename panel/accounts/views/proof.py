"""Proving anew who one is, before a grave act (ASVS 7.5.3).

The proof travels in the very form that asks for the act: what was typed is sent on with it, and nothing waits anywhere.
"""

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from panel.accounts import actions, queries
from panel.accounts.models import Person, SignInSession
from panel.accounts.passkeys import relying_party
from panel.accounts.rules import WRONG_CODE
from panel.accounts.views.desk import desk, guess
from panel.accounts.views.devices import why_not_current
from panel.accounts.views.factors import used_up
from panel.accounts.views.passkeys import why_not_own
from panel.core import log
from panel.core.errors import ProofNeeded, Reason, SignInNeeded
from panel.core.pages import Acting, Site, edge, page_before, refusal
from panel.core.security import Actor

ASKS = {"Panel-Proof": "asked"}
"""With this header a page's script sends its form again as a page of its own, on which there is room to prove it."""


async def prove(acting: Acting) -> None:
    """Take the proof that a form brings: a code or a passkey where there is a second factor, else the password.

    Raises ProofNeeded where it brings none, or a wrong one; Busy after too many.
    """
    me, typed = acting.me, str(acting.sent.get("proof", ""))
    row, person, by_code, by_passkey = await acting.ask(lambda db: _known(db, me, acting.site))
    # Another process may have taken one since: what is kept here of the session is only a hint.
    if acting.now < desk(acting.site).signed_in.proved_until(row):
        return
    if not typed:
        raise ProofNeeded(by_code=by_code, by_passkey=by_passkey)
    wrong = await _why_not(acting, person, typed, by_code=by_code)
    if wrong is not None:
        log.security("proof_failed", person=me.person_id)
        raise ProofNeeded(by_code=by_code, by_passkey=by_passkey, wrong=wrong)
    await acting.write_unkeyed(actions.prove)
    log.security("proof_given", person=me.person_id)


async def _why_not(acting: Acting, person: Person, typed: str, *, by_code: bool) -> Reason | None:
    if by_code and typed.startswith("{"):
        return await why_not_own(acting, typed)
    return await (_why_not_code(acting, person, typed) if by_code else why_not_current(acting, typed))


def _known(db: Session, me: Actor, site: Site) -> tuple[SignInSession, Person, bool, bool]:
    row = queries.sign_in_session(db, me.session)
    if row is None:
        raise SignInNeeded
    by_passkey = bool(queries.passkeys(db, me.person_id)) and relying_party(site.settings.origins) is not None
    return row, db.get_one(Person, me.person_id), queries.has_factor(db, me.person_id), by_passkey


async def _why_not_code(acting: Acting, person: Person, typed: str) -> Reason | None:
    keys = [("account", f"factor {person.id}")]
    with guess(acting.site, keys) as made:
        made.right = await used_up(acting, person, typed)
    return None if made.right else WRONG_CODE


def proof_needed(request: Request, error: ProofNeeded) -> Response:
    """Ask for the proof on a page that sends the same form on; to a page's script say only that it is asked for."""
    here = edge(request)
    if here.htmx:
        answer = refusal(request, error)
        answer.headers.update(ASKS)
        return answer
    sent = [(name, value) for name, value in request.state.sent.multi_items() if isinstance(value, str)]
    return here.render(
        "accounts/proof.html", status=error.status, reason=error.reason, wrong=error.wrong, by_code=error.by_code,
        party=relying_party(here.site.settings.origins) if error.by_passkey else None,
        action=request.scope["path"], kept=[(name, value) for name, value in sent if name != "proof"],
        back=page_before(request),
    )  # fmt: skip
