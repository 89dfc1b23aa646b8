"""The rows of the matrix: for each service one short conversation, and what must have come of it on both sides."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from tests.association.secured import ATTRIBUTE, EVERYTHING, METHOD, PARAMETER, VALUE, WRITTEN, Meter
from tests.conformance.proofs import Service

from meterwright.apdu import (
    ActionRequestNormal,
    AttributeDescriptor,
    DataNotification,
    DataNotificationConfirm,
    EventNotificationRequest,
    InformationReportRequest,
    Notification,
    SelectedAttribute,
    SelectiveAccess,
    SetRequestNormal,
    VariableName,
)
from meterwright.association import Room, Unsolicited
from meterwright.data import Data, octet_string, unsigned
from meterwright.exchange import (
    UNCONFIRMED,
    AccessAction,
    AccessGet,
    AccessPart,
    AccessSet,
    Called,
    Exchange,
    access,
    confirm,
    invoke,
    invoke_list,
    read,
    read_list,
    tell,
    write,
    write_list,
)
from meterwright.server import Partners
from meterwright.testing import StackPair
from meterwright.values import ActionResult, DataAccessResult, LongInvokeIdAndPriority, Obis

T = TypeVar("T")

LONG: Final = octet_string(bytes(range(251)) * 4)
"""Longer than either side takes at once."""
MISSING: Final = AttributeDescriptor(1, Obis.of("1.1.1.1.1.255"), 2)


@dataclass(frozen=True, slots=True)
class Stage:
    """A client that is associated with a meter, and what they say to each other."""

    pair: StackPair
    host: Meter

    def run(self, exchange: Exchange[T]) -> T:
        """The result of an exchange."""
        return self.pair.converse(exchange)

    @property
    def room(self) -> Room:
        """What the meter takes at once."""
        return self.pair.association.room


Conversation: TypeAlias = Callable[[Stage], None]


def _associate(stage: Stage) -> None:
    assert stage.pair.meter.associated == 1
    stage.pair.release()
    assert stage.pair.meter.associated == 0


def _get(stage: Stage) -> None:
    assert stage.run(read(ATTRIBUTE)) == VALUE


def _get_list(stage: Stage) -> None:
    both = [SelectedAttribute(ATTRIBUTE, None), SelectedAttribute(MISSING, None)]
    assert stage.run(read_list(both)) == (VALUE, DataAccessResult.OBJECT_UNDEFINED)


def _get_blocks(stage: Stage) -> None:
    stage.host.value = LONG
    assert stage.run(read(ATTRIBUTE)) == LONG


def _get_list_blocks(stage: Stage) -> None:
    stage.host.value = LONG
    assert stage.run(read_list([SelectedAttribute(ATTRIBUTE, None)] * 2)) == (LONG, LONG)


def _set(stage: Stage) -> None:
    stage.run(write(ATTRIBUTE, WRITTEN, room=stage.room))
    assert stage.host.written == [WRITTEN]


def _set_list(stage: Stage) -> None:
    _write_two(stage, WRITTEN)


def _set_blocks(stage: Stage) -> None:
    stage.run(write(ATTRIBUTE, LONG, room=stage.room))
    assert stage.host.written == [LONG]


def _set_list_blocks(stage: Stage) -> None:
    _write_two(stage, LONG)


def _write_two(stage: Stage, value: Data) -> None:
    both = [(SelectedAttribute(ATTRIBUTE, None), value)] * 2
    assert stage.run(write_list(both, room=stage.room)) == (DataAccessResult.SUCCESS,) * 2
    assert stage.host.written == [value, value]


def _set_unconfirmed(stage: Stage) -> None:
    stage.run(tell(SetRequestNormal(UNCONFIRMED, ATTRIBUTE, None, WRITTEN)))
    assert stage.host.written == [WRITTEN]


def _action(stage: Stage) -> None:
    assert stage.run(invoke(METHOD, PARAMETER, room=stage.room)) == PARAMETER
    assert stage.host.invoked == [PARAMETER]


def _action_list(stage: Stage) -> None:
    _call_two(stage, PARAMETER)


def _action_blocks(stage: Stage) -> None:
    stage.host.returned = None
    assert stage.run(invoke(METHOD, LONG, room=stage.room)) is None
    assert stage.host.invoked == [LONG]


def _action_answer_blocks(stage: Stage) -> None:
    stage.host.returned = LONG
    assert stage.run(invoke(METHOD, PARAMETER, room=stage.room)) == LONG


def _action_list_blocks(stage: Stage) -> None:
    _call_two(stage, LONG)


def _call_two(stage: Stage, parameter: Data) -> None:
    called = Called(ActionResult.SUCCESS, parameter)
    assert stage.run(invoke_list([(METHOD, parameter)] * 2, room=stage.room)) == (called, called)
    assert stage.host.invoked == [parameter, parameter]


def _action_unconfirmed(stage: Stage) -> None:
    stage.run(tell(ActionRequestNormal(UNCONFIRMED, METHOD, PARAMETER)))
    assert stage.host.invoked == [PARAMETER]


def _access(stage: Stage) -> None:
    _access_all(stage, None)


def _access_selection(stage: Stage) -> None:
    _access_all(stage, SelectiveAccess(2, unsigned(1)))


def _access_all(stage: Stage, selection: SelectiveAccess | None) -> None:
    parts: list[AccessPart] = [
        AccessGet(ATTRIBUTE, selection),
        AccessSet(ATTRIBUTE, WRITTEN, selection),
        AccessGet(MISSING),
        AccessAction(METHOD, PARAMETER),
    ]
    success, called = DataAccessResult.SUCCESS, Called(ActionResult.SUCCESS, PARAMETER)
    missing = DataAccessResult.OBJECT_UNDEFINED
    assert stage.run(access(parts, room=stage.room)) == (VALUE, success, missing, called)
    assert (stage.host.written, stage.host.invoked) == ([WRITTEN], [PARAMETER])


def _get_all(stage: Stage) -> None:
    everything = stage.run(read(EVERYTHING, room=stage.room))
    assert everything.value == (octet_string(ATTRIBUTE.instance_id.octets), VALUE)


def _set_all(stage: Stage) -> None:
    stage.run(write(EVERYTHING, WRITTEN, room=stage.room))
    assert stage.host.written == [WRITTEN]


def _push(stage: Stage, notification: Notification) -> None:
    stage.pair.meter.notify(notification, Partners(1, 1), stage.pair.now)
    stage.pair.carry()
    stage.pair.wait(1)
    told = [each.apdu for each in stage.pair.events if isinstance(each, Unsolicited)]
    assert told == [notification]
    assert stage.run(read(ATTRIBUTE)) == VALUE


def _event(stage: Stage) -> None:
    _push(stage, EventNotificationRequest(None, ATTRIBUTE, VALUE))


def _report(stage: Stage) -> None:
    _push(stage, InformationReportRequest(None, (VariableName(0xFA00),), (VALUE,)))


def _data(stage: Stage) -> None:
    _push(stage, DataNotification(LongInvokeIdAndPriority(7, confirmed=False), None, VALUE))


def _data_confirmed(stage: Stage) -> None:
    push = DataNotification(LongInvokeIdAndPriority(7), None, VALUE)
    _push(stage, push)
    stage.run(confirm(push))
    told = DataNotificationConfirm(push.long_invoke_id_and_priority, None)
    assert stage.host.confirmations == [(Partners(1, 1), told)]


SERVICES: Final[MappingProxyType[Service, Conversation]] = MappingProxyType(
    {
        Service.ASSOCIATION: _associate,
        Service.GET: _get,
        Service.GET_LIST: _get_list,
        Service.GET_BLOCKS: _get_blocks,
        Service.GET_LIST_BLOCKS: _get_list_blocks,
        Service.SET: _set,
        Service.SET_LIST: _set_list,
        Service.SET_BLOCKS: _set_blocks,
        Service.SET_LIST_BLOCKS: _set_list_blocks,
        Service.SET_UNCONFIRMED: _set_unconfirmed,
        Service.ACTION: _action,
        Service.ACTION_LIST: _action_list,
        Service.ACTION_BLOCKS: _action_blocks,
        Service.ACTION_ANSWER_BLOCKS: _action_answer_blocks,
        Service.ACTION_LIST_BLOCKS: _action_list_blocks,
        Service.ACTION_UNCONFIRMED: _action_unconfirmed,
        Service.GET_ALL: _get_all,
        Service.SET_ALL: _set_all,
        Service.EVENT_NOTIFICATION: _event,
        Service.INFORMATION_REPORT: _report,
        Service.DATA_NOTIFICATION: _data,
        Service.DATA_NOTIFICATION_CONFIRMED: _data_confirmed,
        Service.ACCESS: _access,
        Service.ACCESS_SELECTION: _access_selection,
    }
)
