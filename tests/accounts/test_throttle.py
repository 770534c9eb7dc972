"""Security requirement 9: growing delays, per account and per address; nobody is locked out for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.accounts.throttle import FORGET, FREE, KEPT, LONGEST, Key, Throttle, address_key, delay

CHAIR: Key = ("account", "chair")
HOME: Key = ("address", "203.0.113.7")


def guess(throttle: Throttle, keys: list[Key], now: float) -> bool:
    """Try a wrong guess; say whether it was let through."""
    if throttle.begin(keys, now):
        return False
    throttle.failed(keys, now)
    return True


def test_9_the_delay_doubles_up_to_five_minutes() -> None:
    assert [delay("account", n) for n in (0, 4, 5, 6, 7, 12, 13, 14, 10_000)] == [0, 0, 1, 2, 4, 128, 256, 300, 300]


def test_9_a_thousand_guesses_at_one_account_from_everywhere() -> None:
    throttle = Throttle()
    through = sum(guess(throttle, [CHAIR, ("address", f"203.0.113.{n}")], n) for n in range(1000))
    assert through <= 20


def test_9_a_thousand_accounts_guessed_from_one_address() -> None:
    throttle = Throttle()
    assert sum(guess(throttle, [("account", str(n)), HOME], 0) for n in range(1000)) == FREE["address"]


def test_9_a_thousand_guesses_at_the_same_moment() -> None:
    throttle = Throttle()
    begun = sum(throttle.begin([CHAIR, ("address", str(n))], 0) == 0 for n in range(1000))
    assert begun == FREE["account"]


def test_9_a_committee_behind_one_address_signs_in_at_once() -> None:
    throttle = Throttle()
    keys = [[("account", str(n)), HOME] for n in range(13)]
    assert [throttle.begin(each, 0) for each in keys] == [0] * 13
    for each in keys:
        throttle.succeeded(each, 0)
    assert guess(throttle, [("account", "late"), HOME], 0)


def test_9_the_owner_comes_in_after_the_delay_whoever_guesses() -> None:
    throttle, now = Throttle(), 0.0
    for _ in range(50):
        while not guess(throttle, [CHAIR, ("address", "stranger")], now):
            now += 10
    wait = throttle.begin([CHAIR, HOME], now)
    assert 0 < wait <= LONGEST
    assert throttle.begin([CHAIR, HOME], now + wait) == 0


def test_9_a_device_known_to_the_account_does_not_wait_for_strangers() -> None:
    throttle = Throttle()
    while guess(throttle, [CHAIR, ("address", "stranger")], 0):
        pass
    assert throttle.begin([("device", "d1"), HOME], 0) == 0


def test_success_forgets_the_accounts_guesses_but_not_the_addresses() -> None:
    throttle = Throttle()
    for _ in range(FREE["account"] - 1):
        guess(throttle, [CHAIR, HOME], 0)
    assert throttle.begin([CHAIR, HOME], 0) == 0
    throttle.succeeded([CHAIR, HOME], 0)
    assert sum(guess(throttle, [CHAIR], 0) for _ in range(50)) == FREE["account"]
    left = FREE["address"] - (FREE["account"] - 1)
    assert sum(guess(throttle, [HOME], 0) for _ in range(50)) == left


def test_guesses_are_forgotten_after_an_hour() -> None:
    throttle = Throttle()
    while guess(throttle, [CHAIR], 0):
        pass
    assert sum(guess(throttle, [CHAIR], FORGET + 1) for _ in range(50)) == FREE["account"]


def test_a_try_that_found_no_room_costs_nothing() -> None:
    throttle = Throttle()
    for _ in range(100):
        assert throttle.begin([CHAIR, HOME], 0) == 0
        throttle.abandoned([CHAIR, HOME], 0)


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    for n in range(KEPT + 50):
        guess(throttle, [("account", str(n))], 0)
    assert len(throttle._guesses) == KEPT


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.1", "203.0.113.2", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("testclient", "testclient", True),
        ("", "", True),
    ],
)
def test_9_an_ipv6_network_counts_as_one_address(one: str, other: str, alike: bool) -> None:
    assert (address_key(one) == address_key(other)) is alike


@given(st.lists(st.tuples(st.sampled_from(["right", "wrong", "gone"]), st.floats(0, 10)), max_size=60))
def test_tries_under_way_never_go_below_none(story: list[tuple[str, float]]) -> None:
    throttle, now = Throttle(), 0.0
    for kind, passed in story:
        now += passed
        if throttle.begin([CHAIR, HOME], now) == 0:
            ends = {"right": throttle.succeeded, "wrong": throttle.failed, "gone": throttle.abandoned}
            ends[kind]([CHAIR, HOME], now)
        assert [guesses.under_way for guesses in throttle._guesses.values()] == [0, 0]
