"""Every recorded frame, where METERWRIGHT_CAPTURES names them, decoded by the batch form of explain and compared with what is known.

None is left out. What a file expects and explain does not say stands in `DISAGREEMENTS`, with the octet, the clause, and who is right; a
disagreement that is gone must leave the table, and one that is new fails.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeGuard

import pytest

from meterwright.diagnose import explain, explain_line, render_text
from meterwright.diagnose.tags import TAGS

FILES: Final = {"captures.jsonl", "dialogues.jsonl", "vectors.jsonl", "apdus.txt"}
LONG_INVOKE_ID: Final = 0x00FF_FFFF
"""What of a long-invoke-id-and-priority is the invoke id; `expected` holds the whole number."""


@dataclass(frozen=True)
class Disagreement:
    """Which of the things that are expected differ, at which octet (of the input), by which clause, and who is right."""

    about: frozenset[str]
    octet: int
    clause: str
    right: str


def ours(about: str, octet: int, clause: str) -> Disagreement:
    return Disagreement(frozenset(about.split()), octet, clause, "explain")


DISAGREEMENTS: Final = {
    "amsreader-landis-gyr-em-ct623-2": ours(
        "apdu_tag gbt",
        9,
        "Green Book 9.3.13: block-number 0002 is not the first, so its data 7a… begins no APDU",
    ),
    "amsreader-landis-gyr-gh740-3": ours(
        "apdu_tag gbt",
        9,
        "Green Book 9.3.13: block-number 0003 is not the first, so its data 02 04… begins no APDU",
    ),
    "dsmrparser-v22": ours(
        "obis", 382, "DSMR 2.2, M-Bus meters: the line (00001.001) goes on with 0-1:24.3.0, and is its value"
    ),
    "amshan-hdlc-frame_short_info": ours(
        "apdu_tag",
        9,
        "Green Book 9.5: 02 is the tag of no APDU; the information 02 01 of this made-up frame is none",
    ),
}


@dataclass(frozen=True)
class Told:
    """What explain says of one line, all its APDUs in a row."""

    answer: dict[str, Any]

    @property
    def all(self) -> Iterator[dict[str, Any]]:
        """The answer, and those for what follows in the same input."""
        yield self.answer
        apdu: dict[str, Any] = self.answer["apdu"] or {}
        yield from apdu.get("following", ())

    @property
    def layers(self) -> list[dict[str, Any]]:
        return [layer for each in self.all for layer in each["layers"]]

    @property
    def codes(self) -> set[str]:
        return {finding["code"] for each in self.all for finding in each["findings"]}

    @property
    def type(self) -> str | None:
        return self.answer["apdu"]["type"] if self.answer["apdu"] else None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [layer for layer in self.layers if layer["kind"] == kind]

    @property
    def types(self) -> list[str]:
        """The outermost APDU to the innermost."""
        envelopes = [layer["kind"] for layer in self.layers if "-" in layer["kind"]]
        return [*envelopes, *([] if self.type is None else [self.type])]

    @property
    def header(self) -> dict[str, Any]:
        """What is told of the ciphering, whether it was opened or not."""
        opened = [layer for layer in self.layers if "security_control" in layer]
        closed: dict[str, Any] = self.answer["apdu"] or {}
        return opened[0] if opened else closed


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def explained(octets: str, keys: object = None) -> Told:
    return Told(json.loads(explain_line(json.dumps({"id": None, "hex": octets, "keys": keys}))))


def test_these_are_all_the_files(captures: Path) -> None:
    assert {path.name for path in captures.iterdir()} == FILES | {"README.md"}


def test_every_capture_says_what_is_known_of_it(captures: Path) -> None:
    rows = list(lines(captures / "captures.jsonl"))
    assert len(rows) >= 195
    checked = 0
    found: dict[str, set[str]] = {}
    for row in rows:
        told = explained(row["hex"], row["keys"])
        unknown = set(row["expected"]) - set(CHECKS) - NOT_ABOUT_OCTETS
        assert unknown == set(), (row["id"], unknown)
        for name, value in row["expected"].items():
            if name in CHECKS:
                checked += 1
                if not CHECKS[name](told, value, row):
                    found.setdefault(row["id"], set()).add(name)
    assert found == {name: set(each.about) for name, each in DISAGREEMENTS.items()}
    assert checked > 900


def test_every_capture_can_be_shown_to_people(captures: Path) -> None:
    for row in lines(captures / "captures.jsonl"):
        text = render_text(explain(bytes.fromhex(row["hex"])))
        assert all(letter == "\n" or letter.isprintable() for letter in text), row["id"]


def test_what_was_not_understood_is_told(captures: Path) -> None:
    """Not ok has a finding that says why; ok says that the octets were read to the last one."""
    for row in lines(captures / "captures.jsonl"):
        told = explained(row["hex"], row["keys"])
        if not told.answer["ok"]:
            assert any(finding["level"] == "error" for each in told.all for finding in each["findings"]), row[
                "id"
            ]


# ------------------------------------------------------------------------------------------------ what is expected


def _frames(told: Told, count: int, row: dict[str, Any]) -> bool:
    """Frames that could be read; none of a frame that is none."""
    kind = row["kind"]
    intact = [layer for layer in told.of(kind) if len(layer) > 1]
    return len(intact) == count


def _checks(told: Told, good: bool, _row: dict[str, Any]) -> bool:
    return ("check-sequence" not in told.codes) is good


def _tag(told: Told, tag: int, _row: dict[str, Any]) -> bool:
    return tag in TAGS and any(each.startswith(TAGS[tag].name) for each in told.types)


def _ciphering(told: Told, known: dict[str, Any], _row: dict[str, Any]) -> bool:
    return all(
        told.header.get(name) == known[name]
        for name in ("system_title", "security_control", "invocation_counter")
    )


def _tag_is_right(told: Told, right: bool, _row: dict[str, Any]) -> bool:
    return bool(told.header.get("authenticated")) is right


def _plaintext(told: Told, plain: str, _row: dict[str, Any]) -> bool:
    return bool(told.answer["plaintext"] == plain)


def _invoke_id(told: Told, number: int, _row: dict[str, Any]) -> bool:
    return bool(told.answer["invoke_id"] == number & LONG_INVOKE_ID)


def same_moment(told: object, known: dict[str, Any]) -> bool:
    if not isinstance(told, str):
        return False
    moment = datetime.fromisoformat(told)
    minutes = known["deviation_min"]
    offset = None if minutes is None else timedelta(minutes=-minutes)
    hundredths = known["hundredths"] or 0
    local = datetime.fromisoformat(known["local"]) + timedelta(milliseconds=10 * hundredths)
    return moment.replace(tzinfo=None) == local and moment.utcoffset() == offset


def _datetime(told: Told, known: dict[str, Any], _row: dict[str, Any]) -> bool:
    return same_moment(told.answer["datetime"], known)


def _obis(told: Told, known: dict[str, Any], row: dict[str, Any]) -> bool:
    if row["kind"] == "p1":
        return _telegram_lines(told, known, row)
    return all(_value(told, name, expected) for name, expected in known.items())


def _value(told: Told, name: str, expected: dict[str, Any]) -> bool:
    obis, _, attribute = name.partition("/")
    found = [
        value
        for value in told.answer["values"]
        if value["obis"] == obis and (not attribute or value["attribute"] == int(attribute))
    ]
    if not found:
        return False
    value, raw = found[0], expected["raw"]
    if is_object(raw) and "local" in raw:
        return same_moment(value["value"], raw)
    return bool(value["raw"] == raw and value["scaler"] == expected.get("scaler"))


def flat(node: Any) -> Iterator[Any]:
    """The plain values of a tree of data, in order, as `expected` writes them."""
    if not is_object(node):
        yield node
    elif is_list(node["value"]):
        for each in node["value"]:
            yield from flat(each)
    else:
        yield node["value"]


def plain(value: Any) -> Iterator[Any]:
    """The same of what is expected; a date-time stands for its octets."""
    if is_list(value):
        for each in value:
            yield from plain(each)
    else:
        yield value


def _values(told: Told, known: list[Any], _row: dict[str, Any]) -> bool:
    """The values that have no logical name come in this order, among the others."""
    rest = flat(told.answer["data"])
    return all(any(_same(each, value) for each in rest) for value in plain(known))


def _same(told: Any, known: Any) -> bool:
    if is_object(known) and "hex" in known:
        return bool(told == known["hex"])
    if is_object(known):
        return isinstance(told, str) and told[:4] == f"{datetime.fromisoformat(known['local']).year:04x}"
    if isinstance(known, str) and isinstance(told, str):
        return told in {known, known.encode("latin-1").hex()} or bytes.fromhex(
            told if len(told) % 2 == 0 and all(c in "0123456789abcdef" for c in told) else ""
        ).rstrip(b"\0") == known.encode("latin-1")
    return bool(told == known)


def _telegram_lines(told: Told, known: dict[str, str], _row: dict[str, Any]) -> bool:
    got = {value["obis"]: value["raw"] for value in told.answer["values"]}
    return all(got.get(_dotted(name)) == text for name, text in known.items())


def _dotted(name: str) -> str:
    """1-0:1.8.0 is 1.0.1.8.0.255; a name that is malformed stays as it is."""
    groups = name.replace("-", ".").replace(":", ".").split(".")
    ordinary = len(groups) in {5, 6} and name.count(":") == 1
    return ".".join([*groups, "255"][:6]) if ordinary else name


def _crc(told: Told, ok: bool, _row: dict[str, Any]) -> bool:
    return told.of("p1")[0]["crc_ok"] is ok


def _gbt(told: Told, runs: list[list[list[Any]]], _row: dict[str, Any]) -> bool:
    blocks = [
        [
            each["block_number"],
            each["block_control"]["last_block"],
            each["block_control"]["streaming"],
            each["block_number_ack"],
        ]
        for each in told.of("general-block-transfer")
    ]
    return blocks == [block[:4] for run in runs for block in run]


def _user_information(told: Told, known: dict[str, Any], _row: dict[str, Any]) -> bool:
    inner = told.answer["apdu"]["user_information"]
    return (
        inner["plaintext"] == known["plaintext_hex"]
        and inner["authenticated"] is known["gcm_tag_ok"]
        and (inner["security_control"], inner["invocation_counter"])
        == (known["security_control"], known["invocation_counter"])
    )


def _frame_field(name: str, of: str) -> "Check":
    def check(told: Told, value: object, _row: dict[str, Any]) -> bool:
        return told.of("hdlc")[0].get(of) == value

    del name
    return check


def _error(told: Told, _what: object, _row: dict[str, Any]) -> bool:
    return not told.answer["ok"]


def _truncated(told: Told, _what: object, _row: dict[str, Any]) -> bool:
    return "truncated-frame" in told.codes and not told.answer["ok"]


def _blocks_missing(told: Told, numbers: list[int], _row: dict[str, Any]) -> bool:
    return "blocks-missing" in told.codes and told.answer["apdu"]["block_number"] in numbers


def _segments_missing(told: Told, _size: int, _row: dict[str, Any]) -> bool:
    return "segments-missing" in told.codes


def _wrapper(told: Told, known: dict[str, int], _row: dict[str, Any]) -> bool:
    (layer,) = told.of("wrapper")
    return {name: layer[name] for name in known} == known


def _apdu_hex(told: Told, apdu: str, row: dict[str, Any]) -> bool:
    """The APDU as it was carried: what explain shows where nothing was opened or hidden, else the octets of the input."""
    shown = told.answer["plaintext"]
    opened = any("security_control" in layer for layer in told.layers)
    return shown == apdu if shown is not None and not opened else apdu in row["hex"]


def _llc(told: Told, llc: str, _row: dict[str, Any]) -> bool:
    (layer,) = told.of("llc")
    return bytes((layer["destination"], layer["source"], layer["control"])).hex() == llc


def _information(told: Told, information: str, row: dict[str, Any]) -> bool:
    if not information:
        return told.answer["plaintext"] is None
    return told.of("hdlc")[0].get("information") == information or information.endswith(
        told.answer["plaintext"] or "-"
    )


def _challenge(told: Told, challenge: str, _row: dict[str, Any]) -> bool:
    return challenge in json.dumps(told.answer["apdu"])


def _security(name: str) -> "Check":
    def check(told: Told, value: object, _row: dict[str, Any]) -> bool:
        return bool(told.header[name] == value)

    return check


def _service(told: Told, service: str, _row: dict[str, Any]) -> bool:
    return told.type in {"action-request-normal", "action-response-normal"} and service.startswith("ACTION")


def _meaning(told: Told, meaning: str, _row: dict[str, Any]) -> bool:
    return told.answer["ok"] and told.type in {meaning.split(maxsplit=1)[0].lower(), "get-request-normal"}


def _segmented(told: Told, segmented: bool, _row: dict[str, Any]) -> bool:
    return any(layer.get("segmented") for layer in told.of("hdlc")) is segmented


def _ident(told: Told, ident: str, _row: dict[str, Any]) -> bool:
    return bool(told.of("p1")[0]["identification"] == ident)


def _layout(told: Told, layout: str, _row: dict[str, Any]) -> bool:
    assert layout == "untagged attribute descriptors"
    return "quirk-untagged-descriptors" in told.codes


Check = Any
CHECKS: Final[dict[str, Check]] = {
    "apdu_hex": _apdu_hex,
    "apdu_tag": _tag,
    "challenge": _challenge,
    "checks_ok": _checks,
    "ciphering": _ciphering,
    "control": _frame_field("control", "control"),
    "crc_ok": _crc,
    "datetime": _datetime,
    "dst": _frame_field("dst", "destination_octets"),
    "error": _error,
    "frame": _frame_field("frame", "frame"),
    "frames": _frames,
    "framing_error": _truncated,
    "gbt": _gbt,
    "gbt_incomplete": _blocks_missing,
    "gcm_tag_ok": _tag_is_right,
    "hdlc_segmented": _segmented,
    "ident": _ident,
    "information_hex": _information,
    "invocation_counter": _security("invocation_counter"),
    "invoke_id": _invoke_id,
    "layout": _layout,
    "lines": _telegram_lines,
    "llc": _llc,
    "meaning": _meaning,
    "nr": _frame_field("nr", "receive_number"),
    "ns": _frame_field("ns", "send_number"),
    "obis": _obis,
    "plaintext_hex": _plaintext,
    "security_control": _security("security_control"),
    "seg_incomplete": _segments_missing,
    "service": _service,
    "src": _frame_field("src", "source_octets"),
    "user_information": _user_information,
    "values": _values,
    "wrapper": _wrapper,
}
NOT_ABOUT_OCTETS: Final = {"direction", "head", "trailing", "crc", "crc_in_telegram"}
"""Who spoke, notes of the collector, and a CRC that stands in the octets and is compared there."""


# ------------------------------------------------------------------------------------------------ the other files


def test_every_form_of_apdu_is_understood(captures: Path) -> None:
    rows = [
        line.split()
        for line in (captures / "apdus.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert len(rows) == 48
    wrong = {
        name: sorted(told.codes) for name, octets in rows if not (told := explained(octets)).answer["ok"]
    }
    assert {name: codes for name, codes in wrong.items() if codes != ["ciphered"]} == {}


def test_every_frame_of_every_dialogue_is_opened(captures: Path) -> None:
    """With the keys of the dialogue, and the titles of both sides; what each frame is agrees with who sent it."""
    count = 0
    for dialogue in lines(captures / "dialogues.jsonl"):
        for frame in dialogue["frames"]:
            told = explained(frame["hex"], dialogue["keys"])
            assert told.answer["ok"], (dialogue["id"], frame["hex"], told.codes)
            (layer,) = told.of("hdlc")
            assert (layer["source"] == 1) is (frame["dir"] == "server") or layer["source"] in {16, 1}
            count += 1
    assert count >= 40


def test_every_vector_that_is_a_frame_or_an_apdu_is_opened(captures: Path) -> None:
    """The others are of ciphers alone, and are checked in tests/security."""
    opened: list[str] = []
    for vector in lines(captures / "vectors.jsonl"):
        if "hex" in vector:
            told = explained(vector["hex"])
            assert told.answer["ok"]
            opened.append(vector["id"])
        elif str(vector["id"]).startswith("gb-gcm") and "plain" in vector:
            assert explained(vector["plain"]).answer["ok"]
            opened.append(vector["id"])
    assert len(opened) >= 4


@pytest.mark.parametrize("name", sorted(DISAGREEMENTS))
def test_disagreements_say_who_is_right(name: str) -> None:
    each = DISAGREEMENTS[name]
    assert each.right in {"explain", "expected"}
    assert each.clause
    assert each.octet >= 0
