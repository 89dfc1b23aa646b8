# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: it runs under the peer's interpreter, in whose environment alone gurux_dlms exists, untyped.
"""The interop peer: gurux-dlms as a client, driven from the command line.

Where: a stand-alone script of the test suite, run as a process of its own by the peer's interpreter
(`.venv-peer/bin/python`). It imports the standard library and gurux_dlms, nothing of Meterwright; Meterwright
and its tests never import it. `tests/interop/peer.py` runs it and types what it prints.

    gurux_peer.py read       --port P [--register LN] [--no-list] [--trace]
    gurux_peer.py update     --port P --image FILE --identifier TEXT [--wait SECONDS] [--trace]
    gurux_peer.py roundtrips --port P [--count N] [--trace]
    gurux_peer.py profile    --port P --profile LN --first N --count N --start ISO --end ISO --columns N  (gurux_profile.py)
    gurux_peer.py translate  --hex OCTETS [--form simple|standard]
    gurux_peer.py decode     < octets.json                                    (what: gurux_data.py)
    gurux_peer.py bench      [--rounds N] [--seconds S] < inputs.json        (the inputs: gurux_bench.py)

`read`, `update`, `roundtrips` and `profile` also take --host, --client, --server, --timeout (seconds an answer may take), and:

    --link wrapper | hdlc [--hdlc-lower N --address-size 2|4] [--max-info N]
    --authentication none|low|high|high-md5|high-sha1|high-gmac|high-sha256 [--password TEXT]
    --security none|authenticated|encrypted|authenticated-encrypted [--suite 0] [--ek HEX] [--ak HEX] [--title HEX]
    [--counter N] [--counter-object LN [--counter-client 16]] [--no-general-protection]

Keys and password are the books' unless given. Exactly one JSON object goes to stdout; what the library prints (tags among
it) and tracebacks go to stderr. When something fails the object is `{"error", "type", "last_sent", "last_received"}`
(octets of the last exchange as hex) and the exit code 1; 2 is wrong use, told on stderr.

Refuses: nothing by itself, since what the library sends and understands is the point. What the library does not notice
of a meter's mistakes is looked after in gurux_login.py and gurux_wire.py.
"""

import argparse
import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import gurux_bench
import gurux_data
import gurux_profile
from gurux_dlms import GXByteBuffer, GXDLMSTranslator
from gurux_dlms.enums import Conformance, TranslatorOutputType
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSImageTransfer, GXDLMSRegister
from gurux_login import Login, add_options, misuse, watch_tags
from gurux_wire import Association, DroppedError, PeerError, RefusedError

FIRMWARE_IDENTIFIER = "1.0.0.2.0.255"
LOGICAL_DEVICE_NAME = "0.0.42.0.0.255"
TEMPORARY_FAILURE = 2
INITIATED, VERIFYING, VERIFIED = 1, 2, 3
ACTIVATED, ACTIVATION_FAILED = 6, 7
POLL_SECONDS = 0.2


def plain(value: object) -> object:
    """A value as JSON can hold it: text when the octets are printable, else their hex."""
    if isinstance(value, (bytes, bytearray)):
        printable = bool(value) and all(0x20 <= octet < 0x7F for octet in value)
        return value.decode("ascii") if printable else f"hex:{value.hex()}"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def read_clock(association: Association) -> dict[str, object]:
    clock = GXDLMSClock()
    raw = association.read(clock, 2)
    return {"iso": clock.time.value.isoformat(), "raw": bytes(raw).hex(), "status": int(clock.time.status)}


def read_register(association: Association, logical_name: str) -> dict[str, object]:
    register = GXDLMSRegister(logical_name)
    scaler, unit = association.read(register, 3)
    raw = association.read(register, 2)
    return {
        "logical_name": logical_name,
        "raw": raw,
        "scaler": scaler,
        "unit": int(unit),
        "unit_name": register.unit.name,
        "value": register.value,
    }


def read_objects(association: Association) -> list[dict[str, object]]:
    reply = association.served("reading the object list", [association.client.getObjectsRequest()])
    objects = association.client.parseObjects(reply.data, onlyKnownObjects=False, ignoreInactiveObjects=False)
    return [
        {"class_id": int(item.objectType), "version": item.version, "logical_name": item.logicalName}
        for item in objects
    ]


def read_list(association: Association, register: str) -> list[object] | None:
    """Clock time, register value and logical device name by GET-request-with-list; None where that was not negotiated."""
    if not association.client.negotiatedConformance & Conformance.MULTIPLE_REFERENCES:
        return None
    wanted = [(GXDLMSClock(), 2), (GXDLMSRegister(register), 2), (GXDLMSData(LOGICAL_DEVICE_NAME), 2)]
    values: list[object] = []
    for frames in association.client.readList(wanted):
        values += association.served("reading a list", frames).value
    return [plain(value) for value in values]


def read(options: argparse.Namespace, log: list[dict[str, str]]) -> dict[str, object]:
    """Everything of `read`, in one association."""
    login = Login(options, log)
    with login.associate() as association:
        client = association.client
        name = GXDLMSData(LOGICAL_DEVICE_NAME)
        report: dict[str, object] = {
            "conformance": sorted(
                bit.name for bit in Conformance if bit and bit & client.negotiatedConformance
            ),
            "max_pdu_size": client.maxReceivePDUSize,
            "clock": read_clock(association),
            "register": read_register(association, options.register),
            "logical_device_name": plain(association.read(name, 2)),
            "objects": read_objects(association),
            "list": None if options.no_list else read_list(association, options.register),
            "notifications": association.notifications,
        }
    report["protection"] = login.report()
    return report


def poll(until: Callable[[], bool], what: str, seconds: float) -> int:
    """Call until it is true; how often it was asked."""
    deadline = time.monotonic() + seconds
    asked = 1
    while not until():
        if time.monotonic() > deadline:
            raise PeerError(f"{what} did not happen within {seconds} s")
        time.sleep(POLL_SECONDS)
        asked += 1
    return asked


def running(association: Association) -> object:
    return plain(association.read(GXDLMSData(FIRMWARE_IDENTIFIER), 2))


def transfer(
    association: Association, image: GXDLMSImageTransfer, options: argparse.Namespace
) -> dict[str, object]:
    """Enable, initiate and send every block once, in order; how long the blocks took, and the map after them."""
    octets = Path(options.image).read_bytes()
    block_size = association.read(image, 2)
    enabled = bool(association.read(image, 5))
    if not enabled:
        image.imageTransferEnabled = True
        association.write(image, 5)
    initiate = association.ask(
        image.imageTransferInitiate(association.client, options.identifier, len(octets))
    )
    if initiate.error not in (0, TEMPORARY_FAILURE):
        raise RefusedError("initiating", initiate.error)
    poll(
        lambda: association.read(image, 6) == INITIATED and association.read(image, 4) == 0,
        "an initiated transfer with an empty map",
        options.wait,
    )
    with contextlib.redirect_stdout(gurux_bench.Nowhere()):  # the library prints for every ciphered answer
        begin, cpu_begin = time.perf_counter(), time.process_time()
        blocks = image.imageBlockTransfer(association.client, octets, [0])
        for number, frames in enumerate(blocks):
            association.served(f"sending block {number} of {len(blocks)}", frames)
        association.read(image, 3)
        cpu_seconds, seconds = time.process_time() - cpu_begin, time.perf_counter() - begin
    return {
        "block_size": block_size,
        "blocks": len(blocks),
        "enabled_before": enabled,
        "initiate_result": initiate.error,
        "block_map": str(image.imageTransferredBlocksStatus),
        "first_missing": association.read(image, 4),
        "transfer_seconds": seconds,
        "transfer_cpu_seconds": cpu_seconds,
    }


def verify(association: Association, image: GXDLMSImageTransfer, seconds: float) -> dict[str, object]:
    """Verify, patient with a meter that answers temporary-failure and goes on by itself."""
    result = association.ask(image.imageVerify(association.client)).error
    if result not in (0, TEMPORARY_FAILURE):
        raise RefusedError("verifying", result)
    polls = poll(
        lambda: association.read(image, 6) not in (INITIATED, VERIFYING), "the end of verification", seconds
    )
    status = int(image.imageTransferStatus)
    if status != VERIFIED:
        raise PeerError(f"image_transfer_status is {status} after verifying, not {VERIFIED}")
    association.read(image, 7)
    info = [
        {"size": item.size, "identification": plain(item.identification), "signature": plain(item.signature)}
        for item in image.imageActivateInfo
    ]
    return {"verify_result": result, "verify_polls": polls, "verify_status": status, "activate_info": info}


def activate(association: Association, image: GXDLMSImageTransfer) -> object:
    """The action-result of image_activate, or None when the connection went away under it."""
    try:
        result = association.ask(image.imageActivate(association.client)).error
    except DroppedError:
        return None
    if result not in (0, TEMPORARY_FAILURE):
        raise RefusedError("activating", result)
    return result


def confirm(login: Login, before: object) -> dict[str, object]:
    """Associate anew until other firmware runs (or the meter says it is done with the same one)."""
    options = login.options
    seen: dict[str, object] = {}

    def is_back() -> bool:
        try:
            with login.associate() as association:
                seen["status_after"] = association.read(GXDLMSImageTransfer(), 6)
                seen["firmware_after"] = running(association)
        except (DroppedError, RefusedError):
            return False
        if seen["status_after"] == ACTIVATION_FAILED:
            raise PeerError("image_transfer_status says that activation failed")
        same = seen["firmware_after"] == before
        return not same or (before == options.identifier and seen["status_after"] == ACTIVATED)

    attempts = poll(is_back, f"another firmware than {before!r}", options.wait)
    return seen | {"reconnect_attempts": attempts}


def update(options: argparse.Namespace, log: list[dict[str, str]]) -> dict[str, object]:
    """The whole update, up to the firmware identifier read after the reboot."""
    image = GXDLMSImageTransfer()
    login = Login(options, log)
    association = login.associate()
    try:
        association.open()
        before = running(association)
        report = transfer(association, image, options) | verify(association, image, options.wait)
        report["firmware_before"] = before
        report["activate_result"] = activate(association, image)
        association.abandon()
    finally:
        association.wire.close()
    return report | confirm(login, before) | {"protection": login.report()}


def roundtrips(options: argparse.Namespace, log: list[dict[str, str]]) -> dict[str, object]:
    """The clock, read again and again, and how long that took."""
    with Login(options, log).associate() as association:
        return gurux_bench.roundtrips(association, options.count)


def profile(options: argparse.Namespace, log: list[dict[str, str]]) -> dict[str, object]:
    """Parts of a profile, in one association."""
    with Login(options, log).associate() as association:
        return gurux_profile.profile(association, options)


def translate(options: argparse.Namespace, _: list[dict[str, str]]) -> dict[str, object]:
    """A PDU as XML by the library's translator."""
    forms = {"simple": TranslatorOutputType.SIMPLE_XML, "standard": TranslatorOutputType.STANDARD_XML}
    translator = GXDLMSTranslator(forms[options.form])
    return {"xml": translator.pduToXml(GXByteBuffer(bytes.fromhex(options.hex)))}


def decode(_options: argparse.Namespace, _: list[dict[str, str]]) -> dict[str, object]:
    """The Data that stdin lists, as the library understands them."""
    return {"values": [gurux_data.decode(bytes.fromhex(octets)) for octets in json.load(sys.stdin)]}


def bench(options: argparse.Namespace, _: list[dict[str, str]]) -> dict[str, object]:
    """Operations per CPU second of what stdin asks for."""
    return {**gurux_bench.rates(json.load(sys.stdin), options.rounds, options.seconds)}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="gurux-dlms as an interop peer; prints one JSON object")
    commands = parser.add_subparsers(dest="command", required=True)
    wire = argparse.ArgumentParser(add_help=False)
    add_options(wire)
    reading = commands.add_parser("read", parents=[wire])
    reading.add_argument("--register", default="1.0.1.8.0.255", help="logical name of a class 3 object")
    reading.add_argument("--no-list", action="store_true", help="send no GET-request-with-list")
    updating = commands.add_parser("update", parents=[wire])
    updating.add_argument("--image", required=True)
    updating.add_argument("--identifier", required=True)
    updating.add_argument(
        "--wait", type=float, default=60.0, help="seconds each of initiate, verify, reboot may take"
    )
    going = commands.add_parser("roundtrips", parents=[wire])
    going.add_argument("--count", type=int, default=1000)
    profiling = commands.add_parser("profile", parents=[wire])
    profiling.add_argument("--profile", required=True, help="logical name of a class 7 object")
    profiling.add_argument("--first", type=int, default=1)
    profiling.add_argument("--count", type=int, required=True)
    profiling.add_argument("--start", required=True)
    profiling.add_argument("--end", required=True)
    profiling.add_argument(
        "--columns", type=int, required=True, help="so many of the first, where not all are read"
    )
    translating = commands.add_parser("translate")
    translating.add_argument("--hex", required=True)
    translating.add_argument("--form", choices=("simple", "standard"), default="simple")
    commands.add_parser("decode")
    timing = commands.add_parser("bench")
    timing.add_argument("--rounds", type=int, default=5)
    timing.add_argument("--seconds", type=float, default=0.05, help="how long a round lasts at least")
    return parser


COMMANDS = {
    "read": read,
    "update": update,
    "roundtrips": roundtrips,
    "profile": profile,
    "translate": translate,
    "decode": decode,
    "bench": bench,
}


def main() -> int:
    """Run the command; the only place that writes to stdout."""
    parser = arguments()
    options = parser.parse_args()
    if "link" in options and (wrong := misuse(options)):
        parser.error(wrong)
    watch_tags()
    log: list[dict[str, str]] = []
    code = 0
    with contextlib.redirect_stdout(sys.stderr):  # the library prints; stdout is ours
        try:
            result = COMMANDS[options.command](options, log)
            if getattr(options, "trace", False):
                result["exchanges"] = log
        except Exception as error:  # noqa: BLE001 - the edge of the process: whatever the library raises becomes a report
            traceback.print_exc(file=sys.stderr)
            last = log[-1] if log else {"sent": "", "received": ""}
            result = {"error": str(error) or repr(error), "type": type(error).__name__}
            result |= {"last_sent": last["sent"], "last_received": last["received"]}
            code = 1
    sys.stdout.write(json.dumps(result) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
