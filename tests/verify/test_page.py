"""The verify page says what the command says; nothing leaves it; and it is one file that needs no network."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, Request, expect

from panel.core.i18n import translator
from panel.record import queries
from panel.record.commitment import encode64
from panel.record.events import Level
from panel.record.receipt import extra_of
from panel.verify import check, receipt, views
from panel.verify.check import FAILS, HOLDS, NOT_REACHED, Report
from tests.browser import Screens
from tests.e2e.look import EVERY_PICTURE, Scheme, examined, overflow
from tests.e2e.room import widths
from tests.factories import World, make_world
from tests.serving import Served, served
from tests.verify.stories import KEY, Teller, bundle, rewritten, tell, written

VKEY = str(KEY.verifier)
LANGUAGES = {"zh-CN": "zh_CN", "en": "en"}
SHOWN = (("public", None), ("broken", VKEY), ("receipt", VKEY))
BROKEN = 3
"""Which entry the tests break."""

READS = """window.read = [];
const whole = Blob.prototype.arrayBuffer;
Blob.prototype.arrayBuffer = function () { window.read.push(this.size); return whole.call(this); };"""
NO_ED25519 = """const imported = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (form, key, algorithm, ...rest) {
  if (algorithm.name === "Ed25519") return Promise.reject(new DOMException("no", "NotSupportedError"));
  return imported.call(this, form, key, algorithm, ...rest);
};"""
DROPPED = "text => { const it = new DataTransfer(); it.items.add(new File([text], 'dropped.json')); return it; }"
NO_CRYPTOGRAPHY = "Object.defineProperty(crypto, 'subtle', { value: undefined })"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Served]:
    """A served world; the files that are checked come from another."""
    with served(tmp_path_factory.mktemp("served"), template) as one:
        yield one


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, template: Path) -> dict[str, Path]:
    """A bundle for each audience, two broken ones, and a receipt, as files."""
    folder = tmp_path_factory.mktemp("files")
    world = make_world(folder / "world", template)
    tell(world, Teller(world.case_id).whole())
    data = {level.name.lower(): bundle(world, level) for level in Level}
    value = rewritten(data["public"])
    value["entries"][BROKEN]["proof"].pop()
    data["broken"] = written(value)
    data["no bundle"] = b'{"format":"heyi-bundle/v1"}\n'
    data["receipt"] = a_receipt(world)
    data["broken receipt"] = data["receipt"].replace(b"\nindex ", b"\nindex 1")
    world.close()
    paths = {name: folder / name for name in data}
    for name, path in paths.items():
        path.write_bytes(data[name])
    return paths


def a_receipt(world: World) -> bytes:
    """Return a receipt of the decision, with all of it disclosed."""
    with world.db() as db:
        newest = queries.checkpoint_of(db, 1)
        assert newest is not None
        found = queries.entry(db, newest.size - 1)
        assert found is not None
        parts = queries.opened_parts(*found, public=True, private=True)
        return str(queries.receipt_of(db, newest, found[0], parts)).encode()


def judged(path: Path, key: str | None) -> Report:
    """Return what the command finds."""
    data = path.read_bytes()
    report: Report = (receipt if receipt.is_receipt(data) else check).verify(data, key)
    return report


def opened(screens: Screens, origin: str, *, locale: str = "zh-CN", size: str = "wide", **options: Any) -> Page:
    """Open the verify page."""
    page = screens.open(size, locale, **options)
    page.goto(f"{origin}/verify")
    return page


def choose(page: Page, path: Path, key: str | None = VKEY) -> None:
    """Choose a file, after pasting a key, and wait for the verdict."""
    page.locator("#verify-file").set_input_files([])
    page.locator("#verify-key").fill(key or "")
    page.locator("#verify-key").blur()
    before = int(page.locator("[data-verifier]").get_attribute("data-done") or 0)
    page.locator("#verify-file").set_input_files(path)
    expect(page.locator(f"[data-verifier][data-done='{before + 1}']")).to_have_count(1)


def outcomes(page: Page) -> list[list[str]]:
    """Return check, title and state of everything that the page lists."""
    rows: list[list[str]] = page.locator("[data-check]").evaluate_all(
        "lines => lines.map(each => [each.dataset.check,"
        " each.querySelector('.check-name').textContent, each.dataset.state])"
    )
    return rows


def told(report: Report, locale: str) -> list[list[str]]:
    """Return the same of a report of the command."""
    words = translator(locale)
    return [[one.check.name, words.reason(one.check.title), one.state] for one in report.outcomes]


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_page_tells_what_the_command_tells(
    running: Served, files: dict[str, Path], screens: Screens, locale: str
) -> None:
    page, words = opened(screens, running.origin, locale=locale), translator(LANGUAGES[locale])
    for name, path in files.items():
        for key in (VKEY, None) if (name, None) in SHOWN or "receipt" in name else (VKEY,):
            report = judged(path, key)
            choose(page, path, key)
            assert outcomes(page) == told(report, LANGUAGES[locale])
            said = page.locator("[data-checks-list]").inner_text()
            for one in report.outcomes:
                if one.state == HOLDS:
                    assert words("Proves: %(what)s", what=words.reason(one.check.proves)) in said
                    assert words("Does not prove: %(what)s", what=words.reason(one.check.leaves_open)) in said
                if one.reason is not None:
                    assert words.reason(one.reason) in said
            assert page.locator("[data-check=motions] li").all_inner_texts() == [
                words.reason(verdict.words) for verdict in report.verdicts
            ]
            expected = "This file holds."
            if report.failure:
                title = words.reason(report.failure.check.title)
                expected = words("This file does not hold. The first thing that fails: %(title)s.", title=title)
            assert words(expected) in page.locator("[data-verdict]").inner_text()
            assert (VKEY in page.locator("[data-verdict]").inner_text()) == (key is None and report.holds)


def test_the_first_broken_entry_stands_with_its_neighbours(
    running: Served, files: dict[str, Path], screens: Screens
) -> None:
    page = opened(screens, running.origin, locale="en")
    choose(page, files["broken"])
    report = judged(files["broken"], VKEY)
    assert report.failure is not None
    assert report.bundle is not None
    assert (report.failure.check.name, report.failure.place) == ("proofs", f"entries[{BROKEN}]")
    rows = page.locator("[data-broken] tbody tr")
    near = report.bundle.entries[BROKEN - 1 : BROKEN + 2]
    assert [[cell.split()[0] for cell in row.split("\t")[:2]] for row in rows.all_inner_texts()] == [
        [str(entry.index), str(entry.header["seq"])] for entry in near
    ]
    assert [entry.header["time"] in text for entry, text in zip(near, rows.all_inner_texts(), strict=True)] == [
        True
    ] * 3
    assert rows.nth(1).get_attribute("aria-current") == "true"
    assert page.locator("[data-broken] [aria-current]").count() == 1
    choose(page, files["public"])
    assert page.locator("[data-broken]").is_hidden()


def test_no_request_leaves_the_page(running: Served, files: dict[str, Path], screens: Screens) -> None:
    page = opened(screens, running.origin)
    page.wait_for_load_state("networkidle")
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    for name in ("full", "broken", "receipt"):
        choose(page, files[name])
    page.wait_for_timeout(300)
    assert [request.url for request in requests] == []
    assert page.evaluate("performance.getEntriesByType('resource').filter(e => e.initiatorType === 'fetch')") == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_one_file_does_the_same_from_disk_without_network(
    running: Served, files: dict[str, Path], screens: Screens, tmp_path: Path, locale: str
) -> None:
    answer = httpx.get(f"{running.origin}/verify/heyi-verify.html?lang={locale[:2]}")
    assert answer.headers["content-disposition"] == 'attachment; filename="heyi-verify.html"'
    saved = tmp_path / "heyi-verify.html"
    saved.write_bytes(answer.content)
    page = screens.open("phone", locale)
    page.context.set_offline(True)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(saved.as_uri())
    for name in ("full", "broken", "receipt"):
        choose(page, files[name])
        assert outcomes(page) == told(judged(files[name], VKEY), LANGUAGES[locale])
    assert requests == [saved.as_uri()]
    screens.shoot(page, f"file-{locale}")
    assert overflow(page, "file") == []
    assert examined(page, "file") == []


def test_the_one_file_lets_in_nothing_but_its_own_script_and_style(running: Served) -> None:
    text = httpx.get(f"{running.origin}/verify/heyi-verify.html").text
    [script], [style] = (re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL) for name in ("script", "style"))
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.replace("&#39;", "'") == (
        f"default-src 'none'; script-src '{views.source_of(script)}'; style-src '{views.source_of(style)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types"
    )
    assert re.findall(r"\b(?:src|href)=", text) == []
    assert text.count("<script") == 1


def test_an_inlined_text_that_would_end_its_element_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "verify").mkdir()
    monkeypatch.setattr(views, "folder", lambda _name: tmp_path)
    for text in ("'</SCRIPT>'", "'<!--'", "'</style'"):
        (tmp_path / "verify" / "one.js").write_text(text)
        with pytest.raises(ValueError, match="would end its own element"):
            views.inlined.__wrapped__("verify", "js", ("one",))


def test_a_file_of_a_gigabyte_is_refused_unread(running: Served, screens: Screens, tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(1024**3)
    page = screens.open(locale="en")
    page.add_init_script(READS)
    page.goto(f"{running.origin}/verify")
    choose(page, huge)
    assert page.locator("[data-check=file]").get_attribute("data-state") == FAILS
    assert "The file is larger than any bundle." in page.locator("[data-verdict]").inner_text()
    assert page.evaluate("read") == [len("c2sp.org/tlog-proof@v1")]


def test_a_browser_that_cannot_judge_signatures_says_so(
    running: Served, files: dict[str, Path], screens: Screens
) -> None:
    page = screens.open(locale="en")
    page.add_init_script(NO_ED25519)
    page.goto(f"{running.origin}/verify")
    choose(page, files["public"])
    states = {name: state for name, _, state in outcomes(page)}
    assert states["checkpoint"] == "unable"
    assert {state for name, state in states.items() if name not in ("file", "key", "parts", "checkpoint")} == {
        NOT_REACHED
    }
    said = page.locator("[data-verdict]").inner_text()
    assert "This browser cannot check Ed25519 signatures." in said
    assert "This file" not in said


def test_a_page_without_cryptography_says_so_and_takes_no_file(running: Served, screens: Screens) -> None:
    page = screens.open(locale="en")
    page.add_init_script(NO_CRYPTOGRAPHY)
    page.goto(f"{running.origin}/verify")
    assert "no cryptography" in page.locator("[data-verdict]").inner_text()
    assert page.locator("#verify-file").is_hidden()


def test_without_script_the_page_names_the_command(running: Served, screens: Screens) -> None:
    page = opened(screens, running.origin, locale="en", java_script_enabled=False)
    assert "The command at the foot of this page does the same." in page.locator("main").inner_text()
    assert "python3 run.py verify FILE --key KEY" in page.locator("main").inner_text()
    assert page.locator("#verify-file").is_hidden()


def test_keyboard_alone_is_enough(running: Served, files: dict[str, Path], screens: Screens) -> None:
    page = opened(screens, running.origin, locale="en")
    page.locator("#verify-file").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("  " + VKEY)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check the file"
    page.keyboard.press("Enter")
    expect(page.locator("[role=status] [data-verdict]")).to_contain_text("Choose a file first.")
    page.locator("#verify-file").set_input_files(files["public"])
    expect(page.locator("[role=status] [data-verdict]")).to_contain_text("This file holds.")
    page.get_by_role("button", name="Check the file").press("Enter")
    expect(page.locator("[data-verifier][data-done='2']")).to_have_count(1)


def test_a_dropped_file_is_checked(running: Served, files: dict[str, Path], screens: Screens) -> None:
    page = opened(screens, running.origin, locale="en")
    text = files["public"].read_text(encoding="utf-8")
    moved = page.evaluate_handle(DROPPED, text)
    page.dispatch_event("[data-drop]", "dragover", {"dataTransfer": moved})
    assert page.locator("[data-drop].is-over").count() == 1
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": moved})
    expect(page.locator("[data-verdict]")).to_contain_text("This file holds.")
    assert page.locator("[data-drop].is-over").count() == 0


def test_what_a_hostile_file_says_is_shown_and_never_obeyed(
    running: Served, files: dict[str, Path], screens: Screens, tmp_path: Path
) -> None:
    page = opened(screens, running.origin, locale="en")
    value = rewritten(files["public"].read_bytes())
    value["entries"][2]["parts"]["public"] = {
        "salt": "\u202e<img src=x onerror=alert(1)>",
        "value": {"kind": "<b>x</b>"},
    }
    path = tmp_path / "hostile"
    path.write_bytes(written(value))
    choose(page, path)
    assert page.locator("[data-broken] tbody tr").nth(1).locator("td").nth(1).inner_text() == "<b>x</b>"
    value["case"] = "<b>\u202ecase</b>"
    path.write_bytes(written({**value, "entries": []}))
    choose(page, path)
    assert "<b>\ufffdcase</b>" in page.locator("[data-subject]").inner_text()
    assert page.locator("main b, main img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_how_it_looks(running: Served, files: dict[str, Path], screens: Screens, scheme: Scheme) -> None:
    faults = []
    for locale in LANGUAGES if scheme == "light" or EVERY_PICTURE else ("zh-CN",):
        page = opened(screens, running.origin, locale=locale, color_scheme=scheme)
        faults += examined(page, f"empty-{locale}-{scheme}")
        for name, key in SHOWN:
            page.set_viewport_size({"width": 1440, "height": 900})
            choose(page, files[name], key)
            for width in (1440, 768, 360):
                page.set_viewport_size({"width": width, "height": 900})
                faults += overflow(page, f"{name}-{locale}-{width}")
                if EVERY_PICTURE or name == "broken":
                    screens.shoot(page, f"{name}-{locale}-{scheme}-{width}")
            faults += examined(page, f"{name}-{locale}-{scheme}")
    assert faults == []


def test_on_paper_the_result_stands_without_the_form(running: Served, files: dict[str, Path], screens: Screens) -> None:
    page = opened(screens, running.origin)
    choose(page, files["broken"])
    page.emulate_media(media="print")
    assert page.locator("#verify-file").is_hidden()
    assert page.locator("[data-verdict]").is_visible()
    assert page.locator("[data-check]").last.is_visible()
    content, screen = widths(page)
    assert content <= screen


@pytest.mark.parametrize("text", views.sentences())
def test_every_sentence_of_the_scripts_is_said_in_chinese_too(text: str) -> None:
    chinese = translator("zh_CN")(text)
    assert chinese != text
    assert sorted(re.findall(r"%\(\w+\)s", chinese)) == sorted(re.findall(r"%\(\w+\)s", text))


def test_an_unknown_receipt_format_is_refused_like_by_the_command(
    running: Served, files: dict[str, Path], screens: Screens, tmp_path: Path
) -> None:
    page = opened(screens, running.origin, locale="en")
    lines = files["receipt"].read_text(encoding="utf-8").split("\n")
    for number, extra in enumerate([b"", b"{}", b"[]", extra_of(VKEY, {}, {}), b'{"a":1,"a":2}']):
        path = tmp_path / str(number)
        path.write_text("\n".join([lines[0], f"extra {encode64(extra)}", *lines[2:]]), encoding="utf-8")
        report = judged(path, VKEY)
        assert report.failure is not None
        choose(page, path)
        assert outcomes(page) == told(report, "en")
        assert str(report.failure.reason) in page.locator("[data-check=file]").inner_text()
