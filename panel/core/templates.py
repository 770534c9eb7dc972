"""The template environment: autoescape everywhere, undefined names are errors."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, ClassVar

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.bccache import Bucket
from jinja2.runtime import Context

from panel.core import i18n, words
from panel.core.assets import fingerprint, folder


@pass_context
def _clock(context: Context, moment: datetime) -> str:
    return i18n.show_clock(moment, context["zone"])


@pass_context
def _datetime(context: Context, moment: datetime) -> str:
    return i18n.show_datetime(moment, context["locale"], context["zone"])


@pass_context
def _date(context: Context, day: date | datetime) -> str:
    if isinstance(day, datetime):
        day = day.astimezone(context["zone"]).date()
    return i18n.show_date(day, context["locale"])


@pass_context
def _reason(context: Context, reason: Any) -> str:
    return str(context["_"].reason(reason))


def _parse_time(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


class _Compiled(BytecodeCache):
    """Compiled templates, kept for the life of the process: several applications in one compile each only once."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what an environment before this one has compiled of the very same source."""
        if compiled := self.kept.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


def environment(url: Callable[..., str]) -> Environment:
    """Return the environment; `url(name, **params)` writes a route's path."""
    templates = Environment(
        loader=FileSystemLoader(folder("templates")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False, cache_size=-1, bytecode_cache=_Compiled(),
    )  # fmt: skip
    templates.globals.update(url=url, words=words, static=lambda path: f"/static/{path}?v={fingerprint(path)}")
    templates.globals.update(own_name=i18n.own_name)
    templates.filters.update(
        clock=_clock, datetime=_datetime, date=_date, reason=_reason, duration=_duration, parse_time=_parse_time
    )
    return templates
