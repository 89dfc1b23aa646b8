"""What an object of a simulated meter does, declared against its interface class.

    class ClockBehaviour(Behaviour, implements=Clock):
        @reads(Clock.time)
        def time(self) -> CosemDateTime: ...

        @writes(Clock.time)
        def set_time(self, value: CosemDateTime) -> None: ...

        @invokes(Clock.shift_time)
        def shift(self, seconds: int) -> None: ...

The type checker compares each function with the type its attribute or method has; that the attribute belongs to the
class is checked when the class is made. A plain value is `Stored`. What a client has no right to, or asks wrongly, is
answered here, by these results (Green Book, Data-Access-Result and Action-Result; the books name them and leave the
choice to the maker):

==========================================================  =========================
the class has no attribute or method of that number         object-unavailable
it has, but this object gives no right to it                read-write-denied
a selector, where none is offered, or not this one          scope-of-access-violated
not the data type the class declares                        type-unmatched
==========================================================  =========================
"""

from collections.abc import Callable, Iterable, Mapping
from enum import IntFlag
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, overload

from meterwright.apdu import SelectiveAccess
from meterwright.cosem import (
    AccessRights,
    Attribute,
    AttributeAccess,
    InterfaceClass,
    Method,
    MethodAccess,
    ObjectListElement,
    trigger,
)
from meterwright.data import Data, DataType, anything, array, enum, integer, logical_name, null_data
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.server import ActionOutcome
from meterwright.values import ActionResult, DataAccessResult, Obis

__all__ = ["Access", "Behaviour", "Refusal", "Stored", "exact", "invokes", "reads", "selects", "writes"]

S = TypeVar("S", bound="Behaviour")
T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")

_LOGICAL_NAME: Final = 1
_selectors: Final = array(integer)


class Access(IntFlag):
    """A right on one attribute; the numbers are the access modes of Association LN, versions 0 to 2."""

    NONE = 0
    READ = 1
    WRITE = 2
    READ_WRITE = 3


class Refusal(Exception):
    """Raised by a behaviour: the meter answers with this result. It never leaves the meter."""

    def __init__(self, result: DataAccessResult | ActionResult) -> None:
        super().__init__(result.label)
        self.code = int(result)

    @property
    def data_access_result(self) -> DataAccessResult:
        """As the answer to a read or a write."""
        return DataAccessResult(self.code)

    @property
    def action_result(self) -> ActionResult:
        """As the answer to a call; the two lists share the numbers that a behaviour needs."""
        return ActionResult(self.code)


class Stored(Generic[T]):
    """An attribute that is a plain value. Where it may be written the value changes."""

    def __init__(self, attribute: Attribute[T], value: T, access: Access = Access.READ) -> None:
        self.attribute = attribute
        self.value = value
        self.access = access

    def read(self) -> Data:
        """The value, as its type has it."""
        return self.attribute.type(self.value)

    def write(self, data: Data) -> None:
        """Take what the client sent. Refusal where it is of another type, or of another kind than what was there."""
        value = exact(self.attribute.type, data)
        if self.attribute.type is anything and data.tag is not self.read().tag:
            raise Refusal(DataAccessResult.TYPE_UNMATCHED)
        self.value = value


class _Reader(Generic[S, T]):
    """A function that reads an attribute."""

    def __init__(self, attribute: Attribute[T], function: Callable[[S], T]) -> None:
        self.attribute = attribute
        self._function = function

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> Callable[[], T]: ...
    def __get__(self, instance: S | None, owner: type) -> Self | Callable[[], T]:
        return self if instance is None else lambda: self._function(instance)

    def read(self, behaviour: S) -> Data:
        """The attribute's value, as its type has it."""
        return self.attribute.type(self._function(behaviour))


class _Selecting(Generic[S]):
    """A function that reads a part of an attribute."""

    def __init__(self, attribute: Attribute[Any], selector: int, function: Callable[[S, Data], Data]) -> None:
        self.attribute = attribute
        self.selector = selector
        self._function = function

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> Callable[[Data], Data]: ...
    def __get__(self, instance: S | None, owner: type) -> Self | Callable[[Data], Data]:
        return self if instance is None else lambda parameters: self._function(instance, parameters)

    def read(self, behaviour: S, parameters: Data) -> Data:
        """The part that the parameters pick."""
        return self._function(behaviour, parameters)


class _Writer(Generic[S, T]):
    """A function that writes an attribute."""

    def __init__(self, attribute: Attribute[T], function: Callable[[S, T], None]) -> None:
        self.attribute = attribute
        self._function = function

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> Callable[[T], None]: ...
    def __get__(self, instance: S | None, owner: type) -> Self | Callable[[T], None]:
        return self if instance is None else lambda value: self._function(instance, value)

    def write(self, behaviour: S, data: Data) -> None:
        """Write what the client sent. Refusal where it is of another type."""
        self._function(behaviour, exact(self.attribute.type, data))


class _Invoker(Generic[S, P, R]):
    """A function that a method calls. It returns what the method returns, or a result where that tells more."""

    def __init__(self, method: Method[P, R], function: Callable[[S, P], R | ActionResult]) -> None:
        self.method = method
        self._function = function

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: S, owner: type) -> Callable[[P], R | ActionResult]: ...
    def __get__(self, instance: S | None, owner: type) -> Self | Callable[[P], R | ActionResult]:
        return self if instance is None else lambda parameter: self._function(instance, parameter)

    def invoke(self, behaviour: S, parameters: Data | None) -> ActionOutcome:
        """Call it. Refusal where the parameter is of another type."""
        given = null_data(None) if parameters is None else parameters
        returned = self._function(behaviour, exact(self.method.parameter, given))
        if isinstance(returned, ActionResult):
            return ActionOutcome(returned)
        nothing = self.method.returns is null_data
        return ActionOutcome(ActionResult.SUCCESS, None if nothing else self.method.returns(returned))


def reads(attribute: Attribute[T]) -> Callable[[Callable[[S], T]], _Reader[S, T]]:
    """The decorated function gives the attribute's value."""
    return lambda function: _Reader(attribute, function)


def selects(attribute: Attribute[Any], selector: int) -> Callable[[Callable[[S, Data], Data]], _Selecting[S]]:
    """The decorated function gives the part of the attribute that this selector picks, by its parameters."""
    return lambda function: _Selecting(attribute, selector, function)


def writes(attribute: Attribute[T]) -> Callable[[Callable[[S, T], None]], _Writer[S, T]]:
    """The decorated function takes the attribute's new value."""
    return lambda function: _Writer(attribute, function)


def invokes(method: Method[P, R]) -> Callable[[Callable[[S, P], R | ActionResult]], _Invoker[S, P, R]]:
    """The decorated function does what the method does."""
    return lambda function: _Invoker(method, function)


def exact(data_type: DataType[T], data: Data) -> T:
    """The value, if the data is exactly what the class declares: a meter does not guess as our client does.

    Methods without a parameter look at none, whatever a client sends in its place.
    """
    try:
        value = data_type.from_data(data)
        if data_type is trigger or data_type(value) == data:
            return value
    except (RemoteProtocolError, LocalProtocolError):
        pass
    raise Refusal(DataAccessResult.TYPE_UNMATCHED)


class Behaviour:
    """An object of a simulated meter.

    `limits` takes rights on attributes away, `withheld` the right to call methods; what stays is what is implemented.
    """

    interface: ClassVar[type[InterfaceClass[Any]]]
    readers: ClassVar[Mapping[int, _Reader[Any, Any]]] = MappingProxyType({})
    selecting: ClassVar[Mapping[tuple[int, int], _Selecting[Any]]] = MappingProxyType({})
    writers: ClassVar[Mapping[int, _Writer[Any, Any]]] = MappingProxyType({})
    invokers: ClassVar[Mapping[int, _Invoker[Any, Any, Any]]] = MappingProxyType({})

    def __init_subclass__(cls, *, implements: type[InterfaceClass[Any]] | None = None) -> None:
        """`implements` is the interface class; a behaviour derived from another keeps its."""
        super().__init_subclass__()
        if implements is not None:
            cls.interface = implements
        members = {name: member for base in reversed(cls.__mro__) for name, member in vars(base).items()}
        found = members.values()
        readers: list[_Reader[Any, Any]] = [each for each in found if isinstance(each, _Reader)]
        writers: list[_Writer[Any, Any]] = [each for each in found if isinstance(each, _Writer)]
        invokers: list[_Invoker[Any, Any, Any]] = [each for each in found if isinstance(each, _Invoker)]
        selecting: list[_Selecting[Any]] = [each for each in found if isinstance(each, _Selecting)]
        for each in selecting:
            _require_declared(cls, each.attribute)
        cls.selecting = MappingProxyType(
            {(each.attribute.attribute_id, each.selector): each for each in selecting}
        )
        cls.readers = _numbered(cls, [(each.attribute, each) for each in readers])
        cls.writers = _numbered(cls, [(each.attribute, each) for each in writers])
        cls.invokers = _numbered(cls, [(each.method, each) for each in invokers])

    def __init__(
        self,
        logical_name: Obis | str,
        stored: Iterable[Stored[Any]] = (),
        *,
        limits: Mapping[Attribute[Any], Access] | None = None,
        withheld: Iterable[Method[Any, Any]] = (),
    ) -> None:
        self.obis = Obis.of(logical_name)
        self._stored: dict[int, Stored[Any]] = {each.attribute.attribute_id: each for each in stored}
        for each in self._stored.values():
            _require_declared(type(self), each.attribute)
        self._limits = {attribute.attribute_id: access for attribute, access in (limits or {}).items()}
        self._withheld = {method.method_id for method in withheld}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.obis}>"

    def access(self, attribute_id: int) -> Access:
        """What a client may do with an attribute of the class. Everybody may read the logical name."""
        if attribute_id == _LOGICAL_NAME:
            return Access.READ
        stored = self._stored.get(attribute_id)
        access = Access.NONE if stored is None else stored.access
        if attribute_id in self.readers:
            access |= Access.READ
        if attribute_id in self.writers:
            access |= Access.WRITE
        return access & self._limits.get(attribute_id, Access.READ_WRITE)

    def callable(self, method_id: int) -> bool:
        """Whether a client may call a method of the class."""
        return method_id in self.invokers and method_id not in self._withheld

    def list_element(self, *, may_write: bool = True) -> ObjectListElement:
        """The object as it stands in the object list, with all attributes and methods of its class.

        In an association that may not write, only what may be read is left of its rights.
        """
        most = Access.READ_WRITE if may_write else Access.READ
        return ObjectListElement(
            class_id=self.interface.class_id,
            version=self.interface.version,
            logical_name=self.obis,
            access_rights=AccessRights(
                tuple(
                    AttributeAccess(number, int(self.access(number) & most), self._selectors(number))
                    for number in sorted(self.interface.attributes)
                ),
                tuple(
                    MethodAccess(number, enum(int(may_write and self.callable(number))))
                    for number in sorted(self.interface.methods)
                ),
            ),
        )

    def _selectors(self, attribute_id: int) -> Data:
        """The selectors that an attribute takes, as the object list tells them."""
        offered = sorted(selector for number, selector in self.selecting if number == attribute_id)
        return _selectors(tuple(offered)) if offered else null_data(None)

    def get(self, attribute_id: int, selection: SelectiveAccess | None = None) -> Data:
        """The value of an attribute, or the part of it that is selected. Refusal says why there is none."""
        self._require(attribute_id, Access.READ)
        if selection is not None:
            selecting = self.selecting.get((attribute_id, selection.access_selector))
            if selecting is None:
                raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
            return selecting.read(self, selection.access_parameters)
        if attribute_id == _LOGICAL_NAME:
            return logical_name(self.obis)
        reader = self.readers.get(attribute_id)
        if reader is not None:
            return reader.read(self)
        return self._stored[attribute_id].read()

    def set(self, attribute_id: int, data: Data, selection: SelectiveAccess | None = None) -> None:
        """Write an attribute. Refusal says why not."""
        self._require(attribute_id, Access.WRITE)
        if selection is not None:
            raise Refusal(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        writer = self.writers.get(attribute_id)
        if writer is None:
            self._stored[attribute_id].write(data)
        else:
            writer.write(self, data)

    def invoke(self, method_id: int, parameters: Data | None) -> ActionOutcome:
        """Call a method; a refusal is an outcome too."""
        try:
            self._require_callable(method_id)
            return self.invokers[method_id].invoke(self, parameters)
        except Refusal as refusal:
            return ActionOutcome(refusal.action_result)

    def _require_callable(self, method_id: int) -> None:
        if method_id not in self.interface.methods:
            raise Refusal(ActionResult.OBJECT_UNAVAILABLE)
        if not self.callable(method_id):
            raise Refusal(ActionResult.READ_WRITE_DENIED)

    def _require(self, attribute_id: int, access: Access) -> None:
        if attribute_id not in self.interface.attributes:
            raise Refusal(DataAccessResult.OBJECT_UNAVAILABLE)
        if access not in self.access(attribute_id):
            raise Refusal(DataAccessResult.READ_WRITE_DENIED)


D = TypeVar("D")


def _numbered(
    cls: type[Behaviour], found: list[tuple[Attribute[Any] | Method[Any, Any], D]]
) -> Mapping[int, D]:
    """What was found, by the number of its attribute or method. TypeError where the class does not declare it."""
    table: dict[int, D] = {}
    for declared, each in found:
        _require_declared(cls, declared)
        number = declared.attribute_id if isinstance(declared, Attribute) else declared.method_id
        table[number] = each
    return MappingProxyType(table)


def _require_declared(cls: type[Behaviour], declared: Attribute[Any] | Method[Any, Any]) -> None:
    interface = cls.interface
    known = (
        interface.attributes.get(declared.attribute_id)
        if isinstance(declared, Attribute)
        else interface.methods.get(declared.method_id)
    )
    if known is not declared:
        raise TypeError(f"{cls.__name__}: {interface.__name__} does not declare {declared!r}")
