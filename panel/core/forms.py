"""The shape of what people send, and the keys that make a repeated form harmless."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from sqlalchemy import JSON, Column, bindparam, select
from sqlalchemy import text as text_of_sql
from sqlmodel import Field, Session, SQLModel
from starlette.datastructures import FormData, UploadFile

from panel.core import clock, text
from panel.core.db import Prepared, unasked
from panel.core.errors import Invalid, Reason, Refused

OWN_FIELDS = frozenset({"csrf", "idem", "proof"})
"""Fields of every form, which none declares: its token, its key, and a proof of who sends it."""


class Form(BaseModel):
    """A form: unknown fields and repeated single fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    echoed: ClassVar[bool] = True
    """Whether a refusal shows again what was typed; false for ballots and passwords."""

    @field_validator("*", mode="before")
    @classmethod
    def one_spelling(cls, typed: Any) -> Any:
        """Compose every text (NFC), LF at line ends, no control marks; refuse marks that turn the order of writing."""
        if isinstance(typed, list):
            return [cls.one_spelling(each) for each in typed]
        if isinstance(typed, str) and text.turns(typed):
            raise wrong(text.TURNS)
        return text.many_lines(typed) if isinstance(typed, str) else typed

    @classmethod
    def parse(cls, sent: FormData) -> Self:
        """Read the fields; raise Invalid naming each one that is wrong."""
        try:
            return cls.model_validate(_fields(sent, cls))
        except ValidationError as error:
            raise Invalid({_where(e): _why(e) for e in error.errors()}) from None


def _fields(sent: FormData, form: type[BaseModel]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in set(sent.keys()) - OWN_FIELDS:
        values = sent.getlist(name)
        fields[name] = values if _is_list(form, name) else values[0]
        if len(values) > 1 and not _is_list(form, name):
            raise Invalid({name: Reason("This was sent more than once.")})
    return fields


def _is_list(form: type[BaseModel], name: str) -> bool:
    field = form.model_fields.get(name)
    return field is not None and str(field.annotation).startswith(("list", "tuple"))


def _where(error: Any) -> str:
    return str(error["loc"][0]) if error["loc"] else ""


def _why(error: Any) -> Reason:
    kind, limits = error["type"], error.get("ctx") or {}
    if kind in {"missing", "string_too_short"}:
        return Reason("Please fill this in.")
    if kind in {"string_too_long", "too_long"}:
        return Reason("This is too long: at most %(n)s characters.", n=limits.get("max_length", ""))
    if kind == "extra_forbidden":
        return Reason("This field does not belong to the form.")
    said = limits.get("error")
    if kind == "value_error" and isinstance(said, _Said):
        return said.reason
    return Reason("This is not one of the possible answers.")


class _Said(ValueError):
    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _title(typed: str) -> str:
    title = text.one_line(typed)
    reason = text.why_not_title(title) if title else None
    if reason is not None:
        raise wrong(reason)
    return title


def _chosen(sent: Any) -> Any:
    """Take an empty file field for none: browsers send one when no file was chosen."""
    return None if isinstance(sent, str) or not getattr(sent, "filename", "") else sent


Chosen = Annotated[UploadFile | None, BeforeValidator(_chosen)]
"""A file that was chosen, or none."""

Title = Annotated[str, AfterValidator(_title)]
"""A field that holds a name or a title: one line, no mixed look-alike scripts (security requirement 33)."""


def wrong(reason: Reason) -> ValueError:
    """Return the error that a form's validator raises to say what is wrong in words."""
    return _Said(reason)


@unasked
class SubmittedForm(SQLModel, table=True):
    """A form that was accepted: the same key and body get the same answer."""

    __tablename__ = "submitted_form"

    key: str = Field(primary_key=True, max_length=80)
    body_sha256: str
    answer: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    at: datetime = Field(default_factory=clock.now)


_FORMS = SQLModel.metadata.tables["submitted_form"].c
_KEEP = Prepared(
    text_of_sql(
        "INSERT INTO submitted_form (key, body_sha256, answer, at) VALUES (:key, :body_sha256, :answer, :at) "
        "ON CONFLICT (key) DO NOTHING"
    ).bindparams(bindparam("answer", type_=JSON), bindparam("at", type_=_FORMS.at.type))
)
_EARLIER = Prepared(select(_FORMS.body_sha256).where(_FORMS.key == bindparam("key")))


_TOUCH = Prepared(
    text_of_sql(
        "INSERT INTO submitted_form (key, body_sha256, answer, at) VALUES (:key, '', '{}', :at) "
        "ON CONFLICT (key) DO UPDATE SET at = excluded.at"
    ).bindparams(bindparam("at", type_=_FORMS.at.type))
)


def touch(db: Session, key: str, at: datetime) -> None:
    """Write that something was there at this moment, in one row of its own: a probe of the disk."""
    _TOUCH(db, key=key, at=at)


def body_sha256(path: str, sent: FormData) -> str:
    """Return the digest of a form's address and fields, its own keys left out."""
    pairs = sorted((k, _text(v)) for k, v in sent.multi_items() if k not in OWN_FIELDS)
    return sha256(repr((path, pairs)).encode()).hexdigest()


def _text(value: str | UploadFile) -> str:
    return value if isinstance(value, str) else f"{value.filename}:{value.size}"


def kept(db: Session, key: str, digest: str, at: datetime) -> bool:
    """Keep a form's key and body with the act that it asks for; return False if this very form was accepted before.

    Raises Refused for another body under its key. What is kept goes when the act is refused.
    """
    if _KEEP(db, key=key, body_sha256=digest, answer={}, at=at).rowcount == 1:
        return True
    if _EARLIER(db, key=key).fetchone() != (digest,):
        raise Refused(Reason("This form was already sent with other content. Open the page again and check it."))
    return False
