"""What a file really is: by its bytes, never by what it is called. Standard library only."""

import io
import struct
import zipfile
from collections.abc import Mapping
from stat import S_ISLNK

MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
}
"""The files that a case takes, by ending (security requirement 34)."""

SPELLINGS = {"jpeg": "jpg"}
IMAGES = frozenset({"image/png", "image/jpeg"})

MIB = 1024 * 1024
MOST_BYTES = 20 * MIB
MOST_BYTES_OF_CASE = 200 * MIB
MOST_MEMBERS = 2000
MOST_UNPACKED = 200 * MIB
MOST_RATIO = 100
MOST_PIXELS = 50_000_000

PARTS = {"docx": "word/", "xlsx": "xl/", "pptx": "ppt/"}
ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tar", ".jar", ".docx", ".xlsx", ".pptx", ".bin")
"""Members that an office document has no business holding: archives, and macros (vbaProject.bin)."""


class NotWhatItSays(ValueError):
    """The bytes are not a file of the kind that its name promises."""


class TooMuch(ValueError):
    """The file would unfold to more than a reader's machine should be asked to take."""


def ending(file_name: str) -> str:
    """Return a file name's ending in its usual spelling: `jpg` for `Scan.JPEG`."""
    written = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    return SPELLINGS.get(written, written)


def inspect(file_name: str, content: bytes) -> str:
    """Return the media type of a file whose bytes are what its name says; NotWhatItSays or TooMuch otherwise."""
    kind = ending(file_name)
    if kind not in MEDIA_TYPES:
        raise NotWhatItSays(kind)
    check = {"pdf": _pdf, "png": _png, "jpg": _jpg, "txt": _text, "csv": _text}.get(kind)
    if check:
        check(content)
    else:
        _office(content, PARTS[kind])
    return MEDIA_TYPES[kind]


def _pdf(content: bytes) -> None:
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise NotWhatItSays("pdf")


def _png(content: bytes) -> None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        raise NotWhatItSays("png")
    _pixels(*struct.unpack(">II", content[16:24]))


def _jpg(content: bytes) -> None:
    """Walk the segments to the frame that holds the size; a JPEG has one before its first scan."""
    if content[:3] != b"\xff\xd8\xff":
        raise NotWhatItSays("jpg")
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return _pixels(width, height)
        at += 2 + length
    raise NotWhatItSays("jpg")


def _pixels(width: int, height: int) -> None:
    if not width or not height:
        raise NotWhatItSays("image")
    if width * height > MOST_PIXELS:
        raise TooMuch("pixels")


def _text(content: bytes) -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(mark < " " and mark not in "\t\r\n\f" for mark in text):
            return
    raise NotWhatItSays("text")


def _office(content: bytes, part: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            members = container.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise NotWhatItSays("office") from error
    names = {member.filename for member in members}
    if "[Content_Types].xml" not in names or not any(name.startswith(part) for name in names):
        raise NotWhatItSays("office")
    if any(_foreign(member) for member in members):
        raise NotWhatItSays("office")
    _unfolding(members)


def _foreign(member: zipfile.ZipInfo) -> bool:
    outside = member.filename.startswith(("/", "\\")) or ".." in member.filename.replace("\\", "/").split("/")
    linked = S_ISLNK(member.external_attr >> 16)
    secret = bool(member.flag_bits & 0x1)
    return outside or linked or secret or member.filename.lower().endswith(ARCHIVES)


def _unfolding(members: list[zipfile.ZipInfo]) -> None:
    unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(packed, 1):
        raise TooMuch("container")
