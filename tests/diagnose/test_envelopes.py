"""explain opens APDUs in APDUs: with keys, without, with the wrong ones; and what must not be shown is not, wherever it stands."""

import json

import pytest
from tests.diagnose.test_explain import assert_sound, codes
from tests.link.pushes import PUSH

from meterwright.diagnose import Explanation, OpeningKeys, State, explain, render_text
from meterwright.security import Ciphers, Form, Keys, Secret, Style, protect
from meterwright.values import Protection

EK, AK = Secret(bytes(range(16))), Secret(bytes(range(0xD0, 0xE0)))
KEYS = OpeningKeys(EK, AK)
TITLE = bytes.fromhex("4d57530000000001")
CIPHERS = Ciphers(Keys(global_unicast=EK, authentication=AK, global_broadcast=EK, dedicated=EK))
GET = bytes.fromhex("c001c100080000010000ff0200")
SIGNED = bytes.fromhex("df080102030405060708084d4d4d0000bc614e084d4d4d0000000001000006c401c1000f0103010203")
GENERAL_CIPHERING = bytes.fromhex(
    "dd080102030405060708084d4d4d0000bc614e084d4d4d00000000010000010000053000000007"
)


def sealed(
    apdu: bytes, protection: Protection = Protection.BOTH, style: Style = Style.GENERAL, **more: bool
) -> bytes:
    return protect(apdu, CIPHERS, Form(protection, style, **more), TITLE, 7)


def kinds(explanation: Explanation) -> list[str]:
    return [layer.kind for layer in explanation.layers]


@pytest.mark.parametrize("protection", [Protection.AUTHENTICATION, Protection.ENCRYPTION, Protection.BOTH])
def test_what_names_its_sender_is_opened(protection: Protection) -> None:
    explanation = explain(sealed(PUSH, protection), KEYS)
    assert (explanation.ok, explanation.octets, explanation.plaintext) == (True, PUSH, PUSH)
    (layer,) = explanation.layers
    assert layer.header == {
        "system_title": TITLE.hex(),
        "security_control": int(protection),
        "invocation_counter": 7,
        "authenticated": bool(protection & Protection.AUTHENTICATION),
    }
    assert_sound(explanation)


def test_other_keys_than_the_global_one() -> None:
    everything = OpeningKeys(Secret(bytes(16)), AK, broadcast=EK, dedicated=EK)
    assert explain(sealed(PUSH, dedicated=True), everything).octets == PUSH
    assert explain(sealed(PUSH, broadcast=True), everything).octets == PUSH
    for octets in (sealed(PUSH, dedicated=True), sealed(PUSH, broadcast=True)):
        assert "not-opened" in codes(explain(octets, OpeningKeys(Secret(bytes(16)))))


def test_a_title_that_is_not_in_the_apdu_must_be_given() -> None:
    octets = sealed(GET, style=Style.SERVICE_SPECIFIC)
    assert "no-system-title" in codes(explain(octets, KEYS))
    for titles in ((TITLE,), (bytes(8), TITLE)):
        explanation = explain(octets, OpeningKeys(EK, AK, titles=titles))
        assert (explanation.ok, explanation.type) == (True, "get-request-normal")
        assert kinds(explanation) == ["glo-get-request"]


def test_without_the_authentication_key_it_is_said_that_nothing_is_verified() -> None:
    for protection in (Protection.AUTHENTICATION, Protection.BOTH):
        explanation = explain(sealed(PUSH, protection), OpeningKeys(EK))
        assert explanation.octets == PUSH
        assert codes(explanation) == ["not-verified"]
        assert explanation.layers[0].header["authenticated"] is False


def test_which_key_is_wrong() -> None:
    octets = sealed(PUSH)
    wrong_ak = explain(octets, OpeningKeys(EK, EK))
    assert codes(wrong_ak) == ["not-opened"]
    assert "the encryption key fits" in wrong_ak.findings[0].hint
    wrong_ek = explain(octets, OpeningKeys(AK, AK))
    assert codes(wrong_ek) == ["not-opened"]
    assert "the encryption key fits" not in wrong_ek.findings[0].hint
    for each in (wrong_ak, wrong_ek):
        assert (each.ok, each.type, each.plaintext) == (False, "general-glo-ciphering", None)
        assert PUSH.hex() not in json.dumps(each.as_json())
        assert_sound(each)


def test_an_altered_octet_is_noticed() -> None:
    octets = bytearray(sealed(PUSH))
    octets[-14] ^= 1
    explanation = explain(bytes(octets), KEYS)
    assert (explanation.ok, codes(explanation)) == (False, ["not-opened"])


def test_without_keys_all_that_is_not_ciphered_is_named() -> None:
    explanation = explain(sealed(PUSH))
    text = render_text(explanation)
    for said in (
        "system-title",
        "security-control: suite 0, authenticated, encrypted",
        "invocation-counter: 7",
        "authentication-tag",
    ):
        assert said in text
    assert explanation.fields["system_title"] == TITLE.hex()
    assert (explanation.fields["security_control"], explanation.fields["invocation_counter"]) == (0x30, 7)
    assert codes(explanation) == ["ciphered"]
    assert_sound(explanation)


def test_general_ciphering_names_its_fields() -> None:
    explanation = explain(GENERAL_CIPHERING + b"")
    assert explanation.type == "general-ciphering"
    text = render_text(explanation)
    for said in (
        "transaction-id",
        "originator-system-title",
        "recipient-system-title",
        "key-info",
        "key-id",
        "invocation-counter: 7",
    ):
        assert said in text
    assert_sound(explanation)


def test_a_signed_apdu_is_opened_and_not_believed() -> None:
    explanation = explain(SIGNED)
    assert (explanation.ok, explanation.type) == (True, "get-response-normal")
    (layer,) = explanation.layers
    assert layer.kind == "general-signing"
    assert layer.header["originator_system_title"] == "4d4d4d0000bc614e"
    assert layer.header["signature"] == "010203"
    assert codes(explanation) == ["signature-not-verified"]


def test_envelopes_in_envelopes() -> None:
    signed = SIGNED[:30] + bytes((len(GET),)) + GET + SIGNED[37:]
    explanation = explain(b"\xe6\x01\x01\xaa" + sealed(signed), KEYS)
    assert kinds(explanation) == ["gateway-request", "general-glo-ciphering", "general-signing"]
    assert explanation.octets == GET


def test_envelopes_without_end_are_not_followed() -> None:
    explanation = explain(b"\xe6\x01\x00" * 5000 + GET)
    assert len(explanation.layers) == 8
    assert_sound(explanation)


def test_the_initiate_request_in_an_aarq_is_opened_by_its_title() -> None:
    inner = sealed(bytes.fromhex("01000000065f1f0400007e1f04b0"), style=Style.SERVICE_SPECIFIC)
    title = b"\xa6\x0a\x04\x08" + TITLE
    information = b"\xbe" + bytes((len(inner) + 2,)) + b"\x04" + bytes((len(inner),)) + inner
    content = bytes.fromhex("a109060760857405080103") + title + information
    octets = b"\x60" + bytes((len(content),)) + content
    explanation = explain(octets, KEYS)
    told = explanation.fields["user_information"]
    assert isinstance(told, dict)
    assert (told["type"], told["plaintext"]) == ("initiate-request", "01000000065f1f0400007e1f04b0")
    assert explanation.ok
    assert_sound(explanation)
    assert codes(explain(octets)) == ["ciphered"]


# ------------------------------------------------------------------------------------------------ secrets and lists

SECRET = "5345435245543031"
IN_LISTS = {
    "set-request-with-list": "c104c102" "00010000600100ff0200" "000f0000280000ff0700" "02" "0f01" f"0908{SECRET}",
    "more values than names": "c104c101" "000f0000280000ff0700" "02" "0f01" f"0908{SECRET}",
    "set-request-with-list-and-first-datablock": "c105c101" "000f0000280000ff0700" "00" "00000001" f"0a0908{SECRET}",
    "set-request-with-first-datablock": "c102c1" "000f0000280000ff0700" "00" "00000001" f"0a0908{SECRET}",
    "action-request-with-list": "c303c102" "000f0000280000ff02" "00080000010000ff01" "02" f"0908{SECRET}" "0f00",
    "action-request-with-first-pblock": "c304c1" "000f0000280000ff02" "00" "00000001" f"0a0908{SECRET}",
    "access-request": "d90000000100" "02" "01" "00080000010000ff02" "02" "000f0000280000ff07" "02" "00" f"0908{SECRET}",
    "ciphered": "",
}  # fmt: skip


@pytest.mark.parametrize("name", IN_LISTS)
def test_a_secret_in_a_list_or_in_blocks_is_not_shown(name: str) -> None:
    octets = bytes.fromhex(IN_LISTS[name]) or sealed(bytes.fromhex(IN_LISTS["access-request"]))
    explanation = explain(octets, KEYS)
    shown = render_text(explanation) + json.dumps(explanation.as_json())
    assert SECRET not in shown.replace(" ", "")
    assert bytes.fromhex(SECRET).decode() not in shown
    assert explanation.plaintext is None
    assert explanation.part is not None
    assert any(leaf.state is State.HIDDEN for leaf in explanation.part.leaves())
    assert_sound(explanation)


def test_what_stands_beside_a_secret_is_shown() -> None:
    text = render_text(explain(bytes.fromhex(IN_LISTS["set-request-with-list"])))
    assert "integer 1" in text


@pytest.mark.parametrize(
    "octets",
    [
        "d90000000100010100080000010000ff0200",
        "da000000010000020f010f02010100",
        "da000000010001010100080000010000ff02020f010f020201000100",
        "c104c10100010000600100ff0200020f010f01",
        "c303c10200080000010000ff0100080000010000ff01010f00",
        "060102fa00020f010f01",
        "160202fa0002fa08010f01",
        "18000102fa0000",
    ],
)
def test_lists_that_are_not_equally_long_are_told(octets: str) -> None:
    explanation = explain(bytes.fromhex(octets))
    assert "unequal-lists" in codes(explanation)
    assert_sound(explanation)


def test_lists_that_are_raise_no_finding() -> None:
    for octets in ("da000000010000010f01010100", "060102fa00010f01", "c104c10100010000600100ff0200010f01"):
        assert codes(explain(bytes.fromhex(octets))) == []
