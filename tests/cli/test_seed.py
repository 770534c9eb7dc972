"""The demo's world: four cases, every text with its origin, everybody in their place, everything on the record."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import Session, SQLModel, col, select

from panel.accounts.models import Person
from panel.accounts.passwords import HASHER
from panel.accounts.views.desk import desk
from panel.app import create_app
from panel.cases.models import Case, Exhibit, FactualQuestion, Track, VerificationReport
from panel.cli.demo import places_of
from panel.cli.seed import DEMO_CASES, Seeded, SeededCase, seed
from panel.committees.models import Seat
from panel.core import security
from panel.core.config import Settings
from panel.core.i18n import translator
from panel.core.pages import Site
from panel.core.security import Role, Standing
from panel.hearings.models import Hearing, Phase
from panel.opinions.models import Round
from panel.record import queries as record
from panel.record.models import SYSTEM_STREAM
from panel.verify.audit import audit
from tests.factories import SECRET

PASSWORD = "one password for all of them"
LABELS = ("来源载明", "据来源整理", "虚构")


@dataclass
class Demo:
    """A seeded installation, to be read."""

    site: Site
    seeded: Seeded
    db: Session

    def of(self, number: int, model: type[Any], *order: Any) -> list[Any]:
        """Return a case's rows of a table."""
        case_id = self.seeded.cases[number].case_id
        return list(self.db.exec(select(model).where(model.case_id == case_id).order_by(*order)).all())

    def case(self, number: int) -> Case:
        return self.db.get_one(Case, self.seeded.cases[number].case_id)

    def person(self, case: SeededCase, key: str) -> Person:
        return self.db.exec(select(Person).where(Person.login == case.logins[key])).one()

    def standing(self, number: int, key: str) -> Standing:
        case = self.seeded.cases[number]
        return security.standings_of(self.db, self.person(case, key).id)[case.case_id]

    def told(self, stream: str) -> list[dict[str, Any]]:
        """Return a stream's events from the record: the public and the private part together."""
        size = record.head(self.db).size
        found = record.stream(self.db, stream, below=size)
        return [{**json.loads(body.private), **json.loads(body.public)} for _, body in found if body is not None]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Demo]:
    """The demo's world, made once: these tests only read it."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(template, folder / "panel.sqlite")
    site: Site = create_app(Settings(demo=True, data=folder, secret=SecretStr(SECRET))).state.site
    seeded = seed(site, PASSWORD)
    with Session(site.reading) as db:
        yield Demo(site, seeded, db)
    site.writer.close()  # type: ignore[attr-defined]  # the writer itself


each_case = pytest.mark.parametrize("number", DEMO_CASES)


def count(demo: Demo, model: type[SQLModel]) -> int:
    return len(demo.db.exec(select(model)).all())


def test_the_four_cases_are_there_with_their_hearings_and_nothing_else(demo: Demo) -> None:
    cases = demo.db.exec(select(Case).order_by(col(Case.demo_number))).all()

    assert [(case.demo_number, case.fictional) for case in cases] == [(n, True) for n in (1, 6, 7, 8)]
    assert [case.id for case in cases] == [demo.seeded.cases[n].case_id for n in DEMO_CASES]
    assert [case.number for case in cases] == [f"演示〔{cases[0].opened_at.year}〕{n}号" for n in DEMO_CASES]
    assert [count(demo, model) for model in (Hearing, Round, Seat, VerificationReport)] == [4, 4, 36, 4]


@each_case
def test_a_case_waits_for_its_hearing_with_the_first_round_open(demo: Demo, number: int) -> None:
    (hearing,), (round_,) = demo.of(number, Hearing), demo.of(number, Round)

    assert (hearing.id, hearing.phase) == (demo.seeded.cases[number].hearing_id, Phase.SCHEDULED)
    assert (round_.number, round_.closed_at) == (1, None)


@each_case
def test_exhibits_stand_in_the_order_of_the_source_file_and_say_where_they_come_from(demo: Demo, number: int) -> None:
    told = demo.seeded.cases[number].script["evidence"]
    filed = demo.of(number, Exhibit, Exhibit.number)

    assert [(e.number, e.title, e.text) for e in filed] == [
        (int(t["id"].removeprefix("E")), t["title_zh"], t["content_zh"].strip()) for t in told
    ]
    assert [e.fictional for e in filed] == [t["origin"] == "fiction" for t in told]
    assert [e.origin.partition("。")[0] for e in filed] == [
        f"内容：{ {'source': LABELS[0], 'derived': LABELS[1], 'fiction': LABELS[2]}[t['origin']] }" for t in told
    ]


@each_case
def test_every_line_of_the_matter_and_of_the_report_ends_with_its_origin(demo: Demo, number: int) -> None:
    case, (report,) = demo.case(number), demo.of(number, VerificationReport)
    script = demo.seeded.cases[number].script
    points = [point["text"] for points in report.analysis.values() for point in points]
    ends = tuple(f"（{label}）" for label in LABELS)

    assert [line for line in case.matter.split("\n") if not line.endswith(ends)] == []
    assert case.matter.count("（来源载明）") == sum(event["origin"] == "source" for event in script["timeline"])
    assert case.matter.endswith("（虚构）")
    assert [text for text in (*points, report.facts, report.reasons) if not text.endswith(ends)] == []
    assert report.reasons == f"{script['fiction']['verification']['text_zh']}（虚构）"


@each_case
def test_the_report_recommends_and_leans_as_the_file_says(demo: Demo, number: int) -> None:
    script, (report,) = demo.seeded.cases[number].script, demo.of(number, VerificationReport)
    leans = Counter((key, point["leans"]) for key, points in report.analysis.items() for point in points)

    assert report.recommendation == script["fiction"]["verification"]["recommended"]
    assert leans == Counter((pointer["consideration"], pointer["leans"]) for pointer in script["pointers"])
    assert report.filed_by == demo.person(demo.seeded.cases[number], "handler_1").id


@each_case
def test_the_questions_of_fact_are_settled_in_order(demo: Demo, number: int) -> None:
    listed = demo.of(number, FactualQuestion, FactualQuestion.number)

    assert [q.text for q in listed] == [fact["question_zh"] for fact in demo.seeded.cases[number].script["facts"]]


def test_how_a_case_came_in_and_whose_it_is_is_kept(demo: Demo) -> None:
    assert {n: demo.case(n).track for n in DEMO_CASES} == {
        1: Track.APPLICATION,
        6: Track.CONCURRENT,
        7: Track.CONCURRENT,
        8: Track.APPLICATION,
    }
    assert demo.case(6).official == "黄某"
    assert demo.case(7).official == "某开发区政务服务和大数据管理局", "the source names nobody: it is the bureau's case"


@each_case
def test_everybody_has_the_standing_of_the_script(demo: Demo, number: int) -> None:
    roles = {
        "secretary": Role.SECRETARY,
        "recorder": Role.RECORDER,
        "handler_1": Role.HANDLER,
        "handler_2": Role.HANDLER,
        "official": Role.OFFICIAL,
        "helper": Role.HELPER,
        "decider": Role.AUTHORITY,
        "approver": Role.AUTHORITY,
        "observer": Role.OBSERVER,
        "projector": Role.PROJECTOR,
    }
    seats = {f"s{n}": Role.MEMBER for n in range(1, 10)} | {"s1": Role.CHAIR}

    people = demo.seeded.cases[number].people
    assert {key: demo.standing(number, key).role for key in people} == {**seats, **roles}


@each_case
def test_seats_are_numbered_and_categorised_as_in_the_script(demo: Demo, number: int) -> None:
    case = demo.seeded.cases[number]
    seats = demo.of(number, Seat, Seat.number)

    assert [(s.number, s.person_id, s.category.value, s.unit, s.chair) for s in seats] == [
        (n, demo.person(case, seat["id"]).id, seat["category"], seat["unit_zh"], n == 1)
        for n, seat in enumerate(case.script["fiction"]["seats"], start=1)
    ]


def test_one_account_per_person_however_many_cases_they_act_in(demo: Demo) -> None:
    logins = {login for case in demo.seeded.cases.values() for login in case.logins.values()}
    people = demo.db.exec(select(Person)).all()

    assert sorted(person.login for person in people) == sorted(logins)
    assert {person.fictional for person in people} == {True}
    assert {person.password_hash for person in people} == {people[0].password_hash}
    assert HASHER.verify(people[0].password_hash, PASSWORD)


@each_case
def test_what_was_done_is_on_the_record(demo: Demo, number: int) -> None:
    case, script = demo.case(number), demo.seeded.cases[number].script
    kinds = Counter(event["kind"] for event in demo.told(case.record_token))

    assert kinds == {
        "cases.case_opened": 1,
        "cases.person_assigned": 10,
        "committees.committee_formed": 1,
        "committees.seat_taken": 9,
        "cases.exhibit_filed": len(script["evidence"]),
        "cases.questions_listed": 1,
        "cases.verification_filed": 1,
        "opinions.round_opened": 1,
        "hearings.hearing_scheduled": 1,
    }


@each_case
def test_each_act_is_its_authors(demo: Demo, number: int) -> None:
    case = demo.seeded.cases[number]
    who = {demo.person(case, key).id: key for key in ("secretary", "handler_1")}
    actors = {(event["kind"], who.get(event["actor_id"] or "")) for event in demo.told(demo.case(number).record_token)}

    assert actors == {
        ("cases.case_opened", None),
        ("cases.person_assigned", None),
        ("cases.person_assigned", "secretary"),
        ("committees.committee_formed", "secretary"),
        ("committees.seat_taken", "secretary"),
        ("cases.exhibit_filed", "handler_1"),
        ("cases.questions_listed", "secretary"),
        ("cases.verification_filed", "handler_1"),
        ("opinions.round_opened", "secretary"),
        ("hearings.hearing_scheduled", "secretary"),
    }


def test_people_and_rules_are_on_the_record_of_the_house(demo: Demo) -> None:
    kinds = Counter(event["kind"] for event in demo.told(SYSTEM_STREAM))

    assert kinds == {"accounts.person_added": count(demo, Person), "rulebook.rule_document_loaded": 3}


def test_the_audit_finds_nothing(demo: Demo) -> None:
    audited = list(audit(demo.db))

    assert [one.problem for one in audited] == [None] * len(audited)
    assert len(audited) == 3 + len(DEMO_CASES)


def test_the_start_page_has_the_chosen_case_first(demo: Demo) -> None:
    places = places_of(demo.seeded, 7)
    words: dict[str, Callable[..., str]] = {locale: translator(locale).reason for locale in ("zh_CN", "en")}
    first = places[0]

    assert [words["zh_CN"](p.heading).partition("：")[0] for p in places[::19]] == ["案例7", "案例1", "案例6", "案例8"]
    assert words["zh_CN"](first.heading) == f"案例7：{demo.case(7).title}"
    assert words["en"](first.heading) == f"Case 7: {demo.case(7).title_en}"
    assert (first.login, words["zh_CN"](first.label), words["en"](first.label)) == (
        demo.seeded.cases[7].logins["s1"],
        "主任委员 · 法律人士",
        "Chair: Legal professional",
    )
    assert desk(demo.site).demo is None, "the doors are opened by the command, not by seeding"
