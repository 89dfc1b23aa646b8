"""The wrapper: eight octets and an APDU, however the stream is cut."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.errors import Blame, LocalProtocolError, RemoteProtocolError
from meterwright.link import HEADER_SIZE, WrapperFrame, WrapperFramer

frames = st.lists(
    st.builds(WrapperFrame, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=300)),
    max_size=6,
)


def test_the_books_header() -> None:
    frame = WrapperFrame(source=16, destination=1, apdu=bytes.fromhex("C002C100000001"))
    assert frame.to_octets().hex() == "0001" + "0010" + "0001" + "0007" + "c002c100000001"
    assert HEADER_SIZE == 8


@given(frames, st.data())
def test_any_cutting_of_the_stream_gives_the_same_frames(
    sent: list[WrapperFrame], data: st.DataObject
) -> None:
    stream = b"".join(frame.to_octets() for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    framer = WrapperFramer()
    received = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in framer.receive(stream[start:end])
    ]
    assert received == sent


@given(frames)
def test_octet_by_octet_each_frame_comes_with_its_last(sent: list[WrapperFrame]) -> None:
    framer = WrapperFramer()
    for frame in sent:
        octets = frame.to_octets()
        for octet in octets[:-1]:
            assert framer.receive(bytes((octet,))) == []
        assert framer.receive(octets[-1:]) == [frame]


def test_the_longest_apdu() -> None:
    longest = WrapperFrame(1, 2, bytes(0xFFFF))
    assert WrapperFramer().receive(longest.to_octets()) == [longest]
    with pytest.raises(LocalProtocolError, match="65536 octets does not fit"):
        WrapperFrame(1, 2, bytes(0x10000)).to_octets()


def test_an_apdu_of_no_octets_is_a_frame() -> None:
    assert WrapperFramer().receive(bytes.fromhex("0001000100100000")) == [WrapperFrame(1, 16, b"")]


class TestWrongHeaders:
    """A stream that is no wrapper cannot be followed any further."""

    def test_a_wrong_version(self) -> None:
        with pytest.raises(RemoteProtocolError, match="0002000100100000 is no wrapper header") as caught:
            WrapperFramer().receive(bytes.fromhex("0002000100100000"))
        assert caught.value.blame is Blame.THEIRS
        assert "octets were lost" in caught.value.hint

    def test_hdlc_is_recognised(self) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            WrapperFramer().receive(bytes.fromhex("7EA00A000200237393EC1C7E"))
        assert "HDLC" in caught.value.hint
        assert "hdlc+tcp://" in caught.value.hint

    def test_it_is_seen_as_soon_as_the_header_is_whole(self) -> None:
        framer = WrapperFramer()
        assert framer.receive(bytes.fromhex("7EA00A00020023")) == []
        with pytest.raises(RemoteProtocolError):
            framer.receive(b"\x73")

    @pytest.mark.parametrize("cut", [None, 0, 3, 11, 15])
    def test_frames_before_it_are_handed_out_however_the_stream_was_cut(self, cut: int | None) -> None:
        good = WrapperFrame(1, 16, b"abc")
        stream = good.to_octets() + b"GET / HTTP/1.1\r\n"
        pieces = [stream] if cut is None else [stream[:cut], stream[cut:]]
        framer = WrapperFramer()
        received: list[WrapperFrame] = []
        with contextlib.suppress(RemoteProtocolError):
            for piece in pieces:
                received += framer.receive(piece)
        assert received == [good]
        with pytest.raises(RemoteProtocolError):
            framer.receive(b"")

    def test_after_it_every_octet_is_refused_again(self) -> None:
        framer = WrapperFramer()
        for octets in (b"HTTP/1.1 400", b"", WrapperFrame(1, 16, b"abc").to_octets()):
            with pytest.raises(RemoteProtocolError):
                framer.receive(octets)
