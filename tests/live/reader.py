"""A reader of the live page, as the tests see one: what comes back from `changes`, and which parts are in it."""

import re
from dataclasses import dataclass

from starlette.testclient import TestClient

from tests.factories import World


@dataclass(frozen=True)
class Answer:
    """What `changes` answered: the status, the revision, and each part's markup by its id."""

    status: int
    revision: int
    parts: dict[str, str]


class Reader:
    """Somebody who follows the world's hearing."""

    def __init__(self, world: World, who: str) -> None:
        self.client: TestClient = world.client(who)
        self.page_path = f"/hearings/{world.hearing_id}"

    def ask(self, query: str) -> Answer:
        """Ask for changes."""
        answer = self.client.get(f"{self.page_path}/changes?{query}")
        return Answer(answer.status_code, int(answer.headers["panel-revision"]), parts_in(answer.text))

    def since(self, revision: int) -> Answer:
        """Ask what is newer than a revision."""
        return self.ask(f"since={revision}")

    def revision(self) -> int:
        """Return the revision that holds now."""
        return self.since(-1).revision

    def page(self) -> tuple[int, dict[str, str]]:
        """Return the whole page's revision and parts."""
        text = self.client.get(self.page_path).text
        (revision,) = re.findall(r'data-revision="(\d+)"', text)
        return int(revision), parts_in(text)


def parts_in(text: str) -> dict[str, str]:
    """Return each part's markup by its id; parts never nest."""
    found = re.findall(r'(<section data-part[^>]*?id="((?:part|own)-[a-z]+)".*?</section>)', text, re.DOTALL)
    return {name: markup for markup, name in found}


def shared(parts: dict[str, str]) -> dict[str, str]:
    """Return the shared ones among parts."""
    return {name: markup for name, markup in parts.items() if name.startswith("part-")}
