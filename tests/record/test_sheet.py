"""What the acts of one commit put on the record, whichever of them fail."""

import threading
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session

from panel.core.errors import Reason, Refused
from panel.record import queries
from panel.work import Work, Writer
from tests.record.sayings import first_broken, note

ACTS = st.lists(
    st.tuples(st.lists(st.sampled_from("abc"), max_size=3), st.sampled_from(["", "reads", "fails", "reads and fails"])),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_acts_of_one_commit_fail_the_record_is_that_of_the_others(
    engine: Engine, acts: list[tuple[list[str], str]]
) -> None:
    """An act says these words in streams of their own, may read the record in between, and may fail."""

    def act(said: list[str], what: str) -> Callable[[Work], None]:
        def acting(work: Work) -> None:
            for stream in said:
                work.record(note(stream, case=stream * 32))
                if "reads" in what:
                    queries.head(work.db)
            if "fails" in what:
                raise Refused(Reason("No."))

        return acting

    with Session(engine) as db:
        before = queries.head(db).size
    writer = Writer(engine, stream_of=lambda db, case: case or "", committed=lambda indexes: None)
    gate = threading.Event()
    writer.submit(lambda work: gate.wait(10))
    answers = [writer.submit(act(*one)) for one in acts]
    gate.set()
    refused = [answer.exception(timeout=30) is not None for answer in answers]
    writer.close()
    stand = [stream * 32 for said, what in acts if "fails" not in what for stream in said]
    with Session(engine) as db:
        told = [entry.stream for entry, _ in queries.everything(db, below=queries.head(db).size)][before:]
        assert (refused, told, first_broken(db)) == (["fails" in what for _, what in acts], stand, "")
