"""What octets are, once they are out of their protection and before anybody believes them: a few looks, no decoding twice."""

from typing import Final

from meterwright.apdu import (
    AccessRequest,
    ActionRequestNormal,
    GetRequestNormal,
    SetRequestNormal,
    decode_apdu,
)
from meterwright.errors import RemoteProtocolError
from meterwright.values import Role

__all__ = ["reads", "wants_answer"]

_SENT_TO: Final = {
    Role.CLIENT: frozenset(bytes((tag,)) for tag in (0x08, 0x0F, 0x18, 0xC2, 0xC4, 0xC5, 0xC7, 0xDA)),
    Role.SERVER: frozenset(bytes((tag,)) for tag in (0x01, 0x10, 0xC0, 0xC1, 0xC3, 0xD9)),
}
"""What an APDU begins with that a client, or a meter, is sent under protection."""
_WITH_INVOKE_ID: Final = frozenset(
    each.prefix[0] for each in (GetRequestNormal, SetRequestNormal, ActionRequestNormal)
)
_ACCESS: Final = AccessRequest.prefix[0]
_CONFIRMED: Final = 0x40


def reads(octets: bytes, role: Role) -> bool:
    """Whether these octets are an APDU that the other side of this role sends: garbage hardly ever is one."""
    if octets[:1] not in _SENT_TO[role]:
        return False
    try:
        decode_apdu(octets)
    except RemoteProtocolError:
        return False
    return True


def wants_answer(octets: bytes) -> bool:
    """Whether it is no request of which its invoke id says that nobody waits for its answer."""
    if octets[:1] and octets[0] in _WITH_INVOKE_ID:
        return bool(octets[2:3]) and bool(octets[2] & _CONFIRMED)
    if octets[:1] and octets[0] == _ACCESS:
        return bool(octets[1:2]) and bool(octets[1] & _CONFIRMED)
    return True
