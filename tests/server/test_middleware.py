"""Middleware passes everything on, until somebody says otherwise."""

from tests.server.hosts import AARQ, Host, Line

from meterwright.apdu import (
    ActionRequestNormal,
    ActionResponseNormal,
    AttributeDescriptor,
    GetRequestNormal,
    GetResponseNormal,
    MethodDescriptor,
    SelectiveAccess,
    SetRequestNormal,
    SetResponseNormal,
)
from meterwright.data import Data, integer, octet_string
from meterwright.server import Caller, Middleware
from meterwright.values import ActionResult, DataAccessResult, InvokeIdAndPriority, Obis

INVOKE = InvokeIdAndPriority(1)
NAME = Obis.parse("0.0.1.0.0.255")


def test_everything_is_passed_on() -> None:
    plain, wrapped = Line(Host()), Line(Middleware(Middleware(Host())))
    for octets in (
        AARQ,
        GetRequestNormal(INVOKE, AttributeDescriptor(5, NAME, 2), None).to_octets(),
        SetRequestNormal(INVOKE, AttributeDescriptor(3, NAME, 2), None, integer(1)).to_octets(),
        ActionRequestNormal(INVOKE, MethodDescriptor(2, NAME, 1), integer(4)).to_octets(),
        b"\x62\x00",
    ):
        assert plain.send(octets) == wrapped.send(octets)


class Busy(Middleware):
    """Refuses to be read."""

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        below = super().get(caller, attribute, selection)
        return DataAccessResult.TEMPORARY_FAILURE if isinstance(below, Data) else below


def test_one_thing_can_be_changed() -> None:
    line = Line(Busy(Host()))
    line.ask(AARQ)
    read = line.ask(GetRequestNormal(INVOKE, AttributeDescriptor(5, NAME, 2), None))
    assert read == GetResponseNormal(INVOKE, DataAccessResult.TEMPORARY_FAILURE)
    written = line.ask(SetRequestNormal(INVOKE, AttributeDescriptor(0, NAME, 2), None, octet_string(b"")))
    assert written == SetResponseNormal(INVOKE, DataAccessResult.SUCCESS)
    called = line.ask(ActionRequestNormal(INVOKE, MethodDescriptor(0, NAME, 1), None))
    assert called == ActionResponseNormal(INVOKE, ActionResult.SUCCESS, None)
