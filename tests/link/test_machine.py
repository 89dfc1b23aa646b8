"""The wrapper in the shape that all links have, and that shape itself."""

import pytest

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link import (
    ApduReceived,
    HdlcAddress,
    HdlcClient,
    HdlcClientSettings,
    HdlcServer,
    LinkClosed,
    LinkFailed,
    LinkMachine,
    LinkOpened,
    WrapperFrame,
    WrapperLink,
)

APDU = bytes.fromhex("c001c100080000010000ff0200")


def test_every_link_has_the_same_shape() -> None:
    hdlc = HdlcClientSettings(HdlcAddress.of_client(16), HdlcAddress.of_server(1))
    links: list[LinkMachine] = [WrapperLink(16, 1), HdlcClient(hdlc), HdlcServer()]
    for link in links:
        assert link.data_to_send() == b""
        assert link.deadline is None
        assert link.tick(0.0) == []
        assert link.receive(b"", 0.0) == []
        link.lost()


class TestWrapperLink:
    """No handshake, and nothing to wait for."""

    def test_it_is_open_from_the_start(self) -> None:
        link = WrapperLink(16, 1)
        assert link.is_open
        assert link.open(0.0) == [LinkOpened()]
        assert link.close(0.0) == [LinkClosed()]
        assert link.data_to_send() == b""
        assert link.deadline is None

    def test_what_goes_out(self) -> None:
        link = WrapperLink(16, 1)
        link.send(APDU, 0.0)
        link.send(b"\x01", 0.0, confirmed=False)
        expected = WrapperFrame(16, 1, APDU).to_octets() + WrapperFrame(16, 1, b"\x01").to_octets()
        assert link.data_to_send() == expected
        assert link.data_to_send() == b""

    def test_what_comes_in_however_it_is_cut(self) -> None:
        link = WrapperLink(16, 1)
        octets = WrapperFrame(1, 16, APDU).to_octets()
        assert link.receive(octets[:9], 0.0) == []
        assert link.receive(octets[9:] + octets, 0.0) == [ApduReceived(APDU, 1, 16)] * 2

    @pytest.mark.parametrize(("source", "destination"), [(2, 16), (1, 17), (16, 1)])
    def test_frames_of_others_are_passed_over(self, source: int, destination: int) -> None:
        link = WrapperLink(16, 1)
        assert link.receive(WrapperFrame(source, destination, APDU).to_octets(), 0.0) == []

    def test_a_stream_that_is_none_is_a_failure_and_no_exception(self) -> None:
        link = WrapperLink(16, 1)
        match link.receive(b"HTTP/1.1 400", 0.0):
            case [LinkFailed(RemoteProtocolError() as error)]:
                assert error.where.layer == "wrapper"
            case events:
                raise AssertionError(events)
        assert not link.is_open
        assert link.receive(WrapperFrame(1, 16, APDU).to_octets(), 0.0) == []
        with pytest.raises(LocalProtocolError, match="has failed"):
            link.send(APDU, 0.0)

    @pytest.mark.parametrize("anew", ["open", "lost"])
    def test_it_can_begin_anew(self, anew: str) -> None:
        link = WrapperLink(16, 1)
        link.send(APDU, 0.0)
        link.receive(b"HTTP/1.1 400", 0.0)
        if anew == "open":
            assert link.open(0.0) == [LinkOpened()]
        else:
            link.lost()
        assert link.is_open
        assert link.data_to_send() == b""
        assert link.receive(WrapperFrame(1, 16, APDU).to_octets(), 0.0) == [ApduReceived(APDU, 1, 16)]
