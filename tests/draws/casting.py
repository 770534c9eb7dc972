"""A case whose panel is still to be drawn: a pool of the cast and of a few more, and the steps of a draw."""

from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlmodel import col, delete, select

from panel.accounts.models import Person
from panel.committees.models import Category, Committee, RosterMember, Seat
from panel.core import clock
from panel.core.db import writing_engine
from panel.draws import actions
from panel.draws.draw import commitment
from panel.draws.models import Contributor
from panel.hearings.models import Hearing
from panel.record import checkpoint
from panel.work import Work
from tests.factories import World
from tests.people import SEATED
from tests.verify.stories import KEY

WHY = "熟悉水利工程，与本案无利害关系。"
MORE = (
    ("ding", "丁洁", "discipline", "市纪委"), ("zhao", "赵一", "organization", "市委组织部"),
    ("sun", "孙二", "legal", "甲律师事务所"), ("li", "李三", "expert", "水利学会"),
    ("zhou", "周四", "expert", "水利学会"), ("wu", "吴五", "public", ""),
    ("zheng", "郑六", "stakeholder", "某村"), ("wang", "王七", "media", "市报"),
)  # fmt: skip
POOL = (
    *((someone.key, someone.category.value, f"单位{n}") for n, someone in enumerate(SEATED) if someone.category),
    *((login, category, unit) for login, _, category, unit in MORE),
)
"""Login, category and unit of everybody who may be drawn."""

CONTRIBUTORS = {Contributor.CHAIR: "chair", Contributor.SCRUTINEER: "observer"}


def without_panel(world: World) -> None:
    """Take the committee out of a world's case, and put the pool on the roster."""

    def change(work: Work) -> None:
        for model in (Hearing, Seat, Committee):
            work.db.execute(delete(model).where(col(model.case_id) == world.case_id))
        for login, name, _, _ in MORE:
            person = Person(name=name, login=login, password_hash="unusable", fictional=True)
            world.people[login] = work.add_unrecorded(person).id
        work.db.flush()
        for login, category, unit in POOL:
            work.add_unrecorded(RosterMember(person_id=world.people[login], category=Category(category), unit=unit))

    world.work(change)
    if not world.site.settings.record_key.exists():
        checkpoint.make_key(world.site.settings.record_key, "heyi/test")


def of_known_key(world: World) -> World:
    """Let a world's log be that of the stories' key, and take the panel out of its case."""
    kept = world.site.settings.record_key
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(f"{KEY.private_text}\n")
    kept.chmod(0o600)
    without_panel(world)
    return world


def sign(world: World) -> None:
    """Publish the record's head, as the timer does."""
    engine = writing_engine(world.site.settings.database_url)
    checkpoint.publish(engine, checkpoint.read_key(world.site.settings.record_key), clock.now())
    engine.dispose()


def prepared(world: World, *, chair: str = "chair", scrutineer: str = "observer", reason: str = WHY) -> str:
    """Prepare a draw; returns its id."""
    with world.db() as db:
        member = db.exec(select(RosterMember).where(RosterMember.person_id == world.people[chair])).one()
    return world.act(
        actions.prepare, "secretary", case_id=world.case_id, chair_member=member.id, chair_reason=reason,
        scrutineer_id=world.people[scrutineer], zone=ZoneInfo("Asia/Shanghai"),
    ).id  # fmt: skip


def secrets(draw_id: str) -> dict[Contributor, str]:
    """Return what the contributors keep in their browsers."""
    return {one: sha256(f"{draw_id} {one.value}".encode()).hexdigest() for one in Contributor}


def fixed(world: World) -> str:
    """Bring a draw to where its root is fixed."""
    draw_id = prepared(world)
    for contributor, who in CONTRIBUTORS.items():
        typed = commitment(draw_id, contributor, secrets(draw_id)[contributor])
        world.act(actions.commit, who, draw_id=draw_id, commitment=typed)
    sign(world)
    world.act(actions.fix, "secretary", draw_id=draw_id)
    return draw_id


def drawn(world: World) -> str:
    """Hold a draw; returns its id."""
    draw_id = fixed(world)
    for contributor, who in CONTRIBUTORS.items():
        world.act(actions.reveal, who, draw_id=draw_id, secret=secrets(draw_id)[contributor])
    return draw_id
