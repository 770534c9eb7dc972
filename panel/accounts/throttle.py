"""The brake on guessing: growing delays per account and per address; nobody is locked out for good."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil

FREE = {"account": 5, "device": 5, "address": 20}
"""Wrong guesses before the first delay, by kind of key; tries under way count as wrong until they are known."""

LONGEST = 300.0
FORGET = 3600.0
KEPT = 20_000

Key = tuple[str, str]


@dataclass
class _Guesses:
    wrong: int = 0
    under_way: int = 0
    free_at: float = 0.0
    last: float = 0.0

    def wait(self, kind: str, now: float) -> float:
        """Return the seconds to wait; past the free ones, one try at a time."""
        if self.free_at > now:
            return self.free_at - now
        return 1.0 if self.under_way and self.wrong + self.under_way >= FREE[kind] else 0.0


def delay(kind: str, count: int) -> float:
    """Return the seconds to wait after so many wrong guesses: 1, 2, 4 ... at most 300."""
    over = count - FREE[kind]
    return min(2.0 ** min(over, 20), LONGEST) if over >= 0 else 0.0


def address_key(address: str) -> Key:
    """Return the key of a client's address; an IPv6 network of /64 counts as one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "address", address
    if isinstance(parsed, IPv6Address):
        return "address", str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return "address", str(parsed)


class Throttle:
    """Counts a try before it is made, so that a hundred at once are not a hundred free guesses."""

    def __init__(self) -> None:
        self._guesses: OrderedDict[Key, _Guesses] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, keys: Iterable[Key], now: float) -> int:
        """Begin a try and return 0, to be ended by `failed` or `succeeded`; or return the seconds to wait."""
        with self._lock:
            tries = [(key[0], self._of(key, now)) for key in keys]
            wait = max(guesses.wait(kind, now) for kind, guesses in tries)
            if wait > 0:
                return ceil(wait)
            for _, guesses in tries:
                guesses.under_way += 1
            return 0

    def failed(self, keys: Iterable[Key], now: float) -> None:
        """End a try as wrong: the next one may have to wait."""
        with self._lock:
            for key in keys:
                guesses = self._of(key, now)
                guesses.under_way, guesses.wrong, guesses.last = guesses.under_way - 1, guesses.wrong + 1, now
                guesses.free_at = now + delay(key[0], guesses.wrong)

    def abandoned(self, keys: Iterable[Key], now: float) -> None:
        """End a try that was not made: there was no room to check it."""
        with self._lock:
            for key in keys:
                self._of(key, now).under_way -= 1

    def succeeded(self, keys: Iterable[Key], now: float) -> None:
        """End a try as right: the account's or device's wrong guesses are forgotten, the address's are not."""
        with self._lock:
            for key in keys:
                guesses = self._of(key, now)
                guesses.under_way -= 1
                if key[0] != "address":
                    guesses.wrong, guesses.free_at = 0, 0.0

    def _of(self, key: Key, now: float) -> _Guesses:
        guesses = self._guesses.get(key)
        if guesses is None:
            guesses = self._guesses[key] = _Guesses(last=now)
        elif now - guesses.last > FORGET:
            guesses.wrong, guesses.free_at = 0, 0.0
        self._guesses.move_to_end(key)
        while len(self._guesses) > KEPT:
            self._guesses.popitem(last=False)
        return guesses
