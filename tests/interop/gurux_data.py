# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
# Why unchecked: as gurux_peer.py, it runs under the peer's interpreter, in whose environment alone gurux_dlms exists.
"""The interop peer's reading of Data: the `decode` command of gurux_peer.py.

It reads a JSON list of hex strings, each one Data, and gives `{"values": […]}` in the same order: lists for arrays and
structures, `hex:…` for octets, `01…` for bit strings, numbers, truth values and texts as they are. Where the library does not
read all octets, or raises, the value is `{"error": …}`.
"""

from gurux_dlms import GXBitString, GXByteBuffer, GXDLMSClient


def decode(octets: bytes) -> object:
    """One Data as the library understands it."""
    buffer = GXByteBuffer(octets)
    try:
        value = plain(GXDLMSClient.getValue(buffer, False))
    except Exception as error:  # noqa: BLE001 - whatever the library raises is its answer
        return {"error": f"{type(error).__name__}: {error}"}
    if buffer.position != buffer.size:
        return {"error": f"only {buffer.position} of {buffer.size} octets are read"}
    return value


def plain(value: object) -> object:
    """A value as JSON can hold it."""
    if isinstance(value, (bytes, bytearray)):
        return f"hex:{value.hex()}"
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, GXBitString):
        return str(value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else repr(value)
