"""explain opens every link by itself: frames joined, broken ones told, carriers without a mark recognised."""

import json
from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.diagnose.test_explain import assert_sound, codes
from tests.link.hdlc.test_listener import frame as hdlc_frame
from tests.link.hdlc.test_listener import segments as hdlc_segments
from tests.link.mbus.test_mbus import TINETZ, of_segments
from tests.link.pushes import PUSH, in_blocks
from tests.link.test_wmbus import telegram

from meterwright.diagnose import Explanation, OpeningKeys, explain, render_text
from meterwright.link import LlcFrame, ShortMessage, WrapperFrame
from meterwright.link.hdlc import Frame
from meterwright.link.plc import encode_hdlc_llc
from meterwright.link.wmbus import FrameFormat
from meterwright.security import Secret

LLC = b"\xe6\xe7\x00"
COAP = bytes.fromhex("42027d34abcd") + b"\xb4dlms" + b"\xff"
SNRM = bytes.fromhex("7ea0070321930f017e")
UA = bytes.fromhex("7ea02103000294b3733e8c8180120501ef0601ef0704000000010804000000010de77e")


def kinds(explanation: Explanation) -> list[str]:
    return [layer.kind for layer in explanation.layers]


def is_push(explanation: Explanation) -> TypeGuard[Explanation]:
    assert_sound(explanation)
    return explanation.ok and explanation.octets == PUSH and explanation.invoke_id == 1


@pytest.mark.parametrize(
    ("octets", "layers"),
    [
        (PUSH, []),
        (LLC + PUSH, ["llc"]),
        (WrapperFrame(1, 16, PUSH).to_octets(), ["wrapper"]),
        (hdlc_frame(LLC + PUSH), ["hdlc", "llc"]),
        (b"".join(hdlc_segments(PUSH, 16, repeats_llc=True)), ["hdlc", "hdlc", "hdlc", "llc"]),
        (b"".join(of_segments(PUSH, 20)), ["mbus", "mbus"]),
        (telegram(b"\x10\x01\x67" + PUSH), ["wmbus"]),
        (telegram(b"\x10\x01\x67" + PUSH, FrameFormat.B), ["wmbus"]),
        (telegram(b"\x10\x01\x67" + PUSH, FrameFormat.STRIPPED), ["wmbus"]),
        (ShortMessage(1, 0x66, PUSH).to_octets(), ["sms"]),
        (b"\x00\x02\x01\x02\x00\x01\x00" + bytes((len(PUSH),)) + PUSH, ["prime"]),
        (COAP + PUSH, ["coap"]),
        (COAP + WrapperFrame(1, 16, PUSH).to_octets(), ["coap", "wrapper"]),
        (LlcFrame(1, 0x67, PUSH).to_octets(), ["plc"]),
        (hdlc_frame(LLC + PUSH)[1:-1], ["hdlc", "llc"]),
        (b"\xe6\x01\x02\xaa\xbb" + PUSH, ["gateway-request"]),
        (
            b"".join(
                hdlc_frame((LLC if n == 0 else b"") + block) for n, block in enumerate(in_blocks(PUSH, 20))
            ),
            ["hdlc", "llc", "general-block-transfer", "hdlc", "general-block-transfer"],
        ),
        (
            b"".join(
                WrapperFrame(1, 16, b"\xe7\x01\x01\xaa" + block).to_octets() for block in in_blocks(PUSH, 30)
            ),
            ["wrapper", "gateway-response", "general-block-transfer"] * 2,
        ),
    ],
)
def test_each_link_is_recognised_by_itself(octets: bytes, layers: list[str]) -> None:
    explanation = explain(octets)
    assert is_push(explanation)
    assert kinds(explanation) == layers
    assert explanation.following == ()


def test_a_message_of_a_prime_concentrator() -> None:
    explanation = explain(bytes.fromhex("00010000000100120101020001064d5753303031a0b1c2d3e4f5"))
    assert explanation.ok
    assert explanation.layers[0].header["message"] == "new-meter"
    assert explanation.layers[0].header["identifier"] == b"MWS001".hex()


def test_a_dialogue_frame_by_frame() -> None:
    explanation = explain(SNRM + UA)
    assert [each.ok for each in explanation.all()] == [True, True]
    first, second = (each.layers[0].header for each in explanation.all())
    assert (first["frame"], second["frame"]) == ("SNRM", "UA")
    assert second["max_information_received"] == 0xEF
    told = explanation.as_json()["apdu"]
    assert isinstance(told, dict)
    assert told["type"] is None
    assert told["following"] == [each.as_json() for each in explanation.following]
    assert "SNRM" in render_text(explanation)


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (hdlc_frame(LLC + PUSH)[:-10], "truncated-frame"),
        (hdlc_frame(LLC + PUSH)[:-3] + b"\x00\x00~", "check-sequence"),
        (hdlc_frame(LLC + PUSH) + b"\x01\x02", "octets-outside-frames"),
        (hdlc_segments(PUSH, 16, repeats_llc=False)[0], "segments-missing"),
        (of_segments(PUSH, 20)[0], "segments-missing"),
        (of_segments(PUSH, 20)[1], "segments-missing"),
        (of_segments(PUSH, 50)[0][:-3], "truncated-frame"),
        (of_segments(PUSH, 50)[0][:-2] + b"\x00\x16", "check-sequence"),
        (in_blocks(PUSH, 20)[0], "blocks-missing"),
        (in_blocks(PUSH, 20)[1], "blocks-missing"),
        (
            b"".join(WrapperFrame(1, 16, each).to_octets() for each in in_blocks(PUSH, 10)[::2]),
            "blocks-missing",
        ),
        (telegram(b"\x78\x00"), "no-apdu"),
        (b"\x40\x02\x00\x01" + b"\xd1\x0e\x0e" + b"\xff" + PUSH, "coap-blocks"),
    ],
)
def test_what_is_broken_or_missing_is_told(octets: bytes, code: str) -> None:
    explanation = explain(octets)
    assert_sound(explanation)
    assert code in [each for one in explanation.all() for each in codes(one)]
    assert not explanation.as_json()["ok"]


def test_a_broken_frame_still_tells_what_is_in_it() -> None:
    for octets in (hdlc_frame(LLC + PUSH)[:-3] + b"\x00\x00~", of_segments(PUSH, 50)[0][:-2] + b"\x00\x16"):
        explanation = explain(octets)
        assert (explanation.ok, explanation.octets) == (False, PUSH)


@pytest.mark.parametrize("noise", [b"\x00\xff", b"\x12\x34\x56~\xa0"])
def test_frames_behind_noise_are_found(noise: bytes) -> None:
    for frame in (hdlc_frame(LLC + PUSH), of_segments(PUSH, 50)[0]):
        explanation = explain(noise + frame)
        assert (explanation.ok, explanation.octets) == (False, PUSH)
        assert codes(explanation) == ["octets-outside-frames"]
        assert_sound(explanation)


def test_a_frame_whose_first_flag_was_lost_is_found() -> None:
    assert is_push(explain(hdlc_frame(LLC + PUSH)[1:]))


def test_an_acknowledgement_between_blocks_does_not_part_them() -> None:
    first, second = in_blocks(PUSH, 20)
    frames = [
        WrapperFrame(1, 16, first),
        WrapperFrame(16, 1, bytes.fromhex("e0850001000100")),
        WrapperFrame(1, 16, second),
    ]
    explained = list(explain(b"".join(frame.to_octets() for frame in frames)).all())
    assert [each.type for each in explained] == ["general-block-transfer", "data-notification"]
    assert explained[1].octets == PUSH


def test_the_operators_example_is_opened_through_all_its_layers() -> None:
    keys = OpeningKeys(Secret(bytes(range(0x10, 0x20))))
    explanation = explain(TINETZ, keys)
    assert kinds(explanation) == ["mbus", "mbus", "general-glo-ciphering"]
    assert explanation.ok
    values = {value.obis: (value.value, value.unit) for value in explanation.values}
    assert values["1.0.32.7.0.255"][1] == "V"
    assert values["0.0.42.0.0.255"][0] == "KFM1100100000035"
    assert_sound(explanation)


@given(
    st.binary(max_size=120),
    st.sampled_from(["7e", "68", "0002", "0003", "90", "42027d34", "a0", "2f", "e0c0", "df08", "e601"]),
)
def test_any_octets_have_an_answer(rest: bytes, head: str) -> None:
    keys = OpeningKeys(Secret(bytes(16)), Secret(bytes(16)), titles=(bytes(8),))
    assert_sound(explain(bytes.fromhex(head) + rest, keys))


@given(st.data())
def test_any_cut_or_altered_frame_has_an_answer(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from(
            [
                b"".join(hdlc_segments(PUSH, 16, repeats_llc=False)),
                b"".join(of_segments(PUSH, 9)),
                telegram(b"\x10\x01\x67" + PUSH),
                COAP + PUSH,
                b"".join(WrapperFrame(1, 16, each).to_octets() for each in in_blocks(PUSH, 9)),
            ]
        )
    )
    octets = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if octets:
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    assert_sound(explain(bytes(octets)))
    json.dumps(explain(bytes(octets)).as_json())


def test_floods_end() -> None:
    for noise in (b"~", b"~\xa0", b"h\xff\xffh", hdlc_frame(LLC + PUSH), of_segments(PUSH, 50)[0]):
        explanation = explain(noise * (300_000 // len(noise)))
        assert len(explanation.following) <= 1001


def test_hdlc_frames_of_a_power_line_are_encoded_as_they_are_read() -> None:
    octets = hdlc_frame(LLC + PUSH)[1:-1]
    assert encode_hdlc_llc(Frame.from_octets(octets)) == octets
