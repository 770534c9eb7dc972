"""What /metrics reads of an installation when it is asked."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from panel.core import health
from panel.core.mail import MailState, OutgoingMail
from panel.core.metrics import Gauge
from panel.core.pages import Site
from panel.record import queries
from panel.votes.models import Motion, MotionState


def gauges(site: Site) -> Sequence[Gauge]:
    """Return the gauges of a served installation."""

    def counted(model: Any, state: Any) -> float:
        with Session(site.reading) as db:
            return float(db.exec(select(func.count()).select_from(model).where(col(model.state) == state)).one())

    def length() -> float:
        with Session(site.reading) as db:
            return float(queries.head(db).size)

    def waiting() -> float:
        return float(site.writer.waiting())

    data = site.settings.data
    return (
        Gauge("panel_sockets", "Sockets that follow hearings", site.areas["live"].by_audience, "audience"),
        Gauge("panel_motions_open", "Motions that are open", lambda: counted(Motion, MotionState.OPEN)),
        Gauge("panel_mails_waiting", "Mails that wait", lambda: counted(OutgoingMail, MailState.WAITING)),
        Gauge("panel_acts_waiting", "Acts that wait for the writer", waiting),
        Gauge("panel_record_entries", "Entries on the record", length),
        Gauge("panel_backup_age_seconds", "Seconds since the last backup", lambda: health.age(data, health.BACKUP)),
    )
