"""Two languages: English msgids, zh_CN by default; one catalogue per area, read and merged at start."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po

from panel.core.errors import Reason

LOCALES = ("zh_CN", "en")
DEFAULT_LOCALE = "zh_CN"
FOLDER = Path(__file__).parent.parent / "locale"
CHINESE_DATE = "y年M月d日 EEEE"  # zh: the pattern of a date
HTML_LANG = {"zh_CN": "zh-CN", "en": "en"}


class Translator:
    """Translates msgids into one locale; callable, for use as `_` in templates."""

    def __init__(self, locale: str, catalogue: Mapping[str, str]) -> None:
        self.locale = locale
        self._catalogue = catalogue

    def __call__(self, msgid: str, **params: Any) -> str:
        """Translate a msgid and fill in its named parameters."""
        text = self._catalogue.get(msgid, msgid)
        return text % params if params else text

    def ngettext(self, singular: str, plural: str, n: int, **params: Any) -> str:
        """Translate a counted sentence; Chinese has one form, kept under the singular msgid."""
        text = self._catalogue.get(singular) or (singular if n == 1 else plural)
        return text % {"n": n, **params}

    def reason(self, reason: Reason) -> str:
        """Translate a refusal; a parameter may be a reason itself, or a text in each locale."""
        return self(reason.msgid, **{k: self._value(v) for k, v in reason.params.items()})

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return value[self.locale]
        return self.reason(value) if isinstance(value, Reason) else value


def _read(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.name)
    texts: dict[str, str] = {}
    for message in catalogue:
        msgid, text = message.id, message.string
        if msgid and text:
            texts[msgid if isinstance(msgid, str) else msgid[0]] = text if isinstance(text, str) else text[0]
    return texts


@cache
def translator(locale: str) -> Translator:
    """Return the translator of a locale; unknown locales get the default one."""
    locale = locale if locale in LOCALES else DEFAULT_LOCALE
    catalogue: dict[str, str] = {}
    for path in sorted((FOLDER / locale).glob("*.po")):
        catalogue |= _read(path)
    return Translator(locale, catalogue)


def choose(*wishes: str | None) -> str:
    """Return the first wish that is a locale we have: the person's, the cookie's, Accept-Language; else Chinese."""
    for wish in filter(None, wishes):
        for tag in wish.split(","):
            name = tag.split(";")[0].strip().replace("-", "_").lower()
            if name.startswith("zh"):
                return "zh_CN"
            if name.startswith("en"):
                return "en"
    return DEFAULT_LOCALE


def own_name(locale: str) -> str:
    """Return what a language calls itself: the word on the switch that leads to it."""
    return str(Locale.parse(locale).language_name)


def show_date(day: date, locale: str) -> str:
    """Write a day: 2026年11月23日 星期一, or Monday, 23 November 2026."""
    pattern = CHINESE_DATE if locale == "zh_CN" else "EEEE, d MMMM y"
    return format_date(day, pattern, locale=locale)


def show_datetime(moment: datetime, locale: str, zone: ZoneInfo) -> str:
    """Write a moment in the committee's zone, to the minute."""
    local = moment.astimezone(zone)
    return f"{show_date(local.date(), locale)} {local:%H:%M}"


def show_clock(moment: datetime, zone: ZoneInfo) -> str:
    """Write the time of day in the committee's zone, to the second: 10:42:07."""
    return f"{moment.astimezone(zone):%H:%M:%S}"
