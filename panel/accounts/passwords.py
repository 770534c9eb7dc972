"""Passwords: argon2id, in four threads of their own, at the same cost for people who do not exist."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple, Unpack

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from panel.core.errors import Busy, Reason
from panel.core.text import nfc

T = TypeVar("T")
Args = TypeVarTuple("Args")

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, salt_len=16)
"""ASVS appendix C; never lower. 19 MiB and some 35 ms each."""

LANES = 4
QUEUE = 64
"""So many may wait for a lane; the next are told to come again, so that a flood of sign-ins holds up nothing else."""

_lanes = ThreadPoolExecutor(LANES, thread_name_prefix="argon2")
_waiting = 0
NOBODYS = HASHER.hash("the password of nobody")


def hashed(password: str) -> str:
    """Return the hash to keep. Takes some 35 ms; on the event loop use `hash_aside`."""
    return HASHER.hash(nfc(password))


def _holds(kept: str | None, password: str) -> bool:
    try:
        HASHER.verify(kept or NOBODYS, nfc(password))
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


def is_old(kept: str) -> bool:
    """Say whether a hash was made with other parameters than today's and is renewed at the next sign-in."""
    return HASHER.check_needs_rehash(kept)


async def holds(kept: str | None, password: str) -> bool:
    """Say whether the password fits the hash; None, for somebody who does not exist, costs the same and is false."""
    return await _aside(_holds, kept, password)


async def hash_aside(password: str) -> str:
    """Return the hash to keep, computed off the event loop."""
    return await _aside(hashed, password)


async def _aside(work: Callable[[Unpack[Args]], T], *args: *Args) -> T:
    global _waiting
    if _waiting >= LANES + QUEUE:
        raise Busy(
            Reason("Too many people are signing in at this moment. Please try again in a few seconds."), seconds=5
        )
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_lanes, work, *args)
    finally:
        _waiting -= 1
