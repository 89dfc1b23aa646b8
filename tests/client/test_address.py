"""A meter's address as one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterwright.client import Client, ClientSettings, Hdlc, MeterAddress, Scheme
from meterwright.errors import UsageError
from meterwright.link import GatewayAddress
from meterwright.transport.serial import SerialSettings

HDLC = Scheme.HDLC_TCP
READ: dict[str, MeterAddress] = {
    "tcp://192.0.2.7": MeterAddress("192.0.2.7"),
    "tcp://192.0.2.7/": MeterAddress("192.0.2.7"),
    "tcp://192.0.2.7:": MeterAddress("192.0.2.7"),
    "tcp://meter.example:4060": MeterAddress("meter.example", 4060),
    "TCP://Meter.Example": MeterAddress("meter.example"),
    "tcp://h:1": MeterAddress("h", 1),
    "tcp://h:65535": MeterAddress("h", 65535),
    "tcp://[2001:db8::7]": MeterAddress("2001:db8::7"),
    "tcp://[2001:db8::7]:4061?client=1": MeterAddress("2001:db8::7", 4061, 1),
    "tcp://h?client=16&server=1": MeterAddress("h", 4059, 16, 1),
    "tcp://h?server=17": MeterAddress("h", 4059, None, 17),
    "tcp://h?gateway=1/0a0b": MeterAddress("h", gateway=GatewayAddress(1, b"\x0a\x0b")),
    "tcp://h?client=1&gateway=255/": MeterAddress("h", 4059, 1, gateway=GatewayAddress(255, b"")),
    "hdlc+tcp://h:1?gateway=0/AB": MeterAddress("h", 1, scheme=HDLC, gateway=GatewayAddress(0, b"\xab")),
    "tcp://h?client=0": MeterAddress("h", 4059, 0),
    "tcp://h?client=65535": MeterAddress("h", 4059, 65535),
    "tcp://h/?client=16": MeterAddress("h", 4059, 16),
    "hdlc+tcp://h:1": MeterAddress("h", 1, scheme=HDLC),
    "hdlc+tcp://h:1?client=16&server=1&lower=17": MeterAddress("h", 1, 16, 1, scheme=HDLC, lower=17),
    "hdlc+tcp://h:1?lower=1234&address_size=4": MeterAddress("h", 1, scheme=HDLC, lower=1234, address_size=4),
    "hdlc:///dev/ttyUSB0?baud=19200&client=16": MeterAddress(
        "", 0, 16, scheme=Scheme.HDLC, serial=SerialSettings("/dev/ttyUSB0", baud=19200)
    ),
    "hdlc:///dev/serial/by-id/a%20b": MeterAddress(
        "", 0, scheme=Scheme.HDLC, serial=SerialSettings("/dev/serial/by-id/a b")
    ),
    "hdlc://com3?mode_e=false": MeterAddress("", 0, scheme=Scheme.HDLC, serial=SerialSettings("COM3")),
}

REFUSED: dict[str, str] = {
    "tcp://h?gateway=": "is no network id",
    "tcp://h?gateway=256/0a": "is no network id",
    "tcp://h?gateway=1/0": "is no network id",
    "tcp://h?gateway=1/zz": "is no network id",
    "tcp://h?gateway=1/0a&gateway=1/0b": "gateway is given twice",
    f"tcp://h?gateway=1/{'00' * 128}": "at most 127",
    "": "no scheme",
    "192.0.2.7": "no scheme",
    "192.0.2.7:4059": "is not among: tcp",
    "//192.0.2.7": "no scheme",
    "http://192.0.2.7": "http is not among: tcp",
    "dtls://192.0.2.7": "dtls is not among: tcp",
    "hdlc+tcp://192.0.2.7": "no usual port",
    "hdlc+tcp://": "no host",
    "hdlc+tcp://h:1?baud=9600": "baud is not among: client, server, lower, address_size",
    "hdlc+tcp://h:1?client=0": "1..126",
    "hdlc+tcp://h:1?client=127": "1..126",
    "hdlc+tcp://h:1?server=0": "no station",
    "hdlc+tcp://h:1?lower=17&address_size=1": "1 octet has none",
    "hdlc+tcp://h:1?address_size=3": "1, 2 or 4",
    "hdlc+tcp://h:1?address_size=8": "no number of address octets",
    "hdlc+tcp://h:1?lower=16384": "no lower HDLC address",
    "hdlc://": "no serial line",
    "hdlc:///": "no serial line",
    "hdlc://dev/ttyUSB0": "three slashes",
    "hdlc:///dev/ttyUSB0?baud=0": "no speed in baud",
    "hdlc:///dev/ttyUSB0?mode_e=true": "mode E is not in this build",
    "tcp://": "no host",
    "tcp://:4059": "no host",
    "tcp:///path": "no host",
    "tcp://h:0": "port",
    "tcp://h:65536": "ort",
    "tcp://h:-1": "ort",
    "tcp://h:abc": "ort",
    "tcp://[2001:db8::7": "IPv6",
    "tcp://2001:db8::7": "ort",
    "tcp://h/path": "nothing belongs behind the port",
    "tcp://h#fragment": "nothing belongs behind",
    "tcp://h?client": "no service access point",
    "tcp://h?client=": "no service access point",
    "tcp://h?client=-1": "no service access point",
    "tcp://h?client=65536": "no service access point",
    "tcp://h?client=0x10": "no service access point",
    "tcp://h?client=\u0661": "no service access point",
    "tcp://h?client=" + "9" * 5000: "no service access point",
    "tcp://h?client=16&client=17": "twice",
    "tcp://h?clinet=16": "clinet is not among: client, server",
    "tcp://h?baud=9600": "baud is not among: client, server",
}


@pytest.mark.parametrize("text", READ)
def test_an_address_is_read(text: str) -> None:
    assert MeterAddress.parse(text) == READ[text]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:40])
def test_what_is_no_address_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[text]) as caught:
        MeterAddress.parse(text)
    assert caught.value.hint


SECRET = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"tcp://user:{SECRET}@192.0.2.7",
        f"tcp://{SECRET}@192.0.2.7",
        f"tcp://user:{SECRET}@192.0.2.7:99999",
        f"tcp://user:{SECRET}@:4059",
        f"tcp://user:{SECRET}@192.0.2.7/path",
        f"http://user:{SECRET}@192.0.2.7",
        f"user:{SECRET}@192.0.2.7",
        f"tcp://h?password={SECRET}",
        f"tcp://h?Password={SECRET}",
        f"tcp://h?ek={SECRET}&client=16",
        f"tcp://h?client=nonsense&password={SECRET}",
        f"tcp://h?pwd={SECRET}",
        f"tcp://h?global_unicast={SECRET}",
        f"tcp://h:99999?password={SECRET}",
        f"tls://h?password={SECRET}",
        f"tcp://h/x?password={SECRET}",
        f"tcp://h?client=16#{SECRET}",
    ],
)
def test_a_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        MeterAddress.parse(text)
    told = f"{caught.value!s} {caught.value!r} {caught.value.hint}"
    assert SECRET not in told


@pytest.mark.parametrize("name", ["password", "Password", "secret", "key", "EK", "ak"])
def test_a_secret_is_told_where_it_belongs(name: str) -> None:
    with pytest.raises(UsageError, match="must not stand in an address") as caught:
        MeterAddress.parse(f"tcp://h?{name}=x")
    assert "TOML" in caught.value.hint


saps = st.none() | st.integers(0, 0xFFFF)


@given(
    st.sampled_from(["192.0.2.7", "meter.example", "2001:db8::7", "::1"]), st.integers(1, 65535), saps, saps
)
def test_an_address_survives_being_written_and_read(
    host: str, port: int, client: int | None, server: int | None
) -> None:
    address = MeterAddress(host, port, client, server)
    assert MeterAddress.parse(str(address)) == address


@given(st.text() | st.text().map(lambda text: f"tcp://{text}"))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        MeterAddress.parse(text)
    except UsageError as error:
        refused = str(error)
        assert refused


def test_the_address_goes_before_the_settings_and_leaves_the_rest() -> None:
    settings = ClientSettings(client_sap=32, server_sap=5)
    assert Client("tcp://h?client=1", settings).settings == ClientSettings(client_sap=1, server_sap=5)
    assert Client("tcp://h?server=9", settings).settings == ClientSettings(client_sap=32, server_sap=9)
    assert Client("tcp://h").settings == ClientSettings()


def test_the_address_names_the_link_and_leaves_how_it_is_set_up() -> None:
    settings = ClientSettings(carrier=Hdlc(retries=7, lower=3))
    assert Client("hdlc+tcp://h:1").settings.carrier == Hdlc()
    assert Client("hdlc+tcp://h:1", settings).settings.carrier == Hdlc(retries=7, lower=3)
    assert Client("hdlc+tcp://h:1?lower=17", settings).settings.carrier == Hdlc(retries=7, lower=17)


@pytest.mark.parametrize("text", [each for each in READ if each.startswith("hdlc")])
def test_an_hdlc_address_survives_being_written_and_read(text: str) -> None:
    assert MeterAddress.parse(str(READ[text])) == READ[text]
