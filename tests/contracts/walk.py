"""Walking over every route as everybody: addresses with ids that exist, and how each answer is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
from sqlmodel import Session, SQLModel, select
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from panel.accounts.models import Appointment
from panel.accounts.views.demo import entry_token
from panel.cases.models import Exhibit
from panel.dissents.models import Dissent
from panel.hearings.models import FloorRequest, Minutes, Question, Showing, Turn
from panel.opinions.models import Round
from panel.publication.models import Gist
from panel.record.models import Acknowledgement
from panel.rulebook.models import RuleDocument
from panel.votes.models import Motion
from tests.factories import World

PEOPLE = {
    "C": "chair",
    "M": "luo",
    "S": "secretary",
    "R": "recorder",
    "H": "handler",
    "O": "official",
    "P": "helper",
    "A": "authority",
    "B": "observer",
    "J": "projector",
    "Q": "jiang",
    "L": "he",
    "X": "stranger",
    "Y": "system",
    "Z": "security",
    "U": "audit",
    "W": "clerk",
    "-": None,
}
"""Everybody, by letter: the ten roles of a case, and those with no part in it: recused, alternate, stranger, the four
offices of the installation, nobody."""

OF_OPEN_ROUND = {"opinions.edit", "opinions.check"}
OF_SIZE = {"record.timestamp"}
MISSING = "0" * 32
IN_THE_CASE = "CMSRHOPABJ"
OFFICES = "YZUW"
REFUSED = {"-": 401, "X": 404, "L": 404, "Q": 403, **dict.fromkeys(OFFICES, 404)}
"""What those get who have no part in the case; whoever has one but not this is told so (403)."""


@dataclass
class Walk:
    """A world, and one thing of every kind in it; a motion and a round that are open, where there are."""

    world: World
    motion_id: str = ""
    open_round: str = ""
    slug: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    clients: dict[str, TestClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    visited: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    answers: list[tuple[str, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.world.db() as db:
            self.ids = {
                "cases": self.world.case_id,
                "hearings": self.world.hearing_id,
                "seats": self.world.seats["luo"],
                "motions": self.motion_id or _first(db, Motion),
                "exhibits": _first(db, Exhibit),
                "rounds": _first(db, Round),
                "rules": _first(db, RuleDocument),
                "floor-requests": _first(db, FloorRequest),
                "turns": _first(db, Turn),
                "questions": _first(db, Question),
                "showings": _first(db, Showing),
                "minutes": _first(db, Minutes),
                "devices": MISSING * 2,
                "public": self.slug or MISSING,
                "dissents": _first(db, Dissent),
                "gists": _first(db, Gist),
                "record": "0/000.p/1",
                "receipts": _receipt(db, self.world.people["luo"]),
                "demo": entry_token(self.world.site, "luo"),
                "people": self.world.people["stranger"],
                "appointments": _first(db, Appointment),
                "roster": MISSING,
                "passkeys": MISSING,
                "draws": MISSING,
                "offers": MISSING,
                "links": "reset",
                "rehearsal": "luo",
            }

    def routes(self) -> list[Route]:
        """Return every route; what is mounted is named in the test of the route table."""
        return [route for route in self.world.app.routes if isinstance(route, Route)]

    def mounts(self) -> list[str]:
        """Return where something is mounted."""
        return [route.path for route in self.world.app.routes if isinstance(route, Mount)]

    def visits(self, method: str) -> Iterator[tuple[str, str]]:
        """Return name and address of every route of this method."""
        for route in self.routes():
            if method in (route.methods or ()):
                yield route.name, self.address(route)

    def address(self, route: Route) -> str:
        """Fill in ids of things that exist; a kind of address that nobody has told about fails here."""
        if "{" not in route.path:
            return route.path
        kind = route.path.split("/")[1]
        if route.name in OF_SIZE:
            return re.sub(r"\{[^}]+\}", "7", route.path)
        id = self.open_round if route.name in OF_OPEN_ROUND and self.open_round else self.ids[kind]
        return re.sub(r"\{[^}]+\}", id, route.path)

    def client(self, letter: str) -> TestClient:
        """Return a client signed in as one of PEOPLE; each keeps its own."""
        if letter not in self.clients:
            self.clients[letter] = self.world.client(PEOPLE[letter])
        return self.clients[letter]

    def get(self, letter: str, path: str, **headers: str) -> httpx2.Response:
        """Read a page as somebody."""
        return self.client(letter).get(path, headers=headers, follow_redirects=False)

    def post(self, letter: str, path: str, sent: dict[str, str]) -> httpx2.Response:
        """Send a form as somebody, with the token of their own pages."""
        client = self.client(letter)
        if letter not in self.tokens:
            self.tokens[letter] = self.world.token(client, "/sign-in")["csrf"]
        return client.post(path, data={"csrf": self.tokens[letter], **sent}, follow_redirects=False)


def _receipt(db: Session, person_id: str) -> str:
    return db.exec(select(Acknowledgement.id).where(Acknowledgement.person_id == person_id)).first() or MISSING


def _first(db: Session, model: type[SQLModel]) -> str:
    found = db.exec(select(model)).first()
    return str(found.id) if found else MISSING  # type: ignore[attr-defined]  # every row of a walk has an id
