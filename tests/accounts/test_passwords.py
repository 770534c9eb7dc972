"""Security requirement 1: argon2id, aside of everything else, at the same cost for nobody."""

import asyncio
import threading
import time

import pytest

from panel.accounts import passwords
from panel.core.errors import Busy


def holds(kept: str | None, password: str) -> bool:
    return asyncio.run(passwords.holds(kept, password))


def test_1_the_kept_hash_says_its_parameters() -> None:
    kind, version, cost, salt, digest = passwords.hashed("一个够长的密码吧").split("$")[1:]
    assert (kind, version, cost) == ("argon2id", "v=19", "m=19456,t=2,p=1")
    assert (len(salt), len(digest)) == (22, 43)


def test_1_two_people_with_one_password_have_two_hashes() -> None:
    assert passwords.hashed("一个够长的密码吧") != passwords.hashed("一个够长的密码吧")


@pytest.mark.parametrize("password", ["🀄" * 64 + "汉" * 64, " spaces at its ends ", "\x00control\x07", "a" * 256])
def test_2_a_password_is_kept_whole(password: str) -> None:
    kept = passwords.hashed(password)
    assert holds(kept, password)
    assert not holds(kept, password[:-1])
    assert not holds(kept, password.strip() + "x")


def test_2_one_letter_typed_in_two_ways_is_one_letter() -> None:
    assert holds(passwords.hashed("re\u0301sume\u0301 一二三四"), "résumé 一二三四")


@pytest.mark.parametrize("kept", [None, "", "unusable", "$argon2id$broken"])
def test_8_nobody_has_a_password(kept: str | None) -> None:
    assert not holds(kept, "the password of nobody")


def test_1_a_hash_of_other_parameters_is_renewed() -> None:
    from argon2 import PasswordHasher

    assert not passwords.is_old(passwords.hashed("一个够长的密码吧"))
    assert passwords.is_old(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x"))


def test_at_most_four_at_a_time_and_a_flood_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def slow(kept: str | None, password: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.005)
        with lock:
            at_once -= 1
        return False

    async def flood() -> list[object]:
        return await asyncio.gather(*(passwords.holds("x", "y") for _ in range(200)), return_exceptions=True)

    monkeypatch.setattr(passwords, "_holds", slow)
    answers = asyncio.run(flood())
    assert most == passwords.LANES
    assert sum(answer is False for answer in answers) == passwords.LANES + passwords.QUEUE
    assert sum(isinstance(answer, Busy) for answer in answers) == 200 - passwords.LANES - passwords.QUEUE
    assert not holds(None, "and afterwards it is free again")
