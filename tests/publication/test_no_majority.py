"""A summary of a case in which the panel found no majority: the authority neither follows nor departs."""

from panel.hearings import actions as hearings
from panel.hearings import queries
from panel.hearings.models import Phase
from panel.publication import actions
from tests.decisions.bench import decide
from tests.factories import World
from tests.hearings.course import EVERYBODY, hold_until, step, vote_disposition, vote_facts

NO_MAJORITY = "委员会未形成多数意见，由决定机关决定。"
DEPARTED = "决定机关未采纳评议意见"


def heard_without_a_majority(world: World) -> None:
    """Hold the hearing to its settled minutes; the only disposition is lost."""
    hold_until(world, Phase.MOTIONS)
    vote_facts(world)
    vote_disposition(world, against=5)
    while step(world).phase is not Phase.ENDED:
        pass
    with world.db() as db:
        frozen = queries.minutes_of(db, world.hearing_id)
        assert frozen is not None
    for key in EVERYBODY:
        world.act(hearings.confirm, key, minutes_id=frozen.id, confirmed=True)


def test_without_a_majority_the_summary_does_not_speak_of_a_departure(world: World) -> None:
    heard_without_a_majority(world)
    decide(world)
    draft = world.act(actions.compose, "secretary", case=world.case_id)
    assert (draft.body["finding"], draft.body["decision"]["adopts"]) == ("", False)
    page = world.client("secretary").get(f"/cases/{world.case_id}/summary").text
    assert (NO_MAJORITY in page, DEPARTED in page) == (True, False)
