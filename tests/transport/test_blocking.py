"""TCP for threads, on real loopback sockets."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from meterwright.errors import ConnectFailed, ConnectionLost
from meterwright.transport import SocketTransport, connect_blocking

HOST = "127.0.0.1"
Joined = tuple[SocketTransport, socket.socket]


@pytest.fixture
def joined() -> Iterator[Joined]:
    """A transport of ours and the socket at the other end."""
    with socket.create_server((HOST, 0)) as server:
        transport = connect_blocking(HOST, server.getsockname()[1], timeout=5)
        theirs, _ = server.accept()
        with theirs:
            yield transport, theirs
    transport.close()


def read(transport: SocketTransport, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        piece = transport.read(timeout=10)
        assert piece, "nothing came"
        octets += piece
    return octets


def test_octets_pass_both_ways(joined: Joined) -> None:
    transport, theirs = joined
    transport.write(b"ask")
    assert theirs.recv(100) == b"ask"
    theirs.sendall(b"answer")
    assert read(transport, 6) == b"answer"


def test_more_than_one_buffer_passes(joined: Joined) -> None:
    transport, theirs = joined
    octets = bytes(range(256)) * 256
    sender = threading.Thread(target=theirs.sendall, args=(octets,))
    sender.start()
    assert read(transport, len(octets)) == octets
    sender.join()


@pytest.mark.parametrize("timeout", [0.0, -5.0, 0.01])
def test_silence_is_nothing_after_the_time_allowed(joined: Joined, timeout: float) -> None:
    transport, _ = joined
    assert transport.read(timeout) == b""


def test_what_came_is_read_even_with_no_time_left(joined: Joined) -> None:
    transport, theirs = joined
    theirs.sendall(b"here")
    assert read(transport, 4) == b"here"
    theirs.sendall(b"already")
    theirs.shutdown(socket.SHUT_WR)
    assert read(transport, 7) == b"already"
    with pytest.raises(ConnectionLost):
        transport.read(timeout=10)


def test_a_meter_that_hangs_up_is_a_lost_connection(joined: Joined) -> None:
    transport, theirs = joined
    theirs.sendall(b"bye")
    theirs.close()
    assert read(transport, 3) == b"bye"
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="the meter closed the connection") as caught:
            transport.read(timeout=10)
        assert caught.value.hint


def test_a_reset_is_a_broken_connection(joined: Joined) -> None:
    transport, theirs = joined
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    with pytest.raises(ConnectionLost, match="the connection broke"):
        transport.read(timeout=10)
    with pytest.raises(ConnectionLost):
        transport.write(b"nobody listens")


def test_closing_twice_is_harmless_and_tells_the_other_side(joined: Joined) -> None:
    transport, theirs = joined
    transport.close()
    transport.close()
    assert theirs.recv(1) == b""


def test_after_closing_everything_is_a_lost_connection(joined: Joined) -> None:
    transport, _ = joined
    transport.close()
    with pytest.raises(ConnectionLost):
        transport.write(b"late")
    with pytest.raises(ConnectionLost):
        transport.read(timeout=0)


def test_a_line_that_takes_nothing_any_more_is_lost_after_a_while() -> None:
    with socket.create_server((HOST, 0)) as server:
        transport = SocketTransport(socket.create_connection(server.getsockname()), write_timeout=0.05)
        theirs, _ = server.accept()
        with theirs, pytest.raises(ConnectionLost):
            transport.write(bytes(64 * 1024 * 1024))
        transport.close()


def test_a_socket_that_is_open_already_is_taken_over() -> None:
    one, other = socket.socketpair()
    with other:
        transport = SocketTransport(one)
        other.sendall(b"hello")
        assert read(transport, 5) == b"hello"
        transport.close()


def test_a_closed_port() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectFailed, match=f"cannot connect to {HOST} port {port}: ") as caught:
        connect_blocking(HOST, port, timeout=5)
    assert caught.value.hint


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
def test_a_name_that_is_none(host: str) -> None:
    with pytest.raises(ConnectFailed, match="cannot connect to"):
        connect_blocking(host, 4059, timeout=5)
