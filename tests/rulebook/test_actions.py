"""Documents come into the rulebook once per version and never change."""

import copy
from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from panel.core.errors import Refused
from panel.rulebook import actions, queries
from panel.rulebook.models import RuleDocument
from tests.factories import World
from tests.votes.chamber import events

KIND = "rulebook.rule_document_loaded"


def body(**rules: Any) -> dict[str, Any]:
    """The rules of procedure as another document."""
    made = copy.deepcopy(queries.pack("rules_of_procedure"))
    made["rules"] |= {"key": "house_rules", **rules}
    return made


def load(world: World, **what: Any) -> RuleDocument:
    return world.work(
        lambda work: actions.load_pack(work, None, **{"key": "house_rules", "kind": "procedure", "version": 1, **what})
    )


def test_a_document_is_frozen_with_the_digest_of_its_canonical_json(world: World) -> None:
    document = load(world, body=body())
    with world.db() as db:
        assert queries.version(db, "house_rules", 1) == document
    (event,) = [e for e in events(world, KIND) if e["key"] == "house_rules"]
    assert event["body_sha256"] == document.body_sha256 == queries.digest(body())
    assert event["version"] == 1


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    made = body()
    assert queries.digest(dict(reversed(made.items()))) == queries.digest(made)
    assert queries.digest(body(title_zh="别的规则")) != queries.digest(made)


def test_loading_the_same_again_changes_nothing(world: World) -> None:
    first = load(world, body=body())
    assert load(world, body=body()).id == first.id
    assert len([e for e in events(world, KIND) if e["key"] == "house_rules"]) == 1


def test_the_same_version_with_other_content_is_refused(world: World) -> None:
    first = load(world, body=body())
    with pytest.raises(Refused) as refusal:
        load(world, body=body(title_zh="别的规则"))
    assert refusal.value.reason.msgid.startswith("This version of the rule document is in the rulebook")
    with world.db() as db:
        assert db.get_one(RuleDocument, first.id).body == body()


def test_a_new_version_stands_beside_the_old_one(world: World) -> None:
    first, second = load(world, body=body()), load(world, body=body(version=2), version=2)
    with world.db() as db:
        assert [d.version for d in queries.documents(db) if d.key == "house_rules"] == [1, 2]
        assert queries.newest(db, "procedure") == second
    assert first.body_sha256 != second.body_sha256


def test_a_document_that_cannot_be_read_leaves_nothing_behind(world: World) -> None:
    broken = body()
    broken["quorum"]["fraction"] = "0.67"
    with pytest.raises(Refused):
        load(world, body=broken)
    with world.db() as db:
        assert db.exec(select(RuleDocument).where(RuleDocument.key == "house_rules")).all() == []
    assert [e for e in events(world, KIND) if e["key"] == "house_rules"] == []


def test_a_pack_is_loaded_by_its_name(world: World) -> None:
    document = world.work(lambda work: actions.load(work, None, name="catalogues/zhejiang_46"))
    assert (document.key, document.kind, document.version) == ("zhejiang_46", "catalogue", 1)
    assert document.effective_from == date(2019, 1, 1)
    six = world.work(lambda work: actions.load(work, None, name="catalogues/hubei_reform_2016"))
    assert six.kind == "catalogue"


@pytest.mark.parametrize("name", ["../pyproject", "/etc/passwd", "catalogues/../../x", "Rules", "", "a.toml"])
def test_a_pack_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError):
        queries.pack(name)


def test_a_pack_is_json_through_and_through() -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        return all(map(plain, value)) if isinstance(value, list) else isinstance(value, str | int | bool)

    assert plain(queries.pack("rules_of_procedure"))
    assert plain(queries.pack("catalogues/hubei_2022"))


def test_two_readers_of_a_pack_do_not_share_it() -> None:
    queries.pack("six_considerations")["considerations"].clear()
    assert len(queries.pack("six_considerations")["considerations"]) == 6
