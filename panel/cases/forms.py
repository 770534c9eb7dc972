"""The shape of what people send to a dossier."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator
from starlette.datastructures import FormData

from panel.cases import rules
from panel.cases.models import Outcome
from panel.core.errors import Invalid, Reason
from panel.core.forms import Chosen, Form, Title, wrong


class ExhibitForm(Form):
    """A new exhibit: a text, or a file."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, arbitrary_types_allowed=True)

    title: Annotated[Title, Field(min_length=1, max_length=200)]
    origin: Annotated[str, Field(max_length=200)] = ""
    text: Annotated[str, Field(max_length=rules.LONGEST_TEXT)] = ""
    file: Chosen = None
    fictional: bool = False


class QuestionsForm(Form):
    """The list of factual questions, one on each line; `settle` once it has been checked."""

    texts: Annotated[str, Field(min_length=1, max_length=rules.MOST_QUESTIONS * (rules.LONGEST_QUESTION + 2))]
    go: Literal["check", "change", "settle"] = "check"

    @property
    def questions(self) -> list[str]:
        """Return the questions, empty lines left out."""
        return [line.strip() for line in self.texts.splitlines() if line.strip()]


_Rows = list[Annotated[str, Field(max_length=4000)]]
"""A column of a table in a form; the columns run in parallel."""


class VerificationForm(Form):
    """The verification report. `analysis` is collected from the fields `text-<key>` and `leans-<key>`.

    The columns `objection_...` tell of objections in the original decision.
    """

    LEANS: ClassVar[frozenset[str]] = frozenset({"tolerance", "against"})
    PROVEN: ClassVar[frozenset[str]] = frozenset({"proven", "not_proven"})

    facts: Annotated[str, Field(min_length=1, max_length=rules.LONGEST_TEXT)]
    private_benefit: Annotated[str, Field(max_length=4000)] = ""
    recommendation: Outcome
    reasons: Annotated[str, Field(min_length=1, max_length=8000)]
    analysis: dict[str, list[dict[str, str]]] = {}
    objection_by: _Rows = []
    objection_meeting: _Rows = []
    objection_on: _Rows = []
    objection_exhibit: _Rows = []
    objection_wording: _Rows = []
    objection_proven: _Rows = []
    objection_found: _Rows = []

    @model_validator(mode="after")
    def objections_are_whole(self) -> "VerificationForm":
        """Refuse a half-filled objection; rows left empty do not count."""
        for by, meeting, on, exhibit, wording, proven, found in self._rows():
            if not (by and meeting and wording and proven in self.PROVEN):
                raise wrong(Reason("Say of every objection who raised it, where, in which words, and if it is proven."))
            if exhibit and not re.fullmatch(r"[0-9]{1,6}", exhibit):
                raise wrong(Reason("An exhibit is named by its number."))
            if len(by) > 80 or len(meeting) > 200 or len(on) > 80 or len(wording) > 4000 or len(found) > 4000:
                raise wrong(Reason("What is said of an objection is too long."))
        return self

    def _rows(self) -> list[tuple[str, ...]]:
        columns = (
            self.objection_by, self.objection_meeting, self.objection_on, self.objection_exhibit,
            self.objection_wording, self.objection_proven, self.objection_found,
        )  # fmt: skip
        if len({len(column) for column in columns}) > 1:
            raise wrong(Reason("Say of every objection who raised it, where, in which words, and if it is proven."))
        return [row for row in zip(*columns, strict=True) if any(row)]

    @property
    def objections(self) -> list[rules.Objection]:
        """Return the objections in the original decision that were filled in."""
        return [
            rules.Objection(by, meeting, on, int(exhibit) if exhibit else None, wording, proven == "proven", found)
            for by, meeting, on, exhibit, wording, proven, found in self._rows()
        ]

    @classmethod
    def parse(cls, sent: FormData) -> "VerificationForm":
        """Read the fields; those of a consideration come in pairs."""
        texts = {name.removeprefix("text-"): str(sent[name]) for name in sent if name.startswith("text-")}
        leans = {name.removeprefix("leans-"): str(sent[name]) for name in sent if name.startswith("leans-")}
        form = super().parse(FormData([(k, v) for k, v in sent.multi_items() if not k.startswith(("text-", "leans-"))]))
        form.analysis = {key: _points(key, text, leans.get(key, "")) for key, text in texts.items() if text.strip()}
        return form


def _points(key: str, text: str, leans: str) -> list[dict[str, str]]:
    kept = Form.one_spelling(text).strip()
    if len(kept) > 4000:
        raise Invalid({f"text-{key}": Reason("This is too long: at most %(n)s characters.", n=4000)})
    if leans not in VerificationForm.LEANS:
        raise Invalid({f"leans-{key}": Reason("Say in which direction this consideration leans.")})
    return [{"leans": leans, "text": kept}]
