"""A reading session is one snapshot, in which a question is asked of the database once; the writer asks every time."""

from sqlmodel import Session, select

from panel.cases.models import Case
from panel.core.db import remembered, snapshot
from tests.factories import World


def test_a_snapshot_asks_a_question_once_and_another_snapshot_asks_anew(world: World) -> None:
    asked: list[tuple[str, bool]] = []

    @remembered
    def title(db: Session, case_id: str, *, loud: bool = False) -> str:
        asked.append((case_id, loud))
        return db.exec(select(Case.title).where(Case.id == case_id)).one()

    for _ in range(2):
        with snapshot(world.site.reading) as db:
            titles = {title(db, world.case_id), title(db, world.case_id), title(db, world.case_id, loud=True)}
        assert len(titles) == 1
    assert asked == [(world.case_id, False), (world.case_id, True)] * 2
    assert (title.__name__, title.__doc__) == ("title", None)


def test_the_writer_s_session_sees_what_it_has_just_changed(world: World) -> None:
    @remembered
    def title(db: Session, case_id: str) -> str:
        return db.exec(select(Case.title).where(Case.id == case_id)).one()

    def rename(work: object) -> list[str]:
        db: Session = work.db  # type: ignore[attr-defined]  # a unit of work
        before = title(db, world.case_id)
        db.get_one(Case, world.case_id).title = "改名之后"
        return [before, title(db, world.case_id)]

    before, after = world.work(rename)
    assert (before != after, after) == (True, "改名之后")
