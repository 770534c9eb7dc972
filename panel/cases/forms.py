"""The shape of what people send to a dossier."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from starlette.datastructures import FormData

from panel.cases import rules
from panel.cases.models import Outcome
from panel.core.errors import Invalid, Reason
from panel.core.forms import Chosen, Form, Title


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


class VerificationForm(Form):
    """The verification report. `analysis` is collected from the fields `text-<key>` and `leans-<key>`."""

    LEANS: ClassVar[frozenset[str]] = frozenset({"tolerance", "against"})

    facts: Annotated[str, Field(min_length=1, max_length=rules.LONGEST_TEXT)]
    private_benefit: Annotated[str, Field(max_length=4000)] = ""
    recommendation: Outcome
    reasons: Annotated[str, Field(min_length=1, max_length=8000)]
    analysis: dict[str, list[dict[str, str]]] = {}

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
