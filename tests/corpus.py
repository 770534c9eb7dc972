"""What hostile people type. Every area's tests may send these and look for them in what comes back."""

from html.parser import HTMLParser

SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' autofocus onfocus=alert(1) x='",
    "<a href=javascript:alert(1)>x</a>",
    "<span hx-get=/sign-out hx-trigger=load>x</span>",
    "<div data-hx-post=/sign-out hx-trigger=load>x</div>",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<!--><script>alert(1)</script>-->",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "{{7*7}}",
    "{% raw %}{{ config }}",
    "${7*7} #{7*7}",
    "%(password)s %s %n",
    "\x1b[31mred\x1b[0m",
)
"""Markup, attributes, htmx attributes, template and format strings; what they hold may reach a page as text only."""

TURNING = ("\u202ereversed", "\u2066isolated\u2069", "name\u202d")
"""Marks that turn the order of writing: refused."""

HIDDEN = {"黄\u200b某": "黄某", "罗\ufeff正": "罗正", "\u00ad石磊": "石磊", " 冯  婷\t": "冯 婷", "e\u0301": "é"}
"""Names as typed, and as they are kept."""

LOOK_ALIKES = ("pаypal", "Ноward", "αdmin")
"""Latin words with a Cyrillic or Greek letter: refused as names and titles."""

HUGE = "长" * 300_000


class _Hostile(HTMLParser):
    """Collects what our own templates never write: inline scripts and styles, handlers, htmx attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        inline = tag in {"style", "iframe", "object", "embed"} or (tag == "script" and not names.get("nonce"))
        acting = [name for name in names if name.startswith(("on", "hx-", "data-hx-", "srcdoc", "style"))]
        leading = [
            f"{name}={value}" for name, value in attrs if value and value.strip().lower().startswith("javascript:")
        ]
        self.found += [*([tag] if inline else []), *acting, *leading]


def unescaped(page: str) -> list[str]:
    """Return what of the hostile texts a page holds as markup; empty when all was escaped."""
    parser = _Hostile()
    parser.feed(page)
    return parser.found
