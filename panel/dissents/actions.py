"""Filing, joining, adding, withdrawing, answering. What was filed is never edited."""

from hashlib import sha256
from typing import Any

from sqlmodel import Session

from panel.cases import queries as cases
from panel.committees import queries as committees
from panel.core import hooks
from panel.core.errors import Forbidden, NotFound, Reason, require
from panel.core.security import Actor
from panel.dissents import queries, rules
from panel.dissents.events import AddendumFiled, DissentAnswered, DissentFiled, DissentJoined, DissentWithdrawn
from panel.dissents.models import Addendum, Answer, Dissent, DissentKind, Joining, SubjectKind
from panel.votes import queries as votes
from panel.work import Work


def file(
    work: Work, actor: Actor, *, hearing_id: str, kind: str, subject_kind: str, subject_id: str, text: str,
    consideration: str = "", waives_secrecy: bool = False,
) -> Dissent:  # fmt: skip
    """File a dissent, a reservation or a concurring opinion: verbatim, numbered, with its author's name."""
    hearing = hooks.hearing(work.db, hearing_id)
    if hearing is None:
        raise NotFound
    seat_id = _seat(work.db, actor, hearing.case_id)
    _in_time(work.db, hearing_id)
    subject = SubjectKind(subject_kind)
    about = queries.motions_about(votes.of_case(work.db, hearing.case_id), subject, subject_id)
    known = _known(work.db, hearing.case_id, subject, subject_id, consideration)
    require(rules.why_not_about(subject, known=known, decided=queries.open_to_dissent(subject, about)))
    secret = queries.is_secret(work.db, hearing.case_id, subject, about)
    require(rules.why_not_named(secret=secret, waives=waives_secrecy))
    dissent = work.add(
        Dissent(
            case_id=hearing.case_id, hearing_id=hearing_id, seat_id=seat_id, kind=DissentKind(kind),
            subject_kind=subject, subject_id=subject_id, consideration=consideration, text=text,
            number=len(queries.of_case(work.db, hearing.case_id)) + 1, waives_secrecy=waives_secrecy,
        )
    )  # fmt: skip
    work.record(
        DissentFiled(
            dissent=dissent.id, number=dissent.number, dissent_kind=dissent.kind, subject_kind=subject,
            subject=subject_id, consideration=consideration, seat=seat_id, text=text,
            text_sha256=text_sha256(text), waives_secrecy=waives_secrecy, **_told_by(work.db, dissent, actor),
        )
    )  # fmt: skip
    return dissent


def join(work: Work, actor: Actor, *, dissent_id: str, waives_secrecy: bool = False) -> Joining:
    """Join another member's dissent as it stands now, with one's name."""
    dissent = queries.dissent_for_update(work.db, dissent_id)
    seat_id = _seat(work.db, actor, dissent.case_id)
    _in_time(work.db, dissent.hearing_id)
    already = queries.joinings(work.db, dissent.case_id).get(dissent.id, [])
    require(rules.why_not_join(dissent, seat_id, joined=any(j.seat_id == seat_id for j in already)))
    motions = votes.of_case(work.db, dissent.case_id)
    about = queries.motions_about(motions, dissent.subject_kind, dissent.subject_id)
    secret = queries.is_secret(work.db, dissent.case_id, dissent.subject_kind, about)
    require(rules.why_not_named(secret=secret, waives=waives_secrecy))
    joining = work.add(
        Joining(
            dissent_id=dissent.id, case_id=dissent.case_id, seat_id=seat_id, waives_secrecy=waives_secrecy,
            addenda=len(queries.addenda(work.db, dissent.case_id).get(dissent.id, [])),
        )
    )  # fmt: skip
    told = _told_by(work.db, dissent, actor)
    work.record(DissentJoined(dissent=dissent.id, seat=seat_id, waives_secrecy=waives_secrecy, **told))
    return joining


def supplement(work: Work, actor: Actor, *, dissent_id: str, text: str) -> Addendum:
    """Add to one's own dissent, as long as dissents are filed; what was filed, and who joined it, stays as it is."""
    dissent = queries.dissent_for_update(work.db, dissent_id)
    seat_id = _seat(work.db, actor, dissent.case_id)
    require(rules.why_not_supplement(dissent, seat_id))
    _in_time(work.db, dissent.hearing_id)
    number = len(queries.addenda(work.db, dissent.case_id).get(dissent.id, [])) + 1
    added = work.add(Addendum(dissent_id=dissent.id, case_id=dissent.case_id, number=number, text=text))
    told = _told_by(work.db, dissent, actor)
    work.record(
        AddendumFiled(dissent=dissent.id, number=number, text=text, text_sha256=text_sha256(text), **told),
    )
    return added


def withdraw(work: Work, actor: Actor, *, dissent_id: str, reason: str = "") -> Dissent:
    """Withdraw one's own dissent; that it was filed stays on the record, and so does the reason, if one is given."""
    dissent = queries.dissent_for_update(work.db, dissent_id)
    answered = dissent.id in queries.answers(work.db, dissent.case_id)
    seat_id = _seat(work.db, actor, dissent.case_id)
    require(rules.why_not_withdraw(dissent, seat_id, answered=answered))
    dissent.withdrawn_at, dissent.withdrawal_reason = work.now, reason
    work.record(DissentWithdrawn(dissent=dissent.id, reason=reason, **_told_by(work.db, dissent, actor)))
    return dissent


def answer(work: Work, actor: Actor, *, dissent_id: str, text: str) -> Answer:
    """Answer a dissent for the deciding authority (对不同意见的研究情况)."""
    dissent = queries.dissent_for_update(work.db, dissent_id)
    answered = dissent.id in queries.answers(work.db, dissent.case_id)
    require(rules.why_not_answer(dissent, answered=answered))
    given = work.add(Answer(dissent_id=dissent.id, case_id=dissent.case_id, text=text))
    told = _told_by(work.db, dissent, actor)
    work.record(DissentAnswered(dissent=dissent.id, text=text, text_sha256=text_sha256(text), **told))
    return given


def text_sha256(text: str) -> str:
    """Return the digest (hex) of a text in UTF-8."""
    return sha256(text.encode()).hexdigest()


def _seat(db: Session, actor: Actor, case_id: str) -> str:
    seat = committees.seat_of(db, actor, case_id)
    if seat is None:
        raise Forbidden(Reason("You have no seat in this case, or it stands aside."))
    return seat.id


def _in_time(db: Session, hearing_id: str) -> None:
    phase = hooks.phase_of(db, hearing_id)
    require(rules.why_not_time(phase, still_open=hooks.dissents_open(db, hearing_id)))


def _known(db: Session, case_id: str, subject: SubjectKind, subject_id: str, consideration: str) -> bool:
    keys = {item.key for item in queries.considerations(db, case_id)}
    if consideration and consideration not in keys:
        return False
    if subject is SubjectKind.MOTION:
        return bool(queries.motions_about(votes.of_case(db, case_id), subject, subject_id))
    if subject is SubjectKind.QUESTION:
        return any(question.id == subject_id for question in cases.questions(db, case_id))
    return subject_id in keys if subject is SubjectKind.CONSIDERATION else not subject_id


def _told_by(db: Session, dissent: Dissent, actor: Actor) -> dict[str, Any]:
    return {
        "case_id": dissent.case_id,
        "hearing_id": dissent.hearing_id,
        "closed": hooks.in_closed_session(db, dissent.hearing_id),
        "actor_id": actor.person_id,
    }
