"""One APDU, protected in every form and opened again; and everything that is refused."""

from dataclasses import replace
from itertools import product

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from hypothesis import given
from hypothesis import strategies as st
from tests.security.books import (
    ANSWER,
    BROADCAST,
    CLIENT,
    COUNTER,
    DEDICATED,
    GET,
    METER,
    NOTIFICATION,
    ciphers,
    flipped,
)

from meterwright.apdu import DEDICATED_TAGS, GLOBAL_TAGS, decode_apdu
from meterwright.codec import length_octets
from meterwright.errors import LocalProtocolError, MeterwrightError, RemoteProtocolError
from meterwright.security import (
    Ciphers,
    Form,
    Keys,
    Opened,
    Secret,
    SecurityViolation,
    Style,
    Violation,
    book_keys,
    demand,
    is_ciphered,
    protect,
    read_envelope,
    unprotect,
)
from meterwright.values import Protection, SecurityControl, SecuritySuite

PROTECTIONS = (Protection.AUTHENTICATION, Protection.ENCRYPTION, Protection.BOTH)
FORMS = [
    Form(protection, style, dedicated, broadcast)
    for protection, style, (dedicated, broadcast) in product(
        PROTECTIONS, Style, [(False, False), (True, False), (False, True)]
    )
]
SOUND_FORMS = [form for form in FORMS if form.protection & Protection.AUTHENTICATION]


def name_of(form: Form) -> str:
    key = "ded" if form.dedicated else "broadcast" if form.broadcast else "glo"
    return f"{form.style.value}-{key}-{int(form.protection):02x}"


def all_keys(suite: SecuritySuite = SecuritySuite.SUITE_0) -> Ciphers:
    """Every key there can be."""
    book = book_keys(suite)
    size = book.global_unicast.size
    return Ciphers(
        Keys(
            suite=suite,
            global_unicast=book.global_unicast,
            authentication=book.authentication,
            global_broadcast=Secret((BROADCAST.reveal() * 2)[:size]),
            dedicated=Secret((DEDICATED.reveal() * 2)[:size]),
        )
    )


@pytest.mark.parametrize("suite", list(SecuritySuite.__members__.values()))
@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_what_is_protected_opens(form: Form, suite: SecuritySuite) -> None:
    @given(st.sampled_from(sorted(GLOBAL_TAGS)), st.binary(max_size=300), st.integers(0, 0xFFFFFFFF))
    def check(tag: int, rest: bytes, counter: int) -> None:
        apdu = bytes((tag,)) + rest
        sent = protect(apdu, all_keys(suite), form, METER, counter)
        opened = unprotect(sent, all_keys(suite), METER)
        assert opened == Opened(apdu, opened.control, counter, METER, form.style, form.dedicated)
        assert opened.control.protection is form.protection
        assert opened.control.suite is suite
        assert decode_apdu(sent).to_octets() == sent

    check()


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_the_envelope_is_read_without_a_key(form: Form) -> None:
    sent = protect(GET, all_keys(), form, METER, COUNTER)
    envelope = read_envelope(sent)
    assert (envelope.style, envelope.dedicated, envelope.counter) == (form.style, form.dedicated, COUNTER)
    assert envelope.control.protection is form.protection
    assert envelope.control.broadcast is form.broadcast
    assert envelope.title == (METER if form.style is Style.GENERAL else None)
    assert envelope.plain_tag == (None if form.style is Style.GENERAL else GET[0])
    length = len(GET) + (12 if form.protection & Protection.AUTHENTICATION else 0)
    assert len(sent) - envelope.start == length


def test_each_protection_gives_other_octets() -> None:
    """A stack was seen to send the same octets for all three."""
    sent = [protect(GET, ciphers(), Form(protection), METER, COUNTER) for protection in PROTECTIONS]
    assert len(set(sent)) == 3
    assert GET in sent[0]
    assert all(GET[1:] not in each for each in sent[1:])


def test_tags_say_service_and_key() -> None:
    for plain in GLOBAL_TAGS:
        apdu = bytes((plain,)) + b"rest"
        assert protect(apdu, all_keys(), Form(Protection.BOTH), METER, 1)[0] == GLOBAL_TAGS[plain]
        dedicated = Form(Protection.BOTH, dedicated=True)
        assert protect(apdu, all_keys(), dedicated, METER, 1)[0] == DEDICATED_TAGS[plain]


@pytest.mark.parametrize("length", [1, 98, 99, 110, 111, 122, 123, 230, 240, 250, 65000])
def test_lengths_are_coded_short_and_long(length: int) -> None:
    apdu = b"\xc0" + bytes(length)
    for style in Style:
        sent = protect(apdu, ciphers(), Form(Protection.BOTH, style), METER, 1)
        assert unprotect(sent, ciphers(), METER).apdu == apdu
        assert decode_apdu(sent).to_octets() == sent


# ------------------------------------------------------------------------------------------------ altered


@pytest.mark.parametrize("form", SOUND_FORMS, ids=name_of)
def test_no_single_bit_can_be_altered(form: Form) -> None:
    """Opened and judged: with its authentication bit taken away, SC 30 opens as SC 20, and only policy stops that."""
    sent = protect(GET, all_keys(), form, METER, COUNTER)
    opened: list[int] = []

    def open_and_judge(bit: int, octets: bytes) -> None:
        came = unprotect(octets, all_keys(), METER)
        opened.append(bit)
        demand(came.control, form.protection, SecuritySuite.SUITE_0)

    for bit, (_, wrong) in enumerate(flipped(sent)):
        with pytest.raises(MeterwrightError):
            open_and_judge(bit, wrong)
    control = sent.index((COUNTER).to_bytes(4, "big")) - 1
    assert opened == ([8 * control + 4] if form.protection is Protection.BOTH else [])


def test_without_authentication_bits_can_be_altered_but_not_the_service() -> None:
    """What SC 20 is worth, told by a test: only header, length and first octet are looked after."""
    sent = protect(GET, ciphers(), Form(Protection.ENCRYPTION), METER, COUNTER)
    unseen: set[int] = set()
    for position, wrong in flipped(sent):
        try:
            opened = unprotect(wrong, ciphers(), METER)
        except MeterwrightError:
            continue
        assert opened.apdu[0] == GET[0]
        assert opened.apdu != GET or opened.control.suite is not SecuritySuite.SUITE_0
        unseen.add(position)
    assert unseen == {2} | set(range(8, len(sent)))  # the suite's lowest bit, and the ciphertext
    assert 7 not in unseen


@pytest.mark.parametrize("form", SOUND_FORMS, ids=name_of)
def test_every_other_length_is_refused(form: Form) -> None:
    sent = protect(GET, all_keys(), form, METER, COUNTER)
    for length in range(len(sent)):
        with pytest.raises(MeterwrightError):
            unprotect(sent[:length], all_keys(), METER)
    with pytest.raises(MeterwrightError):
        unprotect(sent + b"\0", all_keys(), METER)


OTHER = Secret(b"another key here")
WRONG = {
    "encryption key": (Keys(global_unicast=OTHER, authentication=book_keys().authentication), METER),
    "authentication key": (Keys(global_unicast=book_keys().global_unicast, authentication=OTHER), METER),
    "both keys": (Keys(global_unicast=OTHER, authentication=OTHER), METER),
    "title": (book_keys(), CLIENT),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("protection", PROTECTIONS)
def test_wrong_keys_and_titles_end_in_one_error(wrong: str, protection: Protection) -> None:
    """The same words whatever was wrong, and nothing of a key in them."""
    keys, title = WRONG[wrong]
    sent = protect(GET, ciphers(), Form(protection), METER, COUNTER)
    if protection is Protection.ENCRYPTION and wrong == "authentication key":
        assert unprotect(sent, Ciphers(keys), title).apdu == GET
        return
    with pytest.raises(SecurityViolation) as caught:
        unprotect(sent, Ciphers(keys), title)
    assert caught.value.violation is Violation.TAG
    if protection & Protection.AUTHENTICATION:
        assert str(caught.value) == "the authentication tag is wrong (in security)"


def test_the_received_control_decides_how_to_open() -> None:
    """Another stack lets its own setting decide, and can't talk to a meter that protects otherwise."""
    one = ciphers()
    for protection in (*PROTECTIONS, *reversed(PROTECTIONS)):
        sent = protect(ANSWER, ciphers(), Form(protection), METER, COUNTER)
        assert unprotect(sent, one, METER).apdu == ANSWER


# ------------------------------------------------------------------------------------------------ the header


def with_control(control: int, *, tag: int = 0xC8, content: bytes = bytes(30)) -> bytes:
    return bytes((tag, len(content) + 5, control)) + b"\x00\x00\x00\x01" + content


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (with_control(0x00), "neither"),
        (with_control(0x0F), "neither"),
        (with_control(0x40), "neither"),
        (with_control(0x80), "neither"),
        (with_control(0xB0), "compressed"),
        (with_control(0xA0), "compressed"),
        (with_control(0x70), "broadcast key"),
        (with_control(0x60), "broadcast key"),
        (with_control(0x32), "suite 2"),
        (with_control(0x33), "suite 3"),
        (with_control(0x2F), "suite 15"),
        (with_control(0x30, tag=0xD0), "dedicated key"),
        (with_control(0x70, tag=0xD0), "broadcast bit"),
        (with_control(0x10, content=bytes(11)), "12 octets of its tag"),
        (with_control(0x30, content=bytes(11)), "12 octets of its tag"),
        (with_control(0x20, content=b""), "promises"),
    ],
)
def test_controls_that_may_not_be(octets: bytes, said: str) -> None:
    with pytest.raises(SecurityViolation, match=said):
        unprotect(octets, ciphers(), METER)


def test_no_broadcast_bit_under_a_dedicated_key_that_is_there() -> None:
    for tag in (0xD0, 0xDC):
        octets = with_control(0x70, tag=tag)
        octets = octets if tag == 0xD0 else b"\xdc\x00" + octets[1:]
        with pytest.raises(SecurityViolation, match="broadcast bit"):
            unprotect(octets, all_keys(), METER)


def test_nothing_inside_is_refused() -> None:
    cipher, nonce = all_keys(), METER + (1).to_bytes(4, "big")
    for control in (0x10, 0x30):
        empty = cipher.transform(control, dedicated=False).seal(nonce, b"")
        with pytest.raises(SecurityViolation, match="promises"):
            unprotect(with_control(control, content=empty), cipher, METER)


def test_another_service_inside_than_outside_is_refused() -> None:
    sent = bytearray(protect(GET, ciphers(), Form(Protection.BOTH), METER, COUNTER))
    sent[0] = 0xCB
    with pytest.raises(SecurityViolation, match="promises"):
        unprotect(bytes(sent), ciphers(), METER)


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        (b"", 0),
        (GET, 0),
        (b"\xd8\x01\x02", 0),
        (b"\xc8", 1),
        (b"\xc8\x04" + bytes(4), 2),
        (b"\xc8\x06" + bytes(5), 1),
        (b"\xc8\x80" + bytes(9), 1),
        (b"\xc8\x84\xff\xff\xff\xff" + bytes(9), 1),
        (b"\xc8\x82\x01", 3),
        (b"\xdb", 1),
        (b"\xdb\x07" + bytes(7) + b"\x05" + bytes(5), 1),
        (b"\xdb\x09" + bytes(9) + b"\x05" + bytes(5), 1),
        (b"\xdb\x08" + bytes(8), 10),
        (b"\xdb\xff" + bytes(400), 1),
    ],
)
def test_broken_envelopes(octets: bytes, offset: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        read_envelope(octets)
    assert caught.value.where.offset == offset
    with pytest.raises(RemoteProtocolError) as caught:
        unprotect(octets, ciphers(), METER)
    assert caught.value.where.offset == offset


def test_a_maker_that_names_suite_1_and_means_suite_0() -> None:
    """Kaifa in Austria and Poland send SC 21. It opens, as the keys are of one length; an association would refuse it."""
    sent = bytearray(protect(GET, ciphers(), Form(Protection.ENCRYPTION, Style.GENERAL), METER, COUNTER))
    sent[11] = 0x21
    opened = unprotect(bytes(sent), ciphers(), None)
    assert opened.apdu == GET
    with pytest.raises(SecurityViolation, match="suite 1"):
        demand(opened.control, Protection.ENCRYPTION, SecuritySuite.SUITE_0)


def test_a_length_that_counts_a_missing_tag_is_taken() -> None:
    """Gocosem sends it in what is only encrypted, and real meters take it."""
    for style in Style:
        sent = protect(GET, ciphers(), Form(Protection.ENCRYPTION, style), METER, COUNTER)
        position = read_envelope(sent).start - 6
        for more in range(1, 30):
            wrong = sent[:position] + bytes((sent[position] + more,)) + sent[position + 1 :]
            if more == 12:
                assert unprotect(wrong, ciphers(), METER).apdu == GET
            else:
                with pytest.raises(RemoteProtocolError):
                    unprotect(wrong, ciphers(), METER)


def test_a_general_apdu_names_its_sender_or_leaves_it_out() -> None:
    sent = protect(NOTIFICATION, ciphers(), Form(Protection.BOTH, Style.GENERAL), METER, COUNTER)
    assert unprotect(sent, ciphers(), CLIENT).originator == METER  # who may send is not judged here
    left_out = b"\xdb\x00" + sent[10:]
    assert unprotect(left_out, ciphers(), METER).apdu == NOTIFICATION
    with pytest.raises(SecurityViolation, match="title is not known"):
        unprotect(left_out, ciphers(), None)


def test_a_sender_without_a_title_can_not_be_opened() -> None:
    sent = protect(GET, ciphers(), Form(Protection.BOTH), METER, COUNTER)
    with pytest.raises(SecurityViolation, match="title is not known") as caught:
        unprotect(sent, ciphers(), None)
    assert caught.value.violation is Violation.TITLE


def test_without_an_authentication_key_only_encryption_is_opened() -> None:
    keys = Ciphers(Keys(global_unicast=book_keys().global_unicast))
    for protection in PROTECTIONS:
        sent = protect(GET, ciphers(), Form(protection), METER, COUNTER)
        if protection is Protection.ENCRYPTION:
            assert unprotect(sent, keys, METER).apdu == GET
        else:
            with pytest.raises(SecurityViolation, match="authentication key is not known"):
                unprotect(sent, keys, METER)


@given(
    st.sampled_from(Style),
    st.sampled_from(sorted(GLOBAL_TAGS)),
    st.binary(max_size=300),
    st.integers(0, 0xFFFFFFFF),
)
def test_what_is_protected_is_what_the_book_says(style: Style, tag: int, rest: bytes, counter: int) -> None:
    apdu = bytes((tag,)) + rest
    number = counter.to_bytes(4, "big")
    encryptor = Cipher(AES(bytes(range(16))), GCM(METER + number)).encryptor()
    encryptor.authenticate_additional_data(b"\x30" + bytes(range(0xD0, 0xE0)))
    sealed = encryptor.update(apdu) + encryptor.finalize() + encryptor.tag[:12]
    before = bytes((GLOBAL_TAGS[tag],)) if style is Style.SERVICE_SPECIFIC else b"\xdb\x08" + METER
    expected = before + length_octets(5 + len(sealed)) + b"\x30" + number + sealed
    assert protect(apdu, ciphers(), Form(Protection.BOTH, style), METER, counter) == expected
    assert unprotect(expected, ciphers(), METER).apdu == apdu


# ------------------------------------------------------------------------------------------------ policy


@pytest.mark.parametrize("control", range(256))
def test_what_came_must_be_at_least_what_is_required(control: int) -> None:
    came = SecurityControl.from_octet(control)
    for required in Protection:
        enough = (control & int(required)) == int(required)
        same_suite = control & 0xF == 0
        if enough and same_suite:
            demand(came, required, SecuritySuite.SUITE_0)
        else:
            with pytest.raises(SecurityViolation) as caught:
                demand(came, required, SecuritySuite.SUITE_0)
            assert caught.value.violation is Violation.POLICY


# ------------------------------------------------------------------------------------------------ our own mistakes


@pytest.mark.parametrize(
    ("apdu", "title", "counter"),
    [
        (b"", METER, 1),
        (NOTIFICATION, METER, 1),
        (b"\xd8\x01\x02", METER, 1),
        (GET, b"short", 1),
        (GET, METER + b"x", 1),
        (GET, METER, -1),
        (GET, METER, 1 << 32),
    ],
)
def test_what_can_not_be_protected_is_our_own_fault(apdu: bytes, title: bytes, counter: int) -> None:
    with pytest.raises(LocalProtocolError):
        protect(apdu, ciphers(), Form(Protection.BOTH), title, counter)


def test_forms_that_make_no_sense() -> None:
    with pytest.raises(LocalProtocolError):
        Form(Protection.NONE)
    with pytest.raises(LocalProtocolError):
        Form(Protection.BOTH, dedicated=True, broadcast=True)


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_a_form_is_what_it_is_made_of(form: Form) -> None:
    again = Form(form.protection, form.style, form.dedicated, form.broadcast)
    assert (again, hash(again), repr(again)) == (form, hash(form), repr(form))
    assert "_" not in repr(form).replace("SERVICE_SPECIFIC", "")
    other = replace(form, style=Style.GENERAL)
    assert protect(NOTIFICATION, all_keys(), other, METER, 1)[0] == (0xDC if form.dedicated else 0xDB)


@given(st.binary(max_size=80))
def test_only_tags_of_ciphered_apdus_are_taken_for_them(octets: bytes) -> None:
    known = {*GLOBAL_TAGS.values(), *DEDICATED_TAGS.values(), 0xDB, 0xDC}
    assert is_ciphered(octets) is (octets[:1] != b"" and octets[0] in known)


def test_a_dedicated_key_of_another_length_is_refused() -> None:
    with pytest.raises(SecurityViolation):
        ciphers().use_dedicated(Secret(bytes(15)))
