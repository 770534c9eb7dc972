"""Reading a page as a browser does: its forms, their fields, and the words around them."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

Fields = list[tuple[str, str]]


@dataclass
class FormOnPage:
    """A form of a page: `name` is its data-form, `fields` what would be sent untouched, `options` its choices."""

    name: str
    action: str
    live: bool
    fields: Fields = field(default_factory=list)
    options: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    words: str = ""

    def filled(self, **values: str | list[str]) -> Fields:
        """Return the fields to send with these values put in; a list gives a field several times."""
        kept = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            kept += [(name, each) for each in (value if isinstance(value, list) else [value])]
        return kept

    def option(self, name: str, label: str) -> str:
        """Return the value of the option whose words are these or, if none is, contain these; raises LookupError."""
        offered = [(value, words) for value, words in self.options.get(name, []) if value]
        for value, words in sorted(offered, key=lambda one: one[1] != label):
            if label in words:
                return value
        raise LookupError(f"no option {label!r} of {name!r} in the form {self.name!r}")


class Page:
    """A page that was read; it is taken apart only when somebody asks for what is in it."""

    def __init__(self, html: str) -> None:
        self.html = html

    @cached_property
    def _parts(self) -> "_Parts":
        return _Parts(self.html)

    @property
    def forms(self) -> list[FormOnPage]:
        """Return the forms in the order of the page."""
        return self._parts.forms

    @property
    def attributes(self) -> dict[str, list[str]]:
        """Return the data attributes of all elements, by name."""
        return self._parts.attributes

    @property
    def links(self) -> dict[str, str]:
        """Return the addresses that the start page offers, by login."""
        return self._parts.links

    @property
    def text(self) -> str:
        """Return the page's words."""
        return " ".join("".join(self._parts.words).split())

    def named(self, name: str) -> list[FormOnPage]:
        """Return the forms of this name in the order of the page."""
        there = f'data-form="{name}"' in self.html
        return [form for form in self.forms if form.name == name] if there else []

    def form(self, name: str, words: str = "") -> FormOnPage | None:
        """Return the first form of this name that contains these words, or None."""
        return next((form for form in self.named(name) if words in form.words), None)

    def first(self, attribute: str) -> str:
        """Return the first value of a data attribute, or an empty text."""
        there = f"{attribute}=" in self.html
        return next(iter(self.attributes.get(attribute, [])), "") if there else ""

    @property
    def phase(self) -> str:
        """Return where the hearing stands, on a live page."""
        found = re.search(r' data-phase="([a-z_]+)"', self.html)
        return found[1] if found else ""

    @property
    def dissents(self) -> list[tuple[str, str]]:
        """Return the dissents that are shown, in order: their numbers, and all of their words."""
        chunks = [chunk.partition("</article>")[0] for chunk in self.html.split('<article class="dissent')[1:]]
        numbers = [re.search(r'class="number">(\d+)<', chunk) for chunk in chunks]
        return [(n[1] if n else "", Page(f"<p {chunk}").text) for n, chunk in zip(numbers, chunks, strict=True)]


class _Parts(HTMLParser):
    """The parts of a page: its forms, data attributes, links to places, and words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self.attributes: dict[str, list[str]] = {}
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self._form: FormOnPage | None = None
        self._area: str | None = None
        self._select: tuple[str, bool] | None = None
        self._option: tuple[str, bool] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element in."""
        has = {name: value or "" for name, value in attrs}
        for name, value in has.items():
            if name.startswith("data-"):
                self.attributes.setdefault(name, []).append(value)
        if tag == "a" and "data-login" in has:
            self.links[has["data-login"]] = has.get("href", "")
        if tag == "form":
            self._form = FormOnPage(has.get("data-form", ""), has.get("action", ""), "data-live" in has)
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(self._form, tag, has)

    def _field(self, form: FormOnPage, tag: str, has: dict[str, str]) -> None:
        name = has.get("name", "")
        if tag == "input" and name:
            self._input(form, name, has)
        elif tag == "textarea" and name:
            self._area = name
            form.fields.append((name, ""))
        elif tag == "select" and name:
            self._select = (name, False)
        elif tag == "option" and self._select is not None:
            self._option = (has.get("value", ""), "selected" in has)

    def _input(self, form: FormOnPage, name: str, has: dict[str, str]) -> None:
        kind, value = has.get("type", "text"), has.get("value", "")
        if kind in {"radio", "checkbox"}:
            form.options.setdefault(name, []).append((value, has.get("data-choice", value)))
            if "checked" in has:
                form.fields.append((name, value))
        elif kind != "file":
            form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None
        elif tag == "option":
            self._option = None

    def handle_data(self, data: str) -> None:
        """Take words in; those of options and text areas belong to their fields."""
        if self._option is not None and self._select is not None and self._form is not None:
            self._choose(self._form, data)
        elif self._area is not None and self._form is not None:
            name, value = self._form.fields[-1]
            self._form.fields[-1] = (name, value + data)
        elif self._form is not None:
            self._form.words += data
        self.words.append(data)

    def _choose(self, form: FormOnPage, words: str) -> None:
        assert self._select is not None
        assert self._option is not None
        name, taken = self._select
        value, selected = self._option
        form.options.setdefault(name, []).append((value, words.strip()))
        if selected or not taken:
            form.fields = [(n, v) for n, v in form.fields if n != name]
            form.fields.append((name, value))
            self._select = (name, True)
