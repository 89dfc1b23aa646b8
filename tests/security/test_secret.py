"""Nothing secret shows: in no repr, string, format, pickle, copy or error of anything this room makes."""

import copy
import json
import pickle  # noqa: TID251 - what is tested is that it fails
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.security.books import ANSWER, CLIENT, CTOS, GET, INITIATE, METER, STOC

from meterwright.errors import MeterwrightError, UsageError
from meterwright.security import (
    Ciphers,
    CounterOwner,
    CounterRecord,
    Form,
    Gcm,
    Keys,
    Login,
    MemoryCounterStore,
    Party,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    fingerprint,
    protect,
    prove,
    read_envelope,
    recover,
    unprotect,
    unwrap_key,
    verify,
    wrap_key,
)
from meterwright.values import AuthenticationMechanism, Protection, Role, SecurityPolicy

MARKS = {
    "unicast": b"Zq7#Kx2!Vw9$Lm4%",
    "authentication": b"Hj5&Tn8*Rb3(Yc6)",
    "broadcast": b"Gf1+Dp0=Xs4?Uk7;",
    "dedicated": b"Wz9<Qe2>Mo6{Ia8}",
    "master": b"Vy3~Jt5^Nl7@Bh1|",
    "password": b"Cr6[Fu8]Pd0_Kg4:",
}
"""Keys that are easily recognised, whole or in parts."""


def traces_of(secret: bytes) -> list[str]:
    """How octets may show: as text, in hex, as numbers. A quarter of a key is too much already."""
    parts = [secret[start : start + 5] for start in range(len(secret) - 4)]
    shown = [part.decode() for part in parts] + [part.hex() for part in parts]
    return [each.lower() for each in (*shown, *(", ".join(map(str, part)) for part in parts))]


TRACES = [trace for secret in MARKS.values() for trace in traces_of(secret)]


def keys() -> Keys:
    return Keys(
        global_unicast=Secret(MARKS["unicast"]),
        authentication=Secret(MARKS["authentication"]),
        global_broadcast=Secret(MARKS["broadcast"]),
        dedicated=Secret(MARKS["dedicated"]),
    )


def layer(role: Role, policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED) -> SecurityLayer:
    own, peer = (CLIENT, METER) if role is Role.CLIENT else (METER, CLIENT)
    counter = SendCounter(MemoryCounterStore(), CounterOwner.of(keys().global_unicast, own))
    return SecurityLayer(
        role,
        own_title=own,
        peer_title=peer,
        keys=keys(),
        policy=policy,
        send_counter=counter,
        receive_counter=ReceiveCounter(),
    )


def login(mechanism: AuthenticationMechanism = AuthenticationMechanism.HIGH) -> Login:
    return Login(
        mechanism=mechanism,
        role=Role.CLIENT,
        ours=Party(CLIENT, CTOS),
        theirs=Party(METER, STOC),
        secret=Secret(MARKS["password"]),
        keys=keys(),
    )


def objects() -> Iterator[object]:
    """One of everything public that has, or had, to do with a key."""
    client, meter = layer(Role.CLIENT), layer(Role.SERVER)
    sent = client.outgoing(GET)
    meter.incoming(sent)
    ciphers = Ciphers(keys())
    form = Form(Protection.BOTH)
    yield from keys().by_name().values()
    yield from (keys(), keys().by_name(), ciphers, ciphers.transform(0x30, dedicated=False))
    yield from (ciphers.transform(0x10, dedicated=False), ciphers.transform(0x20, dedicated=True))
    yield from (Gcm(Secret(MARKS["unicast"])), client, meter, client.send_counter, meter.receive_counter)
    yield from (login(), login().our_proof, login().their_proof, form)
    yield from (unprotect(sent, ciphers, CLIENT), read_envelope(sent), sent)
    yield from (fingerprint(Secret(MARKS["unicast"])), client.send_counter.owner, client.send_counter.record)
    yield from (wrap_key(Secret(MARKS["master"]), Secret(MARKS["unicast"])), prove(login()))
    yield unprotect(protect(b"\xc1" + MARKS["password"], ciphers, form, METER, 1), ciphers, METER)
    yield recover(CounterRecord(5, 5), 1)


def failures() -> Iterator[MeterwrightError]:
    """One of every kind of error, provoked."""
    ciphers = Ciphers(keys())
    for act in (
        lambda: Keys(global_unicast=Secret(MARKS["unicast"][:15])),
        lambda: Keys(global_unicast=Secret(MARKS["unicast"]), authentication=Secret(MARKS["master"] * 2)),
        lambda: Secret.from_hex(MARKS["master"].decode()),
        lambda: Secret.from_hex(MARKS["master"].hex() + "x"),
        lambda: layer(Role.CLIENT).incoming(GET),
        lambda: layer(Role.CLIENT).incoming(layer(Role.SERVER).outgoing(ANSWER)[:-1] + b"\0"),
        lambda: layer(Role.CLIENT).incoming(bytes(layer(Role.SERVER).outgoing(ANSWER)[:-1])),
        lambda: layer(Role.CLIENT).open_initiate(INITIATE),
        lambda: layer(Role.CLIENT).use_dedicated(Secret(MARKS["dedicated"])),
        lambda: unprotect(GET, ciphers, METER),
        lambda: protect(MARKS["password"], ciphers, Form(Protection.BOTH), METER, 1),
        lambda: ciphers.use_dedicated(Secret(MARKS["dedicated"][:9])),
        lambda: unwrap_key(Secret(MARKS["master"]), bytes(24)),
        lambda: unwrap_key(Secret(MARKS["master"]), b"x"),
        lambda: wrap_key(Secret(MARKS["master"][:9]), Secret(MARKS["unicast"])),
        lambda: verify(login(), MARKS["password"]),
        lambda: prove(login(AuthenticationMechanism.HIGH_GMAC)),
        lambda: ReceiveCounter(7).check(7, verifiable=True),
    ):
        with pytest.raises(MeterwrightError) as caught:
            act()
        yield caught.value


def assert_says_nothing(text: str) -> None:
    shown = text.lower()
    assert [trace for trace in TRACES if trace in shown] == []


def test_the_traces_would_be_found() -> None:
    for shown in (repr(MARKS["unicast"]), MARKS["unicast"].hex(), str(list(MARKS["unicast"])), "w9$lM4%"):
        with pytest.raises(AssertionError):
            assert_says_nothing(shown)


def test_no_object_shows_a_key() -> None:
    count = 0
    for each in objects():
        count += 1
        assert_says_nothing(f"{each!r} {each} {format(each)}")
        assert_says_nothing(repr(getattr(each, "__dict__", "")))
        assert_says_nothing(repr(copy.copy(each)))
    assert count == 29


def test_no_error_shows_a_key() -> None:
    count = 0
    for error in failures():
        count += 1
        assert_says_nothing(f"{error} {error!r} {error.args} {error.hint} {vars(error)}")
        frames = traceback.TracebackException.from_exception(error)
        assert_says_nothing("".join(line for line in frames.format() if "File" not in line))
        cause = error.__cause__
        assert_says_nothing(f"{cause!r}")
    assert count == 18


SECRET = Secret(MARKS["unicast"])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    for holder in (SECRET, keys(), [SECRET], login()):
        with pytest.raises(TypeError, match="not written"):
            pickle.dumps(holder, protocol)


def test_a_secret_is_not_written_as_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(SECRET)


def test_a_copy_is_the_same_object() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy(SECRET) is SECRET
    assert copy.deepcopy(keys()) == keys()


def test_formats_do_not_reveal() -> None:
    assert f"{SECRET}" == f"{SECRET:>40}" == str(SECRET) == repr(SECRET) == "Secret(…)"
    assert "%s %r" % (SECRET, SECRET) == "Secret(…) Secret(…)"  # noqa: UP031 - the old way too


def indexed(each: Any) -> object:
    return each[0]


def added(each: Any) -> object:
    return each + b""


@pytest.mark.parametrize(
    "take",
    [iter, list, bytes, bytearray, len, memoryview, vars, indexed, added],
    ids=["iter", "list", "bytes", "bytearray", "len", "memoryview", "vars", "index", "add"],
)
def test_it_can_not_be_taken_apart(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        take(SECRET)


def test_it_is_frozen() -> None:
    for name in ("_Secret__octets", "anything"):
        with pytest.raises(AttributeError):
            setattr(SECRET, name, b"")
        with pytest.raises(AttributeError):
            delattr(SECRET, name)


def test_it_compares_by_its_octets() -> None:
    same, other = Secret(MARKS["unicast"]), Secret(MARKS["master"])
    assert same == SECRET
    assert hash(SECRET) == hash(same)
    assert other != SECRET
    assert MARKS["unicast"] != SECRET
    assert SECRET.matches(MARKS["unicast"])
    assert not SECRET.matches(MARKS["unicast"][:-1])
    assert SECRET.reveal() == MARKS["unicast"]
    assert SECRET.size == 16


def test_it_is_made_of_octets_and_keeps_its_own() -> None:
    octets = bytearray(b"0123456789abcdef")
    made = Secret(octets)
    octets[0] = 0
    assert made.reveal() == b"0123456789abcdef"
    for wrong in ("text", 5, None, [1, 2]):
        with pytest.raises(TypeError):
            Secret(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # refused on purpose
    assert Secret.from_hex("00 01ff").reveal() == b"\x00\x01\xff"
    for text in ("0", "0g", "héx"):
        with pytest.raises(UsageError):
            Secret.from_hex(text)
