"""The key of a sealed motion: a file outside database and backups, there only while the motion is open (votes 3.1)."""

import contextlib
import logging
import os
import secrets
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from sqlmodel import Session

from panel.core.errors import Reason, Refused
from panel.core.files import sync_folder

log = logging.getLogger(__name__)

WIDTH = 24
"""Bytes for an option's code in a sealed ballot: every ballot has the same length."""

SUFFIX = ".key"


def folder(db: Session) -> Path:
    """Return the directory of the keys; it travels with the engine that writes."""
    options = db.get_bind().get_execution_options()
    return Path(options["ballot_keys"])


def create(where: Path, motion_id: str) -> str:
    """Make a motion's key and return its public half (hex). File and directory are on the disk when this returns."""
    if not where.is_dir():
        where.mkdir(mode=0o700, parents=True)
        sync_folder(where.parent)
    key = PrivateKey.generate()
    descriptor = os.open(where / f"{motion_id}{SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(bytes(key))
        file.flush()
        os.fsync(file.fileno())
    sync_folder(where)
    return bytes(key.public_key).hex()


def read(where: Path, motion_id: str) -> PrivateKey | None:
    """Return a motion's key, or None if it is not there."""
    try:
        return PrivateKey((where / f"{motion_id}{SUFFIX}").read_bytes())
    except FileNotFoundError:
        return None


def destroy(where: Path, motion_id: str) -> None:
    """Overwrite and remove a motion's key. Never raises: it runs after the commit, and the sweep tries again."""
    path = where / f"{motion_id}{SUFFIX}"
    try:
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(PrivateKey.SIZE))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(where)
    except FileNotFoundError:
        return
    except OSError:
        log.exception("a motion's key could not be destroyed; the next start tries again")


def held(where: Path) -> list[str]:
    """Return the ids of the motions whose keys are there."""
    return sorted(path.stem for path in where.glob(f"*{SUFFIX}"))


def seal(public_key: str, motion_id: str, seat_id: str, choice: str) -> bytes:
    """Seal a choice, bound to its motion and seat. All results have one length."""
    plain = f"{motion_id}{seat_id}{choice:.<{WIDTH}}".encode("ascii")
    return SealedBox(PublicKey(bytes.fromhex(public_key))).encrypt(plain)


def unseal(key: PrivateKey, motion_id: str, seat_id: str, sealed: bytes) -> str:
    """Return the choice in a sealed ballot. Raises Refused for one that is damaged or belongs elsewhere."""
    with contextlib.suppress(CryptoError, UnicodeDecodeError):
        plain = SealedBox(key).decrypt(sealed).decode("ascii")
        bound, choice = plain[:-WIDTH], plain[-WIDTH:]
        if bound == f"{motion_id}{seat_id}":
            return choice.rstrip(".")
    raise Refused(Reason("A sealed ballot is damaged. Nothing was counted; annul the motion and put it again."))
