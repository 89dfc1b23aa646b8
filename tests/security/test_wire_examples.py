"""Whole logins, octet for octet: AARQ, AARE, pass 3 and pass 4, by client and by meter."""

from dataclasses import dataclass

import pytest
from tests.security.books import CLIENT, CTOS, INITIATE, METER, STOC, layer

from meterwright.apdu import (
    AUTHENTICATION_REQUIREMENT,
    Aare,
    Aarq,
    ActionRequestNormal,
    ActionResponseNormal,
    MethodDescriptor,
    decode_apdu,
)
from meterwright.data import Data, octet_string
from meterwright.security import Keys, Login, Party, Secret, SecurityLayer, book_keys, prove, verify
from meterwright.values import (
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    InvokeIdAndPriority,
    Obis,
    Role,
)

REPLY_TO_HLS = MethodDescriptor(15, Obis.parse("0.0.40.0.0.255"), 1)


@dataclass(frozen=True)
class Example:
    """One login as it goes over the wire."""

    mechanism: AuthenticationMechanism
    client: bytes
    meter: bytes
    meter_start: int
    ctos: bytes
    stoc: bytes
    secret: bytes | None
    initiate: str
    grant: str
    aarq: str
    aare: str
    pass_3: str
    pass_3_plain: str
    pass_4: str
    pass_4_plain: str


HLS_5 = Example(
    AuthenticationMechanism.HIGH_GMAC,
    CLIENT,
    METER,
    0x100,
    CTOS,
    STOC,
    None,
    INITIATE.hex(),
    "0800065F1F0400007E1F04B00007",
    "6055A109060760857405080103A60A04084D4D4D00000000018A0207808B0760857405080205AC0A80084B35366956616759"
    "BE230421211F30000000019945AB0E570975CCDF51E3C79C10080119B67B67D18FBDEAB79E",
    "6161A109060760857405080103A203020100A305A10302010EA40A04084D4D4D0000BC614E88020780890760857405080205"
    "AA0A8008503677524A323146BE230421281F3000000100EF1BAEF91A8A9D9B5E2AE41361CDA3032096579BCC753DD1FF00",
    "CB313000000003603876AB2931261F682CAB4C405FAA04ED038F352A9E2056A40AFA3E365D1B94F2C7AD4E7BAF24AC03EA34E1",
    "C301C1000F0000280000FF010109111000000002F3DF815E7B3AC9F2E3EB9105",
    "CF2A3000000102657B2DAE71FD9A6BAE9157328B4B1FB6BB5B79D6C22E2ABDE9A7C7EEE087E4B69AF7CF7212",
    "C701C10001000911100000010150EB48F2221944B995030C1C",
)
"""The Green Book's keys, titles and challenges; the octets are computed."""

HLS_2_OF_INDIA = Example(
    AuthenticationMechanism.HIGH,
    b"MWC00001",
    b"MWS00001",
    1,
    bytes(range(0x30, 0x40)),
    bytes(range(0x40, 0x50)),
    b"0123456789ABCDEF",
    "01000000065F1F040000181D04B0",
    "0800065F1F040000181D04B00007",
    "605DA109060760857405080103A60A04084D574330303030318A0207808B0760857405080202AC128010303132333435363738"
    "393A3B3C3D3E3FBE230421211F30000000016B9C09D0E65F776FA20C82D04FDD8AD03288204E5E8BCEFD278E",
    "6169A109060760857405080103A203020100A305A10302010EA40A04084D5753303030303188020780890760857405080202"
    "AA128010404142434445464748494A4B4C4D4E4FBE230421281F3000000001ED8A808C8F3D0CC88EEA772B922CB3406CD5C51E5FA2471782FB",
    "CB30300000000269ABCBCA6E003FAA47A094B1F8118732166268716F2C31EB17ECBC360BDDC5D76BD1FB5F47EEA624AF06FE",
    "C301C1000F0000280000FF01010910B67B368D3EC2DD7AC1445237DA637809",
    "CF293000000002018C3C4F9EDF7CD03EF77FEC7DCA3455C5387FE71C86AA3AB4D00D53CFC24A4DB5080D2A",
    "C701C100010009105293F62771DD656D34CE645545A1AE25",
)
"""IS 15959: HLS 2 within authenticated encryption; computed."""

EXAMPLES = pytest.mark.parametrize("example", [HLS_5, HLS_2_OF_INDIA], ids=["HLS 5", "HLS 2"])


def login(example: Example, role: Role, keys: Keys) -> Login:
    client, meter = Party(example.client, example.ctos), Party(example.meter, example.stoc)
    ours, theirs = (client, meter) if role is Role.CLIENT else (meter, client)
    secret = None if example.secret is None else Secret(example.secret)
    return Login(mechanism=example.mechanism, role=role, ours=ours, theirs=theirs, secret=secret, keys=keys)


def aarq_of(example: Example, client: SecurityLayer) -> Aarq:
    return Aarq(
        application_context_name=ApplicationContext.LN_CIPHERED,
        calling_ap_title=client.own_title,
        sender_acse_requirements=AUTHENTICATION_REQUIREMENT,
        mechanism_name=example.mechanism,
        calling_authentication_value=example.ctos,
        user_information=client.seal_initiate(bytes.fromhex(example.initiate)),
    )


def aare_of(example: Example, meter: SecurityLayer) -> Aare:
    return Aare(
        application_context_name=ApplicationContext.LN_CIPHERED,
        result=AssociationResult.ACCEPTED,
        result_source_diagnostic=AcseServiceUserDiagnostic.AUTHENTICATION_REQUIRED,
        responding_ap_title=meter.own_title,
        responder_acse_requirements=AUTHENTICATION_REQUIREMENT,
        mechanism_name=example.mechanism,
        responding_authentication_value=example.stoc,
        user_information=meter.seal_initiate(bytes.fromhex(example.grant)),
    )


def pass_3(proof: bytes) -> bytes:
    return ActionRequestNormal(InvokeIdAndPriority(1), REPLY_TO_HLS, octet_string(proof)).to_octets()


def pass_4(proof: bytes) -> bytes:
    return ActionResponseNormal(InvokeIdAndPriority(1), ActionResult.SUCCESS, octet_string(proof)).to_octets()


def octets_in(value: object) -> bytes:
    """The octet-string that a parameter is."""
    assert isinstance(value, Data)
    assert isinstance(value.value, bytes)
    return value.value


@EXAMPLES
def test_a_login_goes_over_the_wire_as_it_should(example: Example) -> None:
    keys = book_keys()
    client = layer(Role.CLIENT, own=example.client, peer=example.meter)
    meter = layer(Role.SERVER, own=example.meter, peer=example.client, start=example.meter_start)
    at_client, at_meter = login(example, Role.CLIENT, keys), login(example, Role.SERVER, keys)

    aarq = aarq_of(example, client)
    assert aarq.to_octets().hex() == example.aarq.lower()
    received = decode_apdu(meter.incoming(client.outgoing(aarq.to_octets())))
    assert isinstance(received, Aarq)
    assert meter.open_initiate(received.user_information or b"").hex() == example.initiate.lower()

    aare = aare_of(example, meter)
    assert aare.to_octets().hex() == example.aare.lower()
    granted = decode_apdu(client.incoming(meter.outgoing(aare.to_octets())))
    assert isinstance(granted, Aare)
    assert client.open_initiate(granted.user_information or b"").hex() == example.grant.lower()

    plain = pass_3(prove(at_client, client.send_counter))
    assert plain.hex() == example.pass_3_plain.lower()
    sent = client.outgoing(plain)
    assert sent.hex() == example.pass_3.lower()
    request = decode_apdu(meter.incoming(sent))
    assert isinstance(request, ActionRequestNormal)
    verify(at_meter, octets_in(request.parameters), meter.receive_counter, carried=meter.carried)

    plain = pass_4(prove(at_meter, meter.send_counter))
    assert plain.hex() == example.pass_4_plain.lower()
    sent = meter.outgoing(plain)
    assert sent.hex() == example.pass_4.lower()
    response = decode_apdu(client.incoming(sent))
    assert isinstance(response, ActionResponseNormal)
    verify(at_client, octets_in(response.return_parameters), client.receive_counter, carried=client.carried)


@EXAMPLES
def test_a_stranger_is_told_apart_at_pass_4(example: Example) -> None:
    at_client = login(example, Role.CLIENT, book_keys())
    genuine = bytes.fromhex(example.pass_4_plain)[-(17 if example.secret is None else 16) :]
    client = layer(Role.CLIENT)
    verify(at_client, genuine, client.receive_counter)
    for position in range(len(genuine)):
        wrong = bytearray(genuine)
        wrong[position] ^= 1
        with pytest.raises(Exception, match="not the meter"):
            verify(at_client, bytes(wrong), layer(Role.CLIENT).receive_counter)
