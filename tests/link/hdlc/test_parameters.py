"""What SNRM and UA tell each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.link.hdlc import HdlcParameters

SIZES = st.integers(32, 2030)
WINDOWS = st.integers(1, 7)
PARAMETERS = st.builds(HdlcParameters, SIZES, SIZES, WINDOWS, WINDOWS)


@pytest.mark.parametrize(
    ("octets", "parameters"),
    [
        ("", HdlcParameters(128, 128, 1, 1)),
        ("818012050180060180070400000001080400000001", HdlcParameters(128, 128)),
        ("8180140502008006020080070400000001080400000001", HdlcParameters(128, 128)),
        ("818014050207ee060207ee070400000001080400000001", HdlcParameters(2030, 2030)),
        ("8180120501ef0601ef070400000001080400000001", HdlcParameters(239, 239)),
        ("81800c0501f80601f8070107080107", HdlcParameters(248, 248, 7, 7)),
        ("818006050400000040", HdlcParameters(64, 128)),
        ("8180030601ff", HdlcParameters(128, 255)),
        ("81800709020102060140", HdlcParameters(128, 64)),
        ("81800407020003", HdlcParameters(128, 128, 3, 1)),
        ("818000", HdlcParameters()),
        ("81", HdlcParameters()),
        ("81400312345680030601ff", HdlcParameters(128, 255)),
        ("8180030601fff0deadbeef", HdlcParameters(128, 255)),
        ("81f0deadbeef", HdlcParameters()),
        ("81800b0502ffff06020fff070109", HdlcParameters(2030, 2030, 7, 1)),
    ],
)
def test_what_is_told(octets: str, parameters: HdlcParameters) -> None:
    assert HdlcParameters.from_information(bytes.fromhex(octets)) == parameters


def test_the_octets_of_the_books() -> None:
    assert HdlcParameters().to_information().hex() == "818012050180060180070400000001080400000001"
    assert (
        HdlcParameters(2030, 2030).to_information().hex() == "818014050207ee060207ee070400000001080400000001"
    )
    wide = HdlcParameters(239, 239).to_information(wide=True)
    assert wide.hex() == "818014050200ef060200ef070400000001080400000001"


@given(PARAMETERS, st.booleans())
def test_round_trip(parameters: HdlcParameters, wide: bool) -> None:
    assert HdlcParameters.from_information(parameters.to_information(wide=wide)) == parameters


@given(PARAMETERS, PARAMETERS)
def test_nobody_sends_more_than_the_other_takes(client: HdlcParameters, meter: HdlcParameters) -> None:
    told = meter.agreed_with(client)
    agreed = client.agreed_with(told)
    assert agreed == told.mirrored()
    assert agreed.transmit_size <= min(client.transmit_size, meter.receive_size)
    assert agreed.receive_size <= min(client.receive_size, meter.transmit_size)
    assert agreed.transmit_window <= min(client.transmit_window, meter.receive_window)
    assert agreed.mirrored().mirrored() == agreed


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        ("80", 0),
        ("8180", 2),
        ("818005", 2),
        ("8180020501", 4),
        ("818003050280", 4),
        ("81800105", 4),
        ("81800305011f", 5),
        ("818003070100", 5),
        ("8180020500", 5),
    ],
)
def test_what_cannot_be_read_says_where(octets: str, offset: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        HdlcParameters.from_information(bytes.fromhex(octets))
    assert caught.value.where.offset == offset


@given(st.binary(max_size=40))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    for raw in (octets, b"\x81" + octets, b"\x81\x80" + bytes((len(octets),)) + octets):
        try:
            told = HdlcParameters.from_information(raw)
        except RemoteProtocolError:
            continue
        assert HdlcParameters.from_information(told.to_information()) == told


@pytest.mark.parametrize(
    "parameters", [(31, 128, 1, 1), (128, 2031, 1, 1), (128, 128, 0, 1), (128, 128, 1, 8)]
)
def test_what_we_would_propose_must_be_legal(parameters: tuple[int, int, int, int]) -> None:
    with pytest.raises(LocalProtocolError):
        HdlcParameters(*parameters)
