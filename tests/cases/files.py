"""Files as people send them, and as attackers do."""

import io
import struct
import zipfile
import zlib

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
HTML = b"<!doctype html><script>alert(1)</script>"
ELF = b"\x7fELF\x02\x01\x01" + bytes(64)


def png(width: int = 1, height: int = 1) -> bytes:
    """A PNG of this size, with as little in it as there can be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 5)) + chunk(b"IEND", b"")


def jpg(width: int = 1, height: int = 1) -> bytes:
    """A JPEG's head of this size: an application segment, then the frame."""
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + app + frame + b"\xff\xda" + bytes(20) + b"\xff\xd9"


def office(part: str = "word/", **members: bytes) -> bytes:
    """An office document with its usual parts and these members more (`__` stands for `/`, `_dot_` for `.`)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("[Content_Types].xml", "<Types/>")
        container.writestr(f"{part}document.xml", "<document/>")
        for name, content in members.items():
            container.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return packed.getvalue()


def with_symlink() -> bytes:
    """An office document with a member that is a link to somewhere else."""
    packed = io.BytesIO(office())
    with zipfile.ZipFile(packed, "a") as container:
        link = zipfile.ZipInfo("word/link")
        link.external_attr = 0o120777 << 16
        container.writestr(link, "/etc/passwd")
    return packed.getvalue()


def climbing() -> bytes:
    """An office document with a member that would land outside its folder."""
    packed = io.BytesIO(office())
    with zipfile.ZipFile(packed, "a") as container:
        container.writestr("word/../../evil", "x")
    return packed.getvalue()
