"""What a user sees of trouble in an update: the message, the next step and the exit code, as one table.

That each fault ends as it should whatever the result code is, tests/firmware/test_failures.py shows in virtual time.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import Desk
from tests.firmware.faults import ACTIVATE, BLOCK_TRANSFER, INITIATE, VERIFY, faulty

from meterwright.server import ObjectHost
from meterwright.values import AcseServiceUserDiagnostic, ActionResult, DataAccessResult

Through = Callable[[ObjectHost], ObjectHost]

TROUBLE: dict[str, tuple[Through, int, str, str]] = {
    "authentication is wanted": (
        faulty(aare=AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED),
        6,
        "authentication-required",
        "give its mechanism and secret",
    ),
    "the client is not known": (
        faulty(aare=AcseServiceUserDiagnostic.NO_REASON_GIVEN),
        7,
        "no-reason-given",
        "check the client address",
    ),
    "the block size is not there": (
        faulty(reads={2: DataAccessResult.OBJECT_UNDEFINED}),
        7,
        "object-undefined",
        "see its object list",
    ),
    "the block size may not be read": (
        faulty(reads={2: DataAccessResult.READ_WRITE_DENIED}),
        7,
        "read-write-denied",
        "use a client address that has",
    ),
    "initiate is refused": (
        faulty(methods={INITIATE: ActionResult.OTHER_REASON}),
        7,
        "image_transfer_initiate was refused",
        "the identifier may not be one this meter takes",
    ),
    "blocks meet a hardware fault": (
        faulty(methods={BLOCK_TRANSFER: ActionResult.HARDWARE_FAULT}),
        7,
        "block 0 (100 octets, image_block_size 128) was refused: hardware-fault",
        "read attribute 6",
    ),
    "verify is refused": (
        faulty(methods={VERIFY: ActionResult.SCOPE_OF_ACCESS_VIOLATED}),
        7,
        "image_verify was refused",
        "use another client address",
    ),
    "activate is refused": (
        faulty(methods={ACTIVATE: ActionResult.READ_WRITE_DENIED}),
        7,
        "image_activate was refused",
        "use a client address that has",
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_message_next_step_and_exit_code(cli: Cli, tmp_path: Path, name: str) -> None:
    through, code, message, step = TROUBLE[name]
    image = tmp_path / "image"
    image.write_bytes(bytes(100))
    with Desk(tmp_path / "meters", through=through) as desk:
        ended = cli("firmware", "update", desk.url, str(image), "--identifier", "NEW", "--json")
    assert ended.code == code
    result = ended.lines[-1]
    assert result["outcome"] == "failed"
    told = str(result["findings"])
    assert message in told
    assert step in told
    assert "Traceback" not in ended.err
