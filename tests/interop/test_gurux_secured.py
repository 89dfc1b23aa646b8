"""A client of another maker reads and updates the simulated meter over HDLC and with security, as test_gurux_client without.

The peer checks each tag of the meter with its own GCM, the meter's proof of pass 4, and that the meter's invocation counter
rises; an answer without the protection of its request is an error to it. Keys and secrets are the books'.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from tests.interop import peer
from tests.interop.peer import Authentication, LinkName, PeerLink, PeerSecurity, Security
from tests.interop.test_gurux_client import (
    BLOCK_SIZE,
    BLOCKS,
    EXPECTED_OBJECTS,
    IDENTIFIER,
    IMAGE,
    VERIFICATION_SUCCESSFUL,
    SimulatedMeter,
    first_line,
    free_port,
    stop,
)

pytestmark = pytest.mark.interop

SCHEMES = {"wrapper": "tcp", "hdlc": "hdlc+tcp"}
SECURED_CLIENT = 1
FIRMWARE_CLIENT = 80
FIRMWARE_COUNTER = "0.0.43.1.5.255"

UNCIPHERED: tuple[Authentication, ...] = (
    "low",
    "high",
    "high-md5",
    "high-sha1",
    "high-gmac",
    "high-sha256",
)
POLICIES: tuple[Security, ...] = ("authenticated", "encrypted", "authenticated-encrypted")
WRONG_SECRETS = {
    "low": PeerSecurity("low", password="12345679"),
    "high": PeerSecurity("high", password="12345679"),
    "high-sha256": PeerSecurity("high-sha256", password="12345679"),
    "high-gmac": PeerSecurity("high-gmac", authentication_key=bytes(16)),
    "ciphered": PeerSecurity("high-gmac", "authenticated-encrypted", encryption_key=bytes(16)),
}
GMAC = PeerSecurity("high-gmac", "authenticated-encrypted")
FIRMWARE_UPGRADE = PeerSecurity(
    "high", "authenticated-encrypted", password="1234567890123456", counter_object=FIRMWARE_COUNTER
)

LINKS = pytest.mark.parametrize("link", ["wrapper", "hdlc"])


class Simulate(Protocol):
    """Starts a meter."""

    def __call__(self, *options: str, link: LinkName = "wrapper") -> SimulatedMeter: ...


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Simulate]:
    """Starts a meter in a process of its own, gone with the test."""
    peer.interpreter()  # no meter is started for a test that will be skipped
    with ExitStack() as stack:

        def start(*options: str, link: LinkName = "wrapper") -> SimulatedMeter:
            return stack.enter_context(simulated(tmp_path, link, *options))

        yield start


def secured(security: PeerSecurity) -> tuple[str, str, str, str]:
    """The options of a meter that wants its client 1 so."""
    return "--authentication", security.authentication, "--security", security.security


def updated(
    meter: SimulatedMeter, link: PeerLink, security: PeerSecurity, directory: Path
) -> peer.UpdateReport:
    """Let the peer update the meter, and see that it runs just this image."""
    image = directory / "image.bin"
    image.write_bytes(IMAGE)

    report = peer.update(meter.port, image, IDENTIFIER, link=link, security=security)

    assert (report["block_size"], report["blocks"], report["first_missing"]) == (BLOCK_SIZE, BLOCKS, BLOCKS)
    assert report["verify_status"] == VERIFICATION_SUCCESSFUL
    assert report["firmware_before"] != IDENTIFIER
    assert report["firmware_after"] == IDENTIFIER
    assert (meter.state / "active.bin").read_bytes() == IMAGE
    return report


@pytest.mark.parametrize(
    "link",
    [
        PeerLink("hdlc"),
        PeerLink("hdlc", max_info=32),
        PeerLink("hdlc", max_info=1000),
        PeerLink("hdlc", lower=17, address_size=2),
        PeerLink("hdlc", lower=1234, address_size=4),
    ],
    ids=["as it comes", "short frames", "long frames", "two octets", "four octets"],
)
def test_another_makers_client_updates_the_meter_over_hdlc(
    simulate: Simulate, link: PeerLink, tmp_path: Path
) -> None:
    report = updated(simulate(link="hdlc"), link, peer.PUBLIC, tmp_path)

    assert report["block_map"] == "1" * BLOCKS


@LINKS
def test_another_makers_client_updates_the_meter_with_security(
    simulate: Simulate, link: LinkName, tmp_path: Path
) -> None:
    meter = simulate(*secured(GMAC), link=link)

    report = updated(meter, PeerLink(link, SECURED_CLIENT), GMAC, tmp_path)

    assert report["protection"]["tags_checked"] > BLOCKS
    assert (report["protection"]["counter_next"] or 0) > BLOCKS


@LINKS
def test_another_makers_firmware_client_updates_an_indian_meter(
    simulate: Simulate, link: LinkName, tmp_path: Path
) -> None:
    meter = simulate("--companion", "is15959", link=link)

    report = updated(meter, PeerLink(link, FIRMWARE_CLIENT), FIRMWARE_UPGRADE, tmp_path)

    assert report["protection"]["tags_checked"] > BLOCKS
    # the update itself was over when the counter was read for the last time, to see which firmware runs
    assert (report["protection"]["counter_read"] or 0) > BLOCKS


@pytest.mark.parametrize(
    "security",
    [*map(PeerSecurity, UNCIPHERED), *(PeerSecurity("high-gmac", policy) for policy in POLICIES)],
    ids=lambda security: f"{security.authentication} {security.security}",
)
@LINKS
def test_another_makers_client_proves_who_it_is_and_reads(
    simulate: Simulate, link: LinkName, security: PeerSecurity
) -> None:
    meter = simulate(*secured(security), link=link)

    report = peer.read(meter.port, link=PeerLink(link, SECURED_CLIENT), security=security)

    assert report["logical_device_name"] == meter.name
    assert {(each["class_id"], each["logical_name"]) for each in report["objects"]} >= EXPECTED_OBJECTS
    assert (report["protection"]["tags_checked"] > 1) is security.security.startswith("authenticated")


def test_the_meter_speaks_service_specific_where_the_client_wants_no_other(simulate: Simulate) -> None:
    meter = simulate(*secured(GMAC))
    plain = PeerSecurity("high-gmac", "authenticated-encrypted", general_protection=False)

    report = peer.read(meter.port, link=PeerLink(client=SECURED_CLIENT), security=plain)

    assert "GENERAL_PROTECTION" not in report["conformance"]
    assert report["logical_device_name"] == meter.name


@pytest.mark.parametrize("wrong", WRONG_SECRETS)
def test_another_makers_client_with_wrong_secrets_reads_nothing(simulate: Simulate, wrong: str) -> None:
    meter = simulate(*secured(WRONG_SECRETS[wrong]))

    with pytest.raises(AssertionError, match="the peer's read failed with exit code 1"):
        peer.read(meter.port, link=PeerLink(client=SECURED_CLIENT), security=WRONG_SECRETS[wrong])


def test_a_counter_that_was_used_is_no_good_any_more(simulate: Simulate) -> None:
    meter = simulate(*secured(GMAC))
    link = PeerLink(client=SECURED_CLIENT)
    following = peer.read(meter.port, link=link, security=GMAC)["protection"]["counter_next"]
    assert following is not None

    with pytest.raises(AssertionError, match="the peer's read failed with exit code 1"):
        peer.read(meter.port, link=link, security=GMAC)

    later = PeerSecurity("high-gmac", "authenticated-encrypted", counter=following)
    assert peer.read(meter.port, link=link, security=later)["logical_device_name"] == meter.name


@contextmanager
def simulated(directory: Path, link: LinkName, *options: str) -> Generator[SimulatedMeter]:
    """Run `meterwright simulate` until the block is left; its output lies beside its state when a test fails."""
    port = free_port()
    command = [sys.executable, "-m", "meterwright", "simulate", "--port", str(port), "--link", link, *options]
    command += ["--image-block-size", str(BLOCK_SIZE), "--state-dir", str(directory / "meters")]
    output, errors = directory / "simulate.out", directory / "simulate.err"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            listening = first_line(process, output, errors)
            assert listening["url"] == f"{SCHEMES[link]}://127.0.0.1:{port}"
            yield SimulatedMeter(listening["meter"], port, directory / "meters" / listening["meter"])
        finally:
            stop(process)
