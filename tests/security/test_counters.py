"""Invocation counters: none twice, none again, none lower."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.security.books import CLIENT, METER

from meterwright.errors import RemoteProtocolError, SecurityError, UsageError
from meterwright.security import (
    CounterOwner,
    CounterRecord,
    MemoryCounterStore,
    ReceiveCounter,
    Recovery,
    Secret,
    SecurityViolation,
    SendCounter,
    Violation,
    book_keys,
    fingerprint,
    recover,
)
from meterwright.security.counters import CEILING, FARTHEST_JUMP, FIRST_READING_LIMIT, LAST

KEY = book_keys().global_unicast
OWNER = CounterOwner.of(KEY, CLIENT)


# ------------------------------------------------------------------------------------------------ whose numbers


def test_a_fingerprint_names_a_key_and_does_not_tell_it() -> None:
    other = Secret(b"\x01" + KEY.reveal()[1:])
    assert fingerprint(KEY) == fingerprint(Secret(KEY.reveal()))
    assert fingerprint(KEY) != fingerprint(other)
    assert len(bytes.fromhex(fingerprint(KEY))) == 8
    assert CounterOwner.of(KEY, METER) != OWNER
    assert str(OWNER) == f"{fingerprint(KEY)}-4d4d4d0000000001"


# ------------------------------------------------------------------------------------------------ sending


@given(
    st.lists(
        st.one_of(
            st.integers(0, 3),
            st.tuples(st.just("start"), st.integers(0, 500)),
            st.tuples(st.just("new"), st.integers(1, 9)),
        ),
        max_size=60,
    )
)
def test_no_number_is_handed_out_twice_whoever_asks(steps: list[int | tuple[str, int]]) -> None:
    """Several counters over one store, told to jump, and replaced by new ones in between."""
    store = MemoryCounterStore()
    counters = [SendCounter(store, OWNER, batch=batch) for batch in (1, 2, 3, 7)]
    used: list[int] = []
    for turn, step in enumerate(steps):
        match step:
            case ("start", number):
                counters[turn % 4].start_at(number)
            case ("new", batch):
                counters[turn % 4] = SendCounter(store, OWNER, batch=batch)
            case int():
                used.append(counters[step].next())
            case _:
                raise AssertionError(step)
    assert len(used) == len(set(used))
    assert all(1 <= number <= LAST for number in used)


def test_numbers_begin_at_one_and_follow_each_other() -> None:
    counter = SendCounter(MemoryCounterStore(), OWNER, batch=3)
    assert [counter.next() for _ in range(10)] == list(range(1, 11))
    assert counter.last == 10


def test_a_range_is_reserved_before_its_first_number_is_known() -> None:
    store = MemoryCounterStore()
    counter = SendCounter(store, OWNER, batch=4)
    assert store.record(OWNER).reserved is None
    counter.next()
    assert store.record(OWNER).reserved == 4
    assert SendCounter(store, OWNER).next() == 5


def test_starting_higher_never_leads_lower() -> None:
    counter = SendCounter(MemoryCounterStore(), OWNER, batch=4)
    counter.start_at(100)
    assert counter.next() == 100
    counter.start_at(50)
    assert counter.next() > 100


def test_owners_count_apart() -> None:
    store = MemoryCounterStore()
    other = CounterOwner.of(KEY, METER)
    assert SendCounter(store, OWNER).next() == SendCounter(store, other).next() == 1


@pytest.mark.parametrize("batch", [1, 2, 3, 1000])
def test_the_end_is_an_end(batch: int) -> None:
    counter = SendCounter(MemoryCounterStore(), OWNER, batch=batch)
    counter.start_at(LAST - 2)
    assert (
        [counter.next() for _ in range(3)]
        == [LAST - 2, LAST - 1, LAST]
        == [0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE]
    )
    for _ in range(3):
        with pytest.raises(SecurityError, match="used up"):
            counter.next()
    counter.start_at(1)
    with pytest.raises(SecurityError, match="used up"):
        counter.next()


def test_a_forked_process_reserves_anew() -> None:
    store = MemoryCounterStore()
    counter = SendCounter(store, OWNER, batch=10)
    assert counter.next() == 1
    store.epoch += 1
    assert counter.next() == 11
    assert counter.next() == 12


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError):
        SendCounter(MemoryCounterStore(), OWNER, batch=0)


def test_what_was_accepted_is_remembered_and_only_grows() -> None:
    store = MemoryCounterStore()
    counter = SendCounter(store, OWNER)
    counter.confirm()
    assert counter.record == CounterRecord()
    counter.next()
    counter.next()
    counter.confirm()
    assert counter.record.accepted == 2
    store.accepted(OWNER, 1)
    assert counter.record.accepted == 2


# ------------------------------------------------------------------------------------------------ receiving


def take(counter: ReceiveCounter, number: int, *, verified: bool = True) -> bool:
    """Whether it was taken."""
    try:
        counter.check(number, verifiable=verified)
    except SecurityViolation as error:
        return error.violation is not Violation.COUNTER or error.counter is None
    counter.accept(number, verified=verified)
    return True


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=40))
def test_verified_numbers_only_grow(steps: list[tuple[int, bool]]) -> None:
    counter = ReceiveCounter()
    verified: list[int] = []
    for number, is_verified in steps:
        if take(counter, number, verified=is_verified) and is_verified:
            verified.append(number)
    assert verified == sorted(set(verified))


@given(st.lists(st.integers(0, 60), max_size=40))
def test_unverified_numbers_grow_too(numbers: list[int]) -> None:
    counter = ReceiveCounter()
    taken = [number for number in numbers if take(counter, number, verified=False)]
    assert taken == sorted(set(taken))


def test_the_first_number_may_be_any() -> None:
    for first in (0, 1, 0x01234567, LAST):
        assert take(ReceiveCounter(), first)
        assert take(ReceiveCounter(), first, verified=False)


def test_the_number_that_must_not_be_is_refused() -> None:
    assert not take(ReceiveCounter(), 0xFFFFFFFF)
    assert not take(ReceiveCounter(5), 0xFFFFFFFF)


def test_equal_and_lower_numbers_are_replays() -> None:
    counter = ReceiveCounter(100)
    assert not take(counter, 100)
    assert not take(counter, 99)
    assert take(counter, 101)
    assert counter.last == 101
    with pytest.raises(SecurityViolation) as caught:
        counter.check(7, verifiable=True)
    assert caught.value.counter == 102


def test_verified_numbers_may_jump_and_unverified_may_not() -> None:
    assert take(ReceiveCounter(5), 4_000_000_000)
    counter = ReceiveCounter(5, unverified_jump=10)
    assert not take(counter, 16, verified=False)
    assert take(counter, 15, verified=False)
    assert counter.last == 15


def test_what_is_verified_puts_right_what_was_not() -> None:
    counter = ReceiveCounter(5, unverified_jump=100)
    assert take(counter, 90, verified=False)
    assert not take(counter, 6, verified=False)
    assert take(counter, 6)
    assert counter.last == 6
    assert take(counter, 7, verified=False)


def test_a_restart_lets_one_verified_number_back() -> None:
    counter = ReceiveCounter(1000)
    counter.restart()
    assert not take(counter, 3, verified=False)
    assert take(counter, 3)
    assert not take(counter, 3)
    assert not take(counter, 2)
    assert take(counter, 4)


@pytest.mark.parametrize(
    ("before", "outer", "inner", "shared", "fine"),
    [
        (0x59, 0x5B, 0x5A, False, True),  # a real meter's session
        (0x4F, 0x51, 0x50, False, True),
        (0x40, 0x51, 0x50, False, True),
        (0x59, 0x5B, 0x5B, False, False),
        (0x59, 0x5B, 0x5B, True, True),
        (0x59, 0x5B, 0x5C, False, False),
        (0x59, 0x5B, 0x59, False, False),
        (0x59, 0x5B, 0x58, False, False),
        (0x59, 0x5B, 0x58, True, False),
        (None, 0x5B, 0x01, False, True),
        (None, 0x5B, 0x5B, False, False),
    ],
)
def test_the_number_inside_an_answer_is_the_older_one(
    before: int | None, outer: int, inner: int, *, shared: bool, fine: bool
) -> None:
    counter = ReceiveCounter(before)
    assert take(counter, outer)
    if fine:
        counter.check_inner(inner, shared=shared)
    else:
        with pytest.raises(SecurityViolation):
            counter.check_inner(inner, shared=shared)
    assert counter.last == outer


def test_an_answer_before_anything_came_is_stale() -> None:
    with pytest.raises(SecurityViolation):
        ReceiveCounter().check_inner(1)


# ------------------------------------------------------------------------------------------------ recovery


def code(recovery: Recovery) -> str | None:
    return None if recovery.finding is None else recovery.finding.code


def test_what_was_read_is_the_last_one_accepted() -> None:
    """A real meter read 53, and its client went on with 54."""
    assert recover(CounterRecord(53, 53), 53) == Recovery(54)
    assert recover(CounterRecord(), 0x53) == Recovery(0x54)
    assert recover(CounterRecord(), 0) == Recovery(1)


@pytest.mark.parametrize(
    ("reserved", "accepted", "read", "start", "said"),
    [
        (300, 40, 40, 301, None),  # a gap that a killed program left
        (300, 40, 100, 301, None),
        (300, None, 0, 301, None),
        (300, 200, 199, 301, "counter-behind"),
        (300, 200, 0, 301, "counter-behind"),
        (300, 200, 301, 302, "counter-ahead"),
        (300, 200, 300 + FARTHEST_JUMP, 301 + FARTHEST_JUMP, "counter-ahead"),
        (300, 200, 301 + FARTHEST_JUMP, None, "counter-jump"),
        (300, 200, 0xFFFFFFF0, None, "counter-near-end"),
        (300, 200, 0xFFFFFFFE, None, "counter-used-up"),
        (300, 200, 0xFFFFFFFF, None, "counter-used-up"),
        (None, None, 5_000_000, 5_000_001, None),
        (None, None, FIRST_READING_LIMIT + 1, None, "counter-jump"),
        (None, None, 0xFFFFFFF0, None, "counter-near-end"),
        (CEILING - 2, None, CEILING - 1, CEILING, "counter-ahead"),
        (CEILING - 1, None, CEILING, None, "counter-near-end"),
        (CEILING, None, 0, None, "counter-near-end"),
        (LAST, None, 0, None, "counter-used-up"),
    ],
)
def test_where_to_go_on(
    reserved: int | None, accepted: int | None, read: int, start: int | None, said: str | None
) -> None:
    recovery = recover(CounterRecord(reserved, accepted), read)
    assert (recovery.start, code(recovery)) == (start, said)


@pytest.mark.parametrize("read", [301 + FARTHEST_JUMP, CEILING, LAST - 1])
def test_an_operator_may_say_go(read: int) -> None:
    assert recover(CounterRecord(300), read).start is None
    assert recover(CounterRecord(300), read, operator_agrees=True).start == read + 1


def test_not_even_an_operator_goes_past_the_end() -> None:
    assert recover(CounterRecord(300), LAST, operator_agrees=True).start is None


@given(
    st.integers(0, LAST) | st.none(),
    st.integers(0, LAST) | st.none(),
    st.integers(0, 0xFFFFFFFF),
    st.booleans(),
)
def test_recovery_never_leads_to_a_number_that_was_used(
    reserved: int | None, accepted: int | None, read: int, operator: bool
) -> None:
    recovery = recover(CounterRecord(reserved, accepted), read, operator_agrees=operator)
    if recovery.start is not None:
        assert recovery.start > (reserved or 0)
        assert recovery.start > read
        assert recovery.start <= LAST
    else:
        assert recovery.finding is not None
        assert recovery.finding.hint


@pytest.mark.parametrize("read", [-1, 1 << 32, 1 << 70])
def test_what_is_no_counter_is_refused(read: int) -> None:
    with pytest.raises(RemoteProtocolError):
        recover(CounterRecord(), read)


@pytest.mark.parametrize("read", [0, 5, 299, 0xFFFFFFF0, 0xFFFFFFFF])
def test_our_counter_never_goes_down(read: int) -> None:
    counter = SendCounter(MemoryCounterStore(), OWNER, batch=1)
    counter.start_at(300)
    assert counter.next() == 300
    counter.confirm()
    counter.start_at(recover(counter.record, read).start or 0)
    assert counter.next() == 301


def test_partners_that_share_a_key_are_judged_each_by_what_it_has_accepted() -> None:
    """One meter has accepted 200; that another one, or another association, is at 7 is nothing to wonder at."""
    store = MemoryCounterStore()
    owner = CounterOwner.of(Secret(bytes(16)), b"MWC00001")
    first = SendCounter(store, owner, peer="tcp://192.0.2.7:4059?client=80")
    second = SendCounter(store, owner, peer="tcp://192.0.2.8:4059?client=80")
    first.start_at(200)
    assert first.next() == 200
    first.confirm()
    assert second.next() > 200
    assert recover(second.record, 7).finding is None
    behind = recover(first.record, 7).finding
    assert behind is not None
    assert behind.code == "counter-behind"
