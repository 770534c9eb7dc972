"""The page of a rule document."""

import pytest
from sqlmodel import select

from panel.rulebook.models import RuleDocument
from tests.corpus import unescaped
from tests.factories import World


def document(world: World, kind: str) -> RuleDocument:
    with world.db() as db:
        return db.exec(select(RuleDocument).where(RuleDocument.kind == kind)).one()


def test_the_rules_of_procedure_show_their_fractions_and_sources(world: World) -> None:
    page = world.client("luo").get(f"/rules/{document(world, 'procedure').id}")
    assert page.status_code == 200
    assert page.text.count("建议值") > 4
    for told in ("2/3 以上", "超过 1/2", "公职人员政务处分法第47条", "无记名投票", "应到会委员的2/3 以上"):
        assert told in page.text
    assert unescaped(page.text) == []


def test_the_considerations_show_what_to_look_at(world: World) -> None:
    page = world.client("official").get(f"/rules/{document(world, 'considerations').id}").text
    assert "分清是失误错误还是违纪违法" in page
    assert "属失误错误" in page


def test_a_slot_without_wording_says_so_and_invents_nothing(world: World) -> None:
    page = world.client("secretary").get(f"/rules/{document(world, 'catalogue').id}").text
    assert page.count("条文未公开。") == 8 + 4 + 3 + 4
    assert page.count("待录入") >= 19


def test_the_page_speaks_english(world: World) -> None:
    client = world.client("luo")
    client.cookies.set("pv_locale", "en")
    page = client.get(f"/rules/{document(world, 'procedure').id}").text
    assert "at least 2/3 of the members due to attend" in page
    assert "Rules of procedure, version 1" in page


@pytest.mark.parametrize("id", ["0" * 32, "none", "%00"])
def test_a_document_that_is_not_there_is_a_404(world: World, id: str) -> None:
    assert world.client("luo").get(f"/rules/{id}").status_code == 404


def test_strangers_sign_in_first(world: World) -> None:
    assert world.client().get(f"/rules/{document(world, 'procedure').id}", follow_redirects=False).status_code != 200
