"""A file is what its bytes are."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.cases import inspection
from panel.cases.inspection import NotWhatItSays, TooMuch
from tests.cases import files

GOOD = {
    "证据.pdf": files.PDF,
    "photo.png": files.png(),
    "photo.jpg": files.jpg(),
    "Scan.JPEG": files.jpg(4000, 3000),
    "record.docx": files.office(),
    "table.xlsx": files.office("xl/"),
    "slides.pptx": files.office("ppt/"),
    "note.txt": "笔录\n第二行\t。".encode(),
    "old.txt": "笔录".encode("gb18030"),
    "bom.csv": b"\xef\xbb\xbf" + "序号,事项\r\n1,巡检\r\n".encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_honest_files_are_taken(name: str) -> None:
    assert inspection.inspect(name, GOOD[name]) == inspection.MEDIA_TYPES[inspection.ending(name)]


@pytest.mark.parametrize("claimed", [name for name in GOOD if not name.endswith((".txt", ".csv"))])
@pytest.mark.parametrize("content", [files.HTML, files.ELF, b"", b"PK\x03\x04", *GOOD.values()])
def test_a_file_is_refused_under_another_kind_s_name(claimed: str, content: bytes) -> None:
    own = {name for name, bytes_ in GOOD.items() if bytes_ == content}
    if inspection.ending(claimed) in {inspection.ending(name) for name in own}:
        assert inspection.inspect(claimed, content)
        return
    with pytest.raises(NotWhatItSays):
        inspection.inspect(claimed, content)


@pytest.mark.parametrize("content", [files.PDF + b"\0", files.png(), files.ELF, b"\x00\x01", b"a\x1b[31m"])
def test_text_holds_no_control_marks(content: bytes) -> None:
    with pytest.raises(NotWhatItSays):
        inspection.inspect("note.txt", content)


@pytest.mark.parametrize("name", ["x.exe", "x.html", "x.svg", "x.zip", "x.docm", "x", "pdf", "x.pdf.js", ".htaccess"])
def test_other_endings_are_not_taken(name: str) -> None:
    with pytest.raises(NotWhatItSays):
        inspection.inspect(name, files.PDF)


@pytest.mark.parametrize("make", [files.png, files.jpg])
def test_a_flood_of_pixels_is_too_much(make: object) -> None:
    name = "flood.png" if make is files.png else "flood.jpg"
    assert callable(make)
    with pytest.raises(TooMuch):
        inspection.inspect(name, make(65_000, 65_000))
    assert inspection.inspect(name, make(10_000, 5_000))
    with pytest.raises(NotWhatItSays):
        inspection.inspect(name, make(0, 5))


def test_a_bomb_is_too_much() -> None:
    with pytest.raises(TooMuch):
        inspection.inspect("bomb.docx", files.office(word__media=bytes(50 * inspection.MIB)))


def test_too_many_members_are_too_much() -> None:
    many = {f"word__{n}_dot_xml": f"<x>{n}</x>".encode() for n in range(inspection.MOST_MEMBERS)}
    with pytest.raises(TooMuch):
        inspection.inspect("many.docx", files.office("word/", **many))


@pytest.mark.parametrize(
    "content",
    [
        files.office(word__embeddings__a_dot_zip=b"PK"),
        files.office(word__vbaProject_dot_bin=b"macro"),
        files.with_symlink(),
        files.climbing(),
    ],
    ids=["nested archive", "macros", "symbolic link", "climbing"],
)
def test_what_has_no_business_in_a_document_is_refused(content: bytes) -> None:
    with pytest.raises(NotWhatItSays):
        inspection.inspect("a.docx", content)


def test_a_truncated_container_is_refused() -> None:
    whole = files.office()
    for length in range(0, len(whole), 17):
        with pytest.raises(NotWhatItSays):
            inspection.inspect("a.docx", whole[:length])


@given(st.binary(max_size=400), st.sampled_from(sorted(inspection.MEDIA_TYPES)))
def test_no_bytes_make_it_stumble(content: bytes, kind: str) -> None:
    with contextlib.suppress(NotWhatItSays, TooMuch):
        assert inspection.inspect(f"x.{kind}", content) == inspection.MEDIA_TYPES[kind]


@given(st.binary(max_size=200))
def test_a_head_with_any_tail_does_not_make_it_stumble(tail: bytes) -> None:
    for name, content in (("x.jpg", b"\xff\xd8\xff\xe0" + tail), ("x.png", files.png()[:16] + tail)):
        with contextlib.suppress(NotWhatItSays, TooMuch):
            assert inspection.inspect(name, content) in inspection.IMAGES
