"""explain: the answer that began it all, errors of every service, breaches and quirks, and that nothing makes it raise."""

import json
from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apdu.golden import GOLDEN, octets_of

from meterwright.apdu import APDUS, CipheredApdu
from meterwright.diagnose import Explanation, Part, State, explain, read_octets, render_text
from meterwright.link import WrapperFrame
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    DataAccessResult,
    ExceptionService,
    Level,
    ServiceErrorClass,
)

FORUM = bytes.fromhex("c701c1010102114373f23adf37a31d0decb749d496dbd1ca")

# Well-formed APDUs, one of each kind this build reads, in octets of the books' examples or made up here.
WELL_FORMED = {
    "get-request-normal": "c001c100080000010000ff0200",
    "get-request-normal selective": "c001c100070100630100ff0201010204020412000809060000010000ff0f02120000"
    "090c07e8010101000000ff800000090c07e8010201000000ff8000000100",
    "get-request-next": "c002c100000002",
    "get-request-with-list": "c003c10200080000010000ff020000010000600100ff0200",
    "get-response-normal": "c401c100090c07e8010101000000ff800000",
    "get-response-normal error": "c401c10103",
    "get-response-with-datablock": "c402c100000000010003010203",
    "get-response-with-list": "c403c102000f010104",
    "set-request-normal": "c101c100010000600100ff02000f01",
    "set-request-with-first-datablock": "c102c100080000010000ff0200000000000103090c07",
    "set-request-with-datablock": "c103c1010000000203010203",
    "set-request-with-list": "c104c10200010000600100ff020000010000600101ff0200020f010f02",
    "set-request-with-list-and-first-datablock": "c105c10200010000600100ff020000010000600101ff0200000000000103020f01",
    "set-response-normal": "c501c100",
    "set-response-datablock": "c502c100000001",
    "set-response-last-datablock": "c503c10000000002",
    "set-response-last-datablock-with-list": "c504c102000300000002",
    "set-response-with-list": "c505c1020003",
    "action-request-normal": "c301c1001200002c0000ff01010202090346573106000001c2",
    "action-request-next-pblock": "c302c100000001",
    "action-request-with-list": "c303c102001200002c0000ff03001200002c0000ff04020f000f00",
    "action-request-with-first-pblock": "c304c1001200002c0000ff0200000000010402020600",
    "action-request-with-list-and-first-pblock": "c305c101001200002c0000ff020000000001050102020600",
    "action-request-with-pblock": "c306c100000000020402020600",
    "action-response-normal": "c701c10000",
    "action-response-normal data": "c701c10001000f01",
    "action-response-with-pblock": "c702c100000000010402020600",
    "action-response-with-list": "c703c10200000201000f01",
    "action-response-next-pblock": "c704c100000001",
    "data-notification": "0f000000010c07e8010101000000ff80000002030906010001" "0800ff0600000abc02020fff161e",
    "exception-response": "d80102",
    "exception-response counter": "d8010600000010",
    "confirmed-service-error": "0e010601",
    "initiate-request": "01000000065f1f0400007e1f04b0",
    "initiate-response": "0800065f1f040000501f01f40007",
    "aarq": "601da109060760857405080101be10040e01000000065f1f0400007e1fffff",
    "aare": "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400007c1bd1040007",
    "rlrq": "6203800100",
    "rlre": "6303800100",
    "get-response-normal compact array": "c401c100130204010002110316090f010201050341424303040006024142",
    "get-response-normal compact array of nothing": "c401c100130000",
    "object list": "c401c1000101020412000f110109060000280000ff0202"  # one object, its access rights:
    "0101" "02030f02160100"  # attribute 2, read only, no selectors
    "0101" "02020f011601",  # method 1, access
}  # fmt: skip
_NAMED = {name.split(" ", maxsplit=1)[0] for name in WELL_FORMED}
WELL_FORMED.update(
    {
        f"{apdu.label} {octets}": octets_of(octets).hex()
        for octets, apdu in GOLDEN
        if apdu.label not in _NAMED and not isinstance(apdu, CipheredApdu)
    }
)
"""The kinds that have no octets of their own above are as they stand among the golden ones."""


def codes(explanation: Explanation) -> list[str]:
    return [finding.code for finding in explanation.findings]


def assert_sound(explanation: Explanation) -> None:
    """What must hold for whatever was explained."""
    for each in explanation.all():
        size = len(each.octets)
        assert all(finding.offset is None or 0 <= finding.offset <= size for finding in each.findings)
        if each.part is not None:
            assert_covers(each.part, each.octets)
            understood = all(leaf.state in {State.READ, State.HIDDEN} for leaf in each.part.leaves())
            assert understood or not each.ok
        assert each.ok or any(finding.level is not Level.INFO for finding in each.findings)
    json.dumps(explanation.as_json(), allow_nan=False).encode("utf-8")
    text = render_text(explanation)
    text.encode("utf-8")
    assert all(letter == "\n" or letter.isprintable() for letter in text)


def assert_covers(part: Part, octets: bytes) -> None:
    """The leaves lie side by side, cover every octet and show the octets they say."""
    position = 0
    for leaf in part.leaves():
        assert leaf.start == position
        assert leaf.octets == octets[leaf.start : leaf.end]
        position = leaf.end
    assert position == len(octets)


class TestTheAnswerThatBeganItAll:
    """Block 2 of an image, answered with hardware-fault and octets that nobody could read."""

    def test_as_text(self) -> None:
        assert render_text(explain(FORUM)) == FORUM_TEXT

    def test_as_json(self) -> None:
        told = explain(FORUM).as_json()
        findings = told.pop("findings")
        assert told == {
            "id": None,
            "ok": False,
            "layers": [],
            "apdu": {
                "type": "action-response-normal",
                "invoke_id_and_priority": {
                    "invoke_id": 1,
                    "confirmed": True,
                    "high_priority": True,
                    "reserved": 0,
                },
                "result": "hardware-fault",
                "return_parameters": {"unreadable": FORUM.hex()[8:], "offset": 5},
            },
            "plaintext": FORUM.hex(),
            "invoke_id": 1,
            "datetime": None,
            "values": [],
            "data": None,
        }
        assert isinstance(findings, list)
        assert all(
            isinstance(each, dict) and set(each) == {"level", "code", "message", "offset"}
            for each in findings
        )

    def test_the_causes_most_likely_first(self) -> None:
        findings = explain(FORUM).findings
        assert [(each.code, each.offset) for each in findings] == [
            ("block-size-mismatch", 3),
            ("busy-or-flash-fault", 3),
            ("meter-fault", 3),
            ("illegal-octet", 5),
            ("unreadable-rest", 6),
        ]
        assert "200" in findings[0].hint
        assert "attribute 2 (image_block_size)" in findings[0].hint
        assert "attribute 6" in findings[1].hint
        assert "attributes 3 and 4" in findings[2].hint
        assert "18 octets" in findings[4].message
        assert "12-octet authentication tag" in findings[4].message

    def test_in_a_wrapper_frame_offsets_stay_those_of_the_apdu(self) -> None:
        wrapped = explain(WrapperFrame(1, 16, FORUM).to_octets())
        assert wrapped.findings == explain(FORUM).findings
        assert [layer.as_json() for layer in wrapped.layers] == [
            {"kind": "wrapper", "version": 1, "source": 1, "destination": 16, "length": 24}
        ]


class TestWellFormed:
    @pytest.mark.parametrize("name", WELL_FORMED)
    def test_it_is_understood_whole(self, name: str) -> None:
        explanation = explain(bytes.fromhex(WELL_FORMED[name]))
        assert explanation.ok
        kind = name.split(" ", maxsplit=1)[0]
        envelopes = [layer.kind for layer in explanation.layers]
        assert kind in {explanation.type, *envelopes} or name == "object list"
        assert [finding for finding in explanation.findings if finding.code.startswith("quirk")] == []
        assert_sound(explanation)

    def test_every_kind_of_apdu_is_here(self) -> None:
        labels = {cls.label for cls in APDUS if not issubclass(cls, CipheredApdu)}
        assert labels <= {name.split(" ", maxsplit=1)[0] for name in WELL_FORMED}

    def test_a_request_names_class_object_and_attribute(self) -> None:
        text = render_text(explain(bytes.fromhex(WELL_FORMED["get-request-normal"])))
        assert "8/0.0.1.0.0.255/2: time of Clock (clock)" in text

    def test_a_call_names_the_method_and_its_parameter(self) -> None:
        text = render_text(explain(bytes.fromhex("c301c1001200002c0000ff0201020206000000050904aabbccdd")))
        assert "image_block_transfer of Image transfer" in text
        assert "image_block_number: double-long-unsigned 5" in text
        assert "image_block_value: octet-string aabbccdd" in text

    def test_an_object_list_names_its_fields(self) -> None:
        text = render_text(explain(bytes.fromhex(WELL_FORMED["object list"])))
        for said in (
            "class_id: long-unsigned 15",
            "0.0.40.0.0.255",
            "attribute_access",
            "access_mode: enum 1",
        ):
            assert said in text
        assert "ScalerUnit" not in text

    def test_a_compact_array_names_its_parts(self) -> None:
        """Those of its description, its length, and the elements of its rows by their declaration."""
        octets = "c101c1001200002c0000ff0700" + "13 0203060909 10 00000003 0141 01ff 00000004 024142 00"
        lines = [
            line.split("  ")[-1].strip() for line in render_text(explain(bytes.fromhex(octets))).splitlines()
        ]
        assert lines[lines.index("value: compact-array of 2") :] == [
            "value: compact-array of 2",
            "compact-array: tag",
            "contents-description: structure of 3",
            "structure: 3 elements",
            "[0]: double-long-unsigned",
            "[1]: octet-string",
            "[2]: octet-string",
            "array-contents: 2 in a row",
            "length: 16 octets",
            "[0]: structure of 3 (ImageToActivateInfo)",
            "image_to_activate_size: double-long-unsigned 3",
            "image_to_activate_identification: octet-string “A”",
            "image_to_activate_signature: octet-string ff",
            "[1]: structure of 3 (ImageToActivateInfo)",
            "image_to_activate_size: double-long-unsigned 4",
            "image_to_activate_identification: octet-string “AB”",
            "image_to_activate_signature: octet-string (empty)",
        ]

    def test_a_compact_array_in_a_push_gives_its_values(self) -> None:
        row = "060100010800ff 00000007 ff 1e"
        octets = f"0f000000010c07e8010101000000ff800000 13 0203 09 06 0202 0f16 0d {row}"
        (value,) = explain(bytes.fromhex(octets)).values
        assert (value.obis, value.raw, value.value, value.unit) == ("1.0.1.8.0.255", 7, 0.7, "Wh")

    def test_units_and_times_are_spelled_out(self) -> None:
        assert "unit: enum 30 (Wh)" in render_text(explain(bytes.fromhex("c401c10002020fff161e")))
        assert "2024-01-01 00:00:00" in render_text(
            explain(bytes.fromhex(WELL_FORMED["get-response-normal"]))
        )

    def test_an_aare_opens_its_user_information(self) -> None:
        explanation = explain(bytes.fromhex(WELL_FORMED["aare"]))
        told = explanation.as_json()["apdu"]
        assert isinstance(told, dict)
        inner = told["user_information"]
        assert isinstance(inner, dict)
        assert inner["type"] == "initiate-response"
        assert "server-max-receive-pdu-size: 53508" in render_text(explanation)

    def test_a_push_gives_its_values(self) -> None:
        explanation = explain(bytes.fromhex(WELL_FORMED["data-notification"]))
        assert explanation.invoke_id == 1
        assert explanation.datetime == "2024-01-01T00:00:00"
        assert [value.as_json() for value in explanation.values] == [
            {
                "obis": "1.0.1.8.0.255",
                "attribute": None,
                "raw": 2748,
                "value": 274.8,
                "scaler": -1,
                "unit": "Wh",
            }
        ]

    def test_pushed_objects_are_matched_with_their_values(self) -> None:
        listed = "0102020412000109060000600100ff0f02120000020412000309060100010800ff0f02120000"
        explanation = explain(bytes.fromhex("0f00000001000203" + listed + "0a034142430600000abc"))
        assert [(value.obis, value.attribute, value.raw) for value in explanation.values] == [
            ("0.0.96.1.0.255", 2, "ABC"),
            ("1.0.1.8.0.255", 2, 2748),
        ]

    def test_a_list_of_pushed_objects_may_name_itself_first(self) -> None:
        listed = "0102020412002809060000190900ff0f02120000020412000309060100010800ff0f02120000"
        explanation = explain(bytes.fromhex("0f00000001000202" + listed + "0600000abc"))
        assert [(value.obis, value.attribute, value.raw) for value in explanation.values] == [
            ("1.0.1.8.0.255", 2, 2748)
        ]

    def test_a_pushed_clock_is_a_moment(self) -> None:
        pushed = "0f0000000100020209060000010000ff090c07e80105050c1e0000ffc400"
        (value,) = explain(bytes.fromhex(pushed)).values
        assert (value.raw, value.value) == ({"hex": "07e80105050c1e0000ffc400"}, "2024-01-05T12:30:00+01:00")

    def test_a_written_attribute_is_a_value(self) -> None:
        (value,) = explain(bytes.fromhex(WELL_FORMED["set-request-normal"])).values
        assert (value.obis, value.attribute, value.raw) == ("0.0.96.1.0.255", 2, 1)


class TestErrors:
    """Each error of each service has causes, most likely first, each with a next step."""

    @pytest.mark.parametrize(
        "code", [code for code in DataAccessResult.__members__.values() if code], ids=repr
    )
    @pytest.mark.parametrize(
        "answer",
        ["c401c101{0:02x}", "c402c1010000000101{0:02x}", "c403c10101{0:02x}", "c501c1{0:02x}", "c503c1{0:02x}00000001",
         "c505c101{0:02x}", "c701c1000101{0:02x}"],
    )  # fmt: skip
    def test_data_access_result(self, answer: str, code: DataAccessResult) -> None:
        self.check(answer.format(int(code)), code.label)

    @pytest.mark.parametrize("code", [code for code in ActionResult.__members__.values() if code], ids=repr)
    @pytest.mark.parametrize("answer", ["c701c1{0:02x}00", "c701c1{0:02x}", "c703c101{0:02x}00"])
    def test_action_result(self, answer: str, code: ActionResult) -> None:
        self.check(answer.format(int(code)), code.label)

    @pytest.mark.parametrize("code", ExceptionService.__members__.values(), ids=repr)
    def test_exception(self, code: ExceptionService) -> None:
        self.check(f"d801{int(code):02x}", code.label)

    @pytest.mark.parametrize("code", ServiceErrorClass.__members__.values(), ids=repr)
    def test_confirmed_service_error(self, code: ServiceErrorClass) -> None:
        self.check(f"0e05{int(code):02x}00", code.label)

    @pytest.mark.parametrize("code", AcseServiceUserDiagnostic.__members__.values(), ids=repr)
    def test_rejection(self, code: AcseServiceUserDiagnostic) -> None:
        self.check(f"6117a109060760857405080101a203020101a305a1030201{int(code):02x}", code.label)

    def test_a_rejection_tells_the_reason_inside_first(self) -> None:
        explanation = explain(
            bytes.fromhex("611fa109060760857405080101a203020101a305a103020101be0604040e010602")
        )
        assert explanation.ok
        assert explanation.findings[0].message.startswith("initiate, incompatible-conformance")
        assert explanation.findings[0].offset == 32

    def test_high_level_authentication_is_no_failure(self) -> None:
        explanation = explain(bytes.fromhex("6117a109060760857405080101a203020100a305a10302010e"))
        assert codes(explanation) == ["authentication-follows"]

    def test_the_same_failure_twice_is_told_once(self) -> None:
        once, twice = explain(bytes.fromhex("c505c10103")), explain(bytes.fromhex("c505c1020303"))
        assert codes(once) == codes(twice)

    def test_the_counter_in_an_exception_is_told(self) -> None:
        explanation = explain(bytes.fromhex("d8010600000010"))
        assert "invocation-counter" in codes(explanation)
        assert "invocation-counter" not in codes(explain(bytes.fromhex("d80106")))

    def test_an_unfinished_release(self) -> None:
        assert codes(explain(bytes.fromhex("6303800101"))) == ["request-open"]

    @staticmethod
    def check(answer: str, label: str) -> None:
        explanation = explain(bytes.fromhex(answer))
        assert explanation.ok
        causes = [finding for finding in explanation.findings if finding.level is Level.ERROR]
        assert causes
        assert label in causes[0].message
        assert all(cause.hint for cause in causes)
        assert_sound(explanation)


class TestBreaches:
    @pytest.mark.parametrize(
        ("octets", "code", "offset"),
        [
            ("c0", "truncated", 1),
            ("c009c1", "illegal-octet", 1),
            ("c001c10008", "truncated", 5),
            ("c001c100080000010000ff02", "truncated", 12),
            ("c001c100080000010000ff0207", "illegal-octet", 12),
            ("c401c105", "illegal-octet", 3),
            ("c401c1000e", "illegal-octet", 4),
            ("c401c10013", "truncated", 5),
            ("c401c1001307", "illegal-octet", 5),
            ("c401c100131313", "illegal-octet", 5),
            ("c401c10013120301020304", "illegal-octet", 9),
            ("c401c100130003010203", "illegal-octet", 7),
            ("c401c1001301ffff01ffff110401020304", "illegal-octet", 13),
            ("c401c100130f0301020304", "trailing-octets", 10),
            ("c401c100020211", "illegal-octet", 5),
            ("c401c10009ff", "illegal-octet", 5),
            ("c501c10001", "trailing-octets", 4),
            ("c701c1000009", "trailing-octets", 5),
            ("c701c100010009", "truncated", 7),
            ("ab", "unknown-apdu-tag", 0),
            ("c81e30", "ciphered", 0),
            ("db08", "ciphered", 0),
            ("0800065f1e040000501f01f40007", "illegal-octet", 3),
            ("0f00000001050102030405", "illegal-octet", 5),
            ("6104a2020100", "illegal-octet", 4),
        ],
    )
    def test_it_is_told_where_and_what(self, octets: str, code: str, offset: int) -> None:
        explanation = explain(bytes.fromhex(octets))
        assert not explanation.ok
        found = [finding.offset for finding in explanation.findings if finding.code == code]
        assert found
        assert found[0] == offset
        assert_sound(explanation)

    def test_what_would_have_been_legal_is_said(self) -> None:
        (finding,) = explain(bytes.fromhex("c001c100080000010000ff0207")).findings
        assert finding.message == "octet 12 is 07 where only 00 (absent) or 01 (present) is legal"

    def test_what_was_read_before_is_told_all_the_same(self) -> None:
        explanation = explain(bytes.fromhex("0f400000010c07e8010101000000ff80000002ff"))
        assert (explanation.type, explanation.invoke_id) == ("data-notification", 1)
        assert explanation.datetime == "2024-01-01T00:00:00"

    @pytest.mark.parametrize(
        ("tag", "name"),
        [(0x21, "glo-initiate-request"), (0x68 - 0x20, "ded-initiate-response"), (0xC8, "glo-get-request"),
         (0xD7, "ded-action-response"), (0xDB, "general-glo-ciphering"), (0xDD, "general-ciphering"),
         (0xDF, "general-signing"), (0xE0, "general-block-transfer"), (0x05, "read-request"), (0x0C, "read-response"),
         (0xC2, "event-notification-request"), (0x18, "information-report-request"), (0xD9, "access-request")],
    )  # fmt: skip
    def test_apdus_not_read_are_named(self, tag: int, name: str) -> None:
        explanation = explain(bytes((tag, 1, 2, 3)))
        assert (explanation.ok, explanation.type) == (False, name)
        assert_sound(explanation)


class TestQuirks:
    @pytest.mark.parametrize(
        ("octets", "code", "offset"),
        [
            ("c701c100", "quirk-missing-return-parameters-flag", 4),
            ("c701c1000109021234", "quirk-missing-choice", 5),
            ("c701c11300", "quirk-unknown-code", 3),
            ("c701c11300", "quirk-action-result-19", 3),
            ("c401c10163", "quirk-unknown-code", 4),
            ("c401f1000f01", "quirk-reserved-bits", 2),
            ("c401c1000302", "quirk-boolean-octet", 5),
            ("c402c1ff000000010003010203", "quirk-boolean-octet", 3),
            ("c401c100130303000103", "quirk-boolean-octet", 9),
            ("c401c1001311810105", "quirk-long-length", 6),
            ("c401c10013028101110105", "quirk-long-length", 6),
            ("c401c10013090482000141", "quirk-long-length", 7),
            ("c401c1000a0161", None, 0),
            ("c401c1000a01e9", "quirk-visible-string-octets", 4),
            ("c401c1000c02c3a9", None, 0),
            ("c401c1000c01e9", "quirk-utf8-string-octets", 4),
            ("c401c100130c0201e9", "quirk-utf8-string-octets", 7),
            ("c401c1000982000141", "quirk-long-length", 5),
            ("c401c1000281010f01", "quirk-long-length", 5),
            ("c402c1000000000100810101", "quirk-long-length", 9),
            ("c505c1810100", "quirk-long-length", 3),
            ("62810380010" + "0", "quirk-long-length", 1),
            ("0f00000001090c07e8010101000000ff8000000f01", "quirk-tagged-date-time", 5),
            ("c201090c07e8010101000000ff80000000010000600100ff020f01", "quirk-tagged-date-time", 2),
            ("c20107e8010101000000ff80000000010000600100ff020f01", "quirk-fixed-date-time", 2),
            ("0800065f040000501f01f40007", "quirk-short-conformance-tag", 3),
            ("0f000000010" + "00f010000", "quirk-zero-padding", 8),
            ("6303800100", None, 0),
            ("630680010085010" + "0", "quirk-other-encoding", 1),
        ],
    )
    def test_it_has_a_name_and_is_understood(self, octets: str, code: str | None, offset: int) -> None:
        explanation = explain(bytes.fromhex(octets))
        assert explanation.ok
        told = [
            (finding.code, finding.offset)
            for finding in explanation.findings
            if finding.level is Level.WARNING
        ]
        assert told == [] if code is None else (code, offset) in told
        assert_sound(explanation)

    def test_one_quirk_is_not_told_twice(self) -> None:
        assert codes(explain(bytes.fromhex("c401c1000302"))) == ["quirk-boolean-octet"]


class TestLayers:
    def test_frames_in_a_row(self) -> None:
        frames = WrapperFrame(16, 1, bytes.fromhex("c001c100080000010000ff0200")).to_octets()
        frames += WrapperFrame(1, 16, bytes.fromhex("c401c1000f01")).to_octets()
        explanation = explain(frames)
        assert [each.type for each in explanation.all()] == ["get-request-normal", "get-response-normal"]
        told = explanation.as_json()["apdu"]
        assert isinstance(told, dict)
        assert is_list(told["following"])
        (following,) = told["following"]
        assert isinstance(following, dict)
        assert following["data"] == {"type": "integer", "value": 1}
        assert "get-response-normal" in render_text(explanation)
        assert_sound(explanation)

    @pytest.mark.parametrize(
        ("octets", "code"),
        [
            ("00", "truncated-frame"),
            ("0001", "truncated-frame"),
            ("000100010010", "truncated-frame"),
            ("00010001001000" + "08c501c100", "truncated-frame"),
            ("0001000100100000", "no-apdu"),
            ("0001000100100004c501c1000001", "trailing-octets"),
            ("0001000100100004c501c100abcdef0123456789", "trailing-octets"),
            ("e6e700", "no-apdu"),
            ("", "no-octets"),
            ("7ea00a", "truncated-frame"),
            ("7e", "truncated-frame"),
            ("7e132b", "no-frame"),
            ("680b0b6853", "truncated-frame"),
            ("2f4b464d35", "truncated"),
        ],
    )
    def test_what_is_wrong_with_a_frame_is_told(self, octets: str, code: str) -> None:
        explanation = explain(bytes.fromhex(octets))
        assert not explanation.ok
        assert code in codes(explanation)
        assert_sound(explanation)

    def test_zeros_after_the_last_frame_are_padding(self) -> None:
        explanation = explain(bytes.fromhex("0001000100100004c501c100000000"))
        assert explanation.ok
        assert codes(explanation) == ["zero-padding"]

    def test_the_llc_header_is_peeled(self) -> None:
        explanation = explain(bytes.fromhex("e6e700c501c100"))
        assert (explanation.ok, explanation.type) == (True, "set-response-normal")
        assert [layer.kind for layer in explanation.layers] == ["llc"]

    def test_a_long_row_of_frames_ends(self) -> None:
        explanation = explain(WrapperFrame(1, 16, b"\xc5\x01\xc1\x00").to_octets() * 3000)
        assert len(explanation.following) < 3000
        assert "too-many-frames" in [code for each in explanation.all() for code in codes(each)]


class TestSecrets:
    AARQ_LOW = "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1fffff"

    def test_a_password_is_not_shown(self) -> None:
        self.check(self.AARQ_LOW, "12345678", "3132333435363738")

    def test_a_challenge_is(self) -> None:
        explanation = explain(
            bytes.fromhex(self.AARQ_LOW.replace("8b0760857405080201", "8b0760857405080205"))
        )
        assert "3132333435363738" in json.dumps(explanation.as_json())

    def test_a_dedicated_key_is_not_shown(self) -> None:
        key = "000102030405060708090a0b0c0d0e0f"
        self.check(f"010110{key}0000065f1f0400007e1f04b0", "000102030405060708", "0405060708090a")

    def test_a_written_secret_is_not_shown(self) -> None:
        self.check("c101c1000f0000280000ff070009083132333435363738", "12345678", "3132333435363738")

    def test_of_an_aarq_that_was_cut_one_is_warned(self) -> None:
        (finding,) = [each for each in explain(bytes.fromhex(self.AARQ_LOW[:72])).findings if each.hint][1:]
        assert finding.code == "password-inside"
        assert "may hold" in finding.message

    @staticmethod
    def check(octets: str, text: str, in_hex: str) -> None:
        explanation = explain(bytes.fromhex(octets))
        shown = render_text(explanation) + json.dumps(explanation.as_json())
        assert text not in shown
        assert in_hex not in shown.replace(" ", "")
        assert_sound(explanation)


class TestNothingMakesItRaise:
    @given(st.binary(max_size=200))
    def test_any_octets(self, octets: bytes) -> None:
        assert_sound(explain(octets))

    @given(st.sampled_from(sorted(WELL_FORMED.values())), st.data())
    def test_apdus_with_octets_changed(self, octets: str, data: st.DataObject) -> None:
        changed = bytearray.fromhex(octets)
        for _ in range(data.draw(st.integers(1, 4))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        assert_sound(explain(bytes(changed)))

    @given(st.sampled_from(sorted(WELL_FORMED.values())), st.integers(0, 60), st.binary(max_size=20))
    def test_apdus_cut_and_gone_on_with_anything(self, octets: str, end: int, more: bytes) -> None:
        assert_sound(explain(bytes.fromhex(octets)[:end] + more))

    @given(st.sampled_from(sorted(WELL_FORMED.values())), st.binary(max_size=40))
    def test_anything_behind_a_real_tag(self, octets: str, more: bytes) -> None:
        assert_sound(explain(bytes.fromhex(octets)[:3] + more))

    @given(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=12)), max_size=5), st.binary(max_size=9))
    def test_frames_with_any_length(self, frames: list[tuple[int, bytes]], rest: bytes) -> None:
        octets = b"".join(b"\0\1\0\1\0\x10" + length.to_bytes(2, "big") + apdu for length, apdu in frames)
        assert_sound(explain(octets + rest))

    @pytest.mark.parametrize("name", WELL_FORMED)
    def test_apdus_cut_anywhere(self, name: str) -> None:
        octets = bytes.fromhex(WELL_FORMED[name])
        for end in range(len(octets)):
            assert_sound(explain(octets[:end]))

    @pytest.mark.parametrize(
        "octets",
        [
            b"\xc4\x01\xc1\x00" + b"\x02\x01" * 40,
            b"\xc4\x01\xc1\x00" + b"\x01\x01" * 20_000,
            b"\xc4\x01\xc1\x00\x01\x84\xff\xff\xff\xff",
            b"\xc4\x03\xc1\x84\xff\xff\xff\xff",
            b"\xc4\x01\xc1\x00\x09\x84\xff\xff\xff\xff",
            b"\xc4\x01\xc1\x00\x04\x84\xff\xff\xff\xff",
            b"\xc4\x01\xc1\x00\x01\x82\x40\x00" + b"\x00" * 0x4000,
            b"\xc4\x01\xc1\x00\x04\x82\xff\xff" + b"\xff" * 0x2000,
            b"\xc4\x01\xc1\x00\x13" + b"\x01\xff\xff" * 30 + b"\x00\x01\x00",
            b"\xc4\x01\xc1\x00\x13" + b"\x01\xff\xff" * 20_000,
            b"\xc4\x01\xc1\x00\x13\x02\x05\x11\x00\x00\x00\x00\x82\x20\x00" + bytes(0x2000),
            b"\x61\x82\x40\x00" + b"\xbe\x82\x3f\xfc" * 0x1000,
            b"\xff" * 70_000,
            bytes(70_000),
        ],
        ids=[
            "deep",
            "very-deep",
            "huge-array",
            "huge-list",
            "huge-string",
            "huge-bits",
            "many",
            "bits",
            "compact-product",
            "compact-deep",
            "compact-dense",
            "acse",
            "ff",
            "00",
        ],
    )
    def test_hostile_sizes(self, octets: bytes) -> None:
        assert_sound(explain(octets))

    def test_what_no_apdu_can_be_is_not_read(self) -> None:
        explanation = explain(b"\xc4\x01\xc1\x00\x01\x83\x80\x00\x00" + bytes(0x80_0000))
        assert (explanation.ok, codes(explanation)) == (False, ["too-long"])
        frames = WrapperFrame(1, 16, b"\xc4\x01\xc1\x00\x09\x82\xf0\x00" + bytes(0xF000)).to_octets() * 900
        *read, beyond = explain(frames).all()
        assert len(read) == 4
        assert codes(beyond) == ["too-long"]

    def test_user_information_inside_user_information_ends(self) -> None:
        octets = b""
        for _ in range(2000):
            content = (
                b"\xbe"
                + length(2 + len(length(len(octets))) - 1 + len(octets))
                + b"\x04"
                + length(len(octets))
                + octets
            )
            octets = b"\x61" + length(len(content)) + content
        assert_sound(explain(octets))

    @pytest.mark.parametrize(
        "octets", ["c401c100177f800000", "c401c1001818fff8000000000000"[:10] + "7fc00000"]
    )
    def test_numbers_that_json_has_not(self, octets: str) -> None:
        json.dumps(explain(bytes.fromhex("c401c100177f800000")).as_json(), allow_nan=False)
        json.dumps(explain(bytes.fromhex(octets)).as_json(), allow_nan=False)

    def test_text_from_the_wire_is_harmless(self) -> None:
        hostile = "\x1b[2J\u202e\x07".encode()
        assert_sound(explain(b"\xc4\x01\xc1\x00\x0c" + bytes((len(hostile),)) + hostile))
        assert_sound(explain(b"\xc4\x01\xc1\x00\x0c\x02\xff\xfe"))


def length(size: int) -> bytes:
    return bytes((size,)) if size < 0x80 else b"\x83" + size.to_bytes(3, "big")


def is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def test_what_the_readme_says() -> None:
    assert explain(read_octets("C7 01 C1 00 00")).ok


FORUM_TEXT = """\
action-response-normal (24 octets)

    0  c7 01                    action-response-normal: tag and choice
    2  c1                       invoke-id-and-priority: invoke id 1, confirmed, high priority
    3  01                       result: hardware-fault (1): the meter says that its hardware kept it from doing so; many say it of any trouble inside
                                return-parameters
    4  01                         presence: 01: return parameters follow
    5  02                         illegal: 02 where only 00 (data) or 01 (data-access-result) is legal
    6  11 43 73 f2 3a df 37 a3    unreadable: 18 octets can't be read
   14  1d 0d ec b7 49 d4 96 db
   22  d1 ca

Findings, most likely first:
 1. hardware-fault, as the answer to image_block_transfer: the block's length differs from the meter's image_block_size: every block but the last must be exactly that long [offset 3]
    try: read attribute 2 (image_block_size) in this association before the image is cut into blocks; some libraries silently use 200 until it was read (https://www.gurux.fi/forum/19522)
 2. hardware-fault, as the answer to image_block_transfer: the meter is busy, or its flash failed to take the block [offset 3]
    try: poll attribute 6 (image_transfer_status) until it is 1, then send the same block once more
 3. hardware-fault, as the answer to image_block_transfer: a fault of the meter itself [offset 3]
    try: read attributes 3 and 4 (image_transferred_blocks_status, image_first_not_transferred_block_number) to see what it holds, and its event log
 4. octet 4 (01) says that return parameters follow, but octet 5 is 02 where only 00 (data) or 01 (data-access-result) is legal [offset 5]
 5. the 18 octets after it can't be read; they could be an undecrypted or wrongly cut rest ending in a 12-octet authentication tag [offset 6]
    try: look at how the APDU was cut and deciphered; the result before it holds all the same
"""
