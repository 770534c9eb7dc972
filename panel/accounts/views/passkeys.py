"""Passkeys: making one, signing in with one, confirming with one. `accounts.passkeys` judges what a browser answers."""

import json
from dataclasses import dataclass

import anyio
from sqlmodel import Session
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from panel.accounts import actions, passkeys, queries, rules
from panel.accounts.forms import NewPasskeyForm, PasskeyForm
from panel.accounts.models import Passkey, Person
from panel.accounts.passkeys import Purpose, RelyingParty, Unproven, Used
from panel.accounts.throttle import address_key
from panel.accounts.views import factors, sign_in
from panel.accounts.views.desk import desk, guess
from panel.core import log
from panel.core.errors import NotFound, Reason, Refused
from panel.core.forms import Form
from panel.core.pages import Acting, Edge, Reading, act, page


@dataclass(frozen=True)
class Answer:
    """What a page's script puts into a form: the token of the challenge, and the browser's answer, as JSON."""

    token: str
    credential: str

    @classmethod
    def read(cls, typed: str) -> "Answer":
        """Read the field. Raises Unproven where it is no answer."""
        try:
            found = json.loads(typed)
            return cls(str(found["token"]), json.dumps(found["credential"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unproven("the answer cannot be read") from None


def party_of(here: Edge) -> RelyingParty:
    """Return the host that passkeys are made for; raises NotFound where this installation can have none."""
    found = passkeys.relying_party(here.site.settings.origins)
    if found is None:
        raise NotFound
    return found


@page("accounts.see_sign_in")
def ask_to_sign_in(reading: Reading) -> Response:
    """Hand out a challenge for signing in; nothing is written, and nothing is said of anybody."""
    token, asked = passkeys.challenge(reading.site.tokens("passkey"), Purpose.SIGN_IN, "")
    return JSONResponse({"token": token, "publicKey": passkeys.request(party_of(reading), asked=asked)})


@page("accounts.keep_factors")
def ask_for_proof(reading: Reading) -> Response:
    """Hand out a challenge for one's own passkeys."""
    token, asked = passkeys.challenge(reading.site.tokens("passkey"), Purpose.PROOF, reading.me.session)
    held = [one.credential_id for one in queries.passkeys(reading.db, reading.me.person_id)]
    return JSONResponse({"token": token, "publicKey": passkeys.request(party_of(reading), asked=asked, held=held)})


@page("accounts.keep_factors")
def ask_to_add(reading: Reading) -> Response:
    """Hand out a challenge for a new passkey of one's own."""
    token, asked = passkeys.challenge(reading.site.tokens("passkey"), Purpose.ADD, reading.me.session)
    person = reading.db.get_one(Person, reading.me.person_id)
    options = passkeys.creation(
        party_of(reading), title=reading.site.letterhead().get("organisation") or "Heyi", login=person.login,
        person_id=person.id, name=person.name, asked=asked,
        held=[one.credential_id for one in queries.passkeys(reading.db, person.id)],
    )  # fmt: skip
    return JSONResponse({"token": token, "publicKey": options})


@act("accounts.change_factors", form=NewPasskeyForm)
async def add(acting: Acting, form: NewPasskeyForm) -> Response:
    """Keep a new passkey; with the first second factor the recovery codes are shown, once."""
    me = acting.me
    try:
        answer = Answer.read(form.passkey)
        asked = passkeys.opened(acting.site.tokens("passkey"), Purpose.ADD, me.session, answer.token)
        made = passkeys.made(answer.credential, party=party_of(acting), asked=asked)
    except Unproven as problem:
        log.security("passkey_refused", person=me.person_id, why=str(problem))
        raise Refused(rules.WRONG_PASSKEY) from None
    first = not await acting.ask(lambda db: queries.has_factor(db, me.person_id))
    codes, hashes = await factors.new_codes() if first else ([], [])
    await acting.write(actions.add_passkey, made=made, name=form.name, code_hashes=hashes)
    log.security("factor_added", person=me.person_id)
    return factors.show_codes(acting, codes, form.next) if first else RedirectResponse("/factors", status_code=303)


@act("accounts.change_factors", of=queries.passkey_by_id)
async def remove(acting: Acting, passkey: Passkey, form: Form) -> Response:
    """Remove one of one's own passkeys."""
    required = desk(acting.site).signed_in.must_have_factor(acting.me.standings, acting.me.offices)
    await acting.write(actions.remove_passkey, passkey_id=passkey.id, required=required)
    log.security("factor_removed", person=acting.me.person_id)
    return RedirectResponse("/factors", status_code=303)


@act("accounts.sign_in", form=PasskeyForm)
async def sign_in_by_passkey(acting: Acting, form: PasskeyForm) -> Response:
    """Sign in with a passkey alone: it has verified its person. No brake on an account stops it (ASVS 6.3.1)."""
    keys = [address_key(acting.request.client.host if acting.request.client else "")]
    with guess(acting.site, keys) as made:
        person = await shown(acting, Purpose.SIGN_IN, form.passkey)
        made.right = person is not None
    if person is None:
        return sign_in.again(acting, rules.WRONG_PASSKEY, onward=form.next)
    return await sign_in.begin(acting, person, onward=form.next)


async def why_not_own(acting: Acting, typed: str) -> Reason | None:
    """Say why an answer does not prove that the person of this session is there."""
    keys = [("account", f"passkey {acting.me.person_id}")]
    with guess(acting.site, keys) as made:
        person = await shown(acting, Purpose.PROOF, typed)
        made.right = person is not None and person.id == acting.me.person_id
    return None if made.right else rules.WRONG_PASSKEY


async def shown(acting: Acting, purpose: Purpose, typed: str) -> Person | None:
    """Return whose passkey has answered, and use the challenge up; None where the answer proves nothing.

    Why it did not, the security log says and no page does: unknown, closed and wrong are told alike.
    """
    session = acting.me.session if purpose is not Purpose.SIGN_IN else ""
    try:
        answer = Answer.read(typed)
        asked = passkeys.opened(acting.site.tokens("passkey"), purpose, session, answer.token)
        person, passkey = await acting.ask(lambda db: _known(db, passkeys.credential_id(answer.credential)))
        used = await anyio.to_thread.run_sync(_judge, answer, party_of(acting), asked, passkey)
        await _use(acting, passkey, used)
        return person
    except Unproven as problem:
        log.security("passkey_refused", why=str(problem))
        return None


def _known(db: Session, credential_id: str) -> tuple[Person, Passkey]:
    passkey = queries.passkey(db, credential_id)
    person = db.get(Person, passkey.person_id) if passkey is not None else None
    if passkey is None or person is None or person.disabled_at is not None:
        raise Unproven("no passkey of an open account")
    return person, passkey


def _judge(answer: Answer, party: RelyingParty, asked: bytes, passkey: Passkey) -> Used:
    return passkeys.used(
        answer.credential, party=party, asked=asked, public_key=passkey.public_key, person_id=passkey.person_id
    )


async def _use(acting: Acting, passkey: Passkey, used: Used) -> None:
    if rules.why_not_count(passkey.sign_count, used.sign_count) is not None:
        log.security("passkey_count_went_back", person=passkey.person_id)
    try:
        await acting.write_unkeyed(actions.use_passkey, passkey_id=passkey.id, used=used)
    except Refused as refused:
        if refused.reason != rules.WRONG_PASSKEY:
            raise
        raise Unproven("the challenge was answered before, or the count went back") from None


routes = [
    Route("/sign-in/passkey", ask_to_sign_in, name="accounts.passkey_to_sign_in"),
    Route("/sign-in/passkey", sign_in_by_passkey, methods=["POST"], name="accounts.sign_in_by_passkey"),
    Route("/passkeys/proof", ask_for_proof, name="accounts.passkey_to_prove"),
    Route("/passkeys/new", ask_to_add, name="accounts.passkey_to_add"),
    Route("/passkeys", add, methods=["POST"], name="accounts.add_passkey"),
    Route("/passkeys/{id}/removal", remove, methods=["POST"], name="accounts.remove_passkey"),
]
