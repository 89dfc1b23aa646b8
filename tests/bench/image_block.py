"""One block of an image and its answer: as APDUs, and the same under security suite 0 with the books' test keys.

The ciphered ones go through the security layer of an association, as a client's do: it takes a new invocation counter for
each request, and judges the counter of each answer. That one answer can be opened again and again, it is told before each
that the meter may have begun to count anew.
"""

import struct
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.bench.operation import Operation

from meterwright import DataTag, ImageTransfer, Obis
from meterwright.apdu import ActionRequestNormal, ActionResponseNormal, MethodDescriptor, decode_apdu
from meterwright.data import double_long_unsigned
from meterwright.security import (
    CounterOwner,
    MemoryCounterStore,
    ReceiveCounter,
    SecurityLayer,
    SendCounter,
    book_keys,
)
from meterwright.values import ActionResult, InvokeIdAndPriority, Role, SecurityPolicy

__all__ = ["BLOCK", "ciphered_block_operations", "plain_block_operations"]

BLOCK: Final = 256
_INVOKE: Final = InvokeIdAndPriority(1)
_IMAGE_TRANSFER: Final = Obis.parse("0.0.44.0.0.255")
_IMAGE: Final = bytes(range(256)) * 2
_TITLES: Final = {
    Role.CLIENT: bytes.fromhex("4D4D4D0000000001"),
    Role.SERVER: bytes.fromhex("4D4D4D0000BC614E"),
}
"""As gurux_bench.py has them."""
_ANSWER: Final = ActionResponseNormal(_INVOKE, ActionResult.SUCCESS, None)


def plain_block_operations() -> tuple[Operation, ...]:
    """Without security."""
    encode = _encoding()
    octets = _ANSWER.to_octets()

    def decode() -> ActionResult:
        return _result(decode_apdu(octets))

    assert decode() is ActionResult.SUCCESS
    return (
        Operation("encode_block", "action_request_image_block", encode(), encode),
        Operation("decode_block_answer", "action_response_normal", octets, decode),
    )


def ciphered_block_operations() -> tuple[Operation, ...]:
    """Authenticated and encrypted: security control 30."""
    client, meter = _layer(Role.CLIENT), _layer(Role.SERVER)
    encode = _encoding()

    def encrypt() -> bytes:
        return client.outgoing(encode())

    def decrypt() -> ActionResult:
        client.receive_counter.restart()
        return _result(decode_apdu(client.incoming(answer)))

    request = encrypt()
    assert meter.incoming(request) == encode()
    answer = meter.outgoing(_ANSWER.to_octets())
    assert decrypt() is ActionResult.SUCCESS
    return (
        Operation("cipher_block", "glo_action_request_image_block", request, encrypt, limit=_bare(encode())),
        Operation("open_block_answer", "glo_action_response_normal", answer, decrypt),
    )


def _encoding() -> Callable[[], bytes]:
    """As an update does it: a block cut by the size that a meter told, for a method whose descriptor was made before."""
    size = ImageTransfer.image_block_size.type.from_data(double_long_unsigned(BLOCK))
    transfer = ImageTransfer.image_block_transfer
    descriptor = MethodDescriptor(ImageTransfer.class_id, _IMAGE_TRANSFER, transfer.method_id)

    def encode() -> bytes:
        parameter = transfer.parameter(size.cut(_IMAGE, 0))
        return ActionRequestNormal(_INVOKE, descriptor, parameter).to_octets()

    number_and_length = struct.pack(
        ">BIBBH", DataTag.DOUBLE_LONG_UNSIGNED, 0, DataTag.OCTET_STRING, 0x82, BLOCK
    )
    assert encode()[-BLOCK - len(number_and_length) :] == number_and_length + _IMAGE[:BLOCK]
    return encode


def _result(response: object) -> ActionResult:
    if isinstance(response, ActionResponseNormal):
        return response.result
    raise AssertionError(response)


def _layer(role: Role) -> SecurityLayer:
    keys = book_keys()
    owner = CounterOwner.of(keys.global_unicast, _TITLES[role])
    return SecurityLayer(
        role,
        own_title=_TITLES[role],
        peer_title=_TITLES[role.other],
        keys=keys,
        policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        send_counter=SendCounter(MemoryCounterStore(), owner),
        receive_counter=ReceiveCounter(),
    )


def _bare(plaintext: bytes) -> Callable[[], bytes]:
    """The one call that a ciphered block cannot do without, on octets of the same length."""
    encrypt = AESGCM(bytes(16)).encrypt
    nonce, associated = bytes(12), bytes(17)
    return lambda: encrypt(nonce, plaintext, associated)
