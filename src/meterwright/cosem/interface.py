"""Interface classes, declared: one line an attribute, one line a method (Blue Book 4).

    class Clock(InterfaceClass[A_co], class_id=8, version=0, instance="0.0.1.0.0.255"):
        time = Attribute(2, octet_date_time)
        adjust_to_quarter = Method(1, trigger)

What a declaration gives depends on where it is asked, and the type checker knows which:

* on the class, ``Clock.time`` is the `Attribute` itself: simulator, translator, docs and command line read it;
* on an object with awaited access, ``await clock.time.get()`` is a CosemDateTime;
* on an object with blocking access, ``clock.time.get()`` is.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, TypeVar, overload

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.cosem.access import (
    _READ,  # pyright: ignore[reportPrivateUsage]  # this module is the one that reads, and so the one that vouches
    AssociationBound,
    AssociationIdentity,
    AsyncAccess,
    BlockingAccess,
    require_same_association,
)
from meterwright.data import Data, DataType, integer, logical_name, null_data
from meterwright.errors import RemoteProtocolError
from meterwright.values import Obis

__all__ = [
    "AsyncAttribute",
    "AsyncMethod",
    "Attribute",
    "BlockingAttribute",
    "BlockingMethod",
    "InterfaceClass",
    "Method",
    "trigger",
]

T = TypeVar("T")
P = TypeVar("P")
Q = TypeVar("Q")
R = TypeVar("R")
A_co = TypeVar("A_co", bound=AsyncAccess | BlockingAccess, covariant=True)

trigger: Final[DataType[None]] = DataType(
    "integer 0", lambda _value: integer(0), lambda _data: None, integer.tag
)
"""The parameter of methods that need none: integer 0 by the book; what a client sends instead is not looked at."""


class Attribute(Generic[T]):
    """One attribute: its number, its type, and whether only configuration changes it (`static`)."""

    def __init__(self, attribute_id: int, data_type: DataType[T], *, static: bool = False) -> None:
        self.attribute_id = attribute_id
        self.type = data_type
        self.static = static
        self.name = ""

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<attribute {self.attribute_id} {self.name}: {self.type.name}>"

    @overload
    def __get__(self, instance: None, owner: type) -> "Attribute[T]": ...
    @overload
    def __get__(self, instance: "InterfaceClass[AsyncAccess]", owner: type) -> "AsyncAttribute[T]": ...
    @overload
    def __get__(self, instance: "InterfaceClass[BlockingAccess]", owner: type) -> "BlockingAttribute[T]": ...
    def __get__(
        self, instance: "InterfaceClass[Any] | None", owner: type
    ) -> "Attribute[T] | AsyncAttribute[T] | BlockingAttribute[T]":
        if instance is None:
            return self
        if isinstance(instance.access, AsyncAccess):
            return AsyncAttribute(self, instance, instance.access)
        return BlockingAttribute(self, instance, instance.access)


class Method(Generic[P, R]):
    """One method: its number, the type of its parameter, and of what it returns."""

    @overload
    def __init__(self: "Method[Q, None]", method_id: int, parameter: DataType[Q]) -> None: ...
    @overload
    def __init__(self, method_id: int, parameter: DataType[P], returns: DataType[R]) -> None: ...
    def __init__(self, method_id: int, parameter: DataType[Any], returns: DataType[Any] = null_data) -> None:
        self.method_id = method_id
        self.parameter: DataType[P] = parameter
        self.returns: DataType[R] = returns
        self.name = ""

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<method {self.method_id} {self.name}({self.parameter.name})>"

    @overload
    def __get__(self, instance: None, owner: type) -> "Method[P, R]": ...
    @overload
    def __get__(self, instance: "InterfaceClass[AsyncAccess]", owner: type) -> "AsyncMethod[P, R]": ...
    @overload
    def __get__(self, instance: "InterfaceClass[BlockingAccess]", owner: type) -> "BlockingMethod[P, R]": ...
    def __get__(
        self, instance: "InterfaceClass[Any] | None", owner: type
    ) -> "Method[P, R] | AsyncMethod[P, R] | BlockingMethod[P, R]":
        if instance is None:
            return self
        if isinstance(instance.access, AsyncAccess):
            return AsyncMethod(self, instance, instance.access)
        return BlockingMethod(self, instance, instance.access)

    def result(self, returned: Data | None) -> R:
        """What the method returned, from its Data; a method that returns nothing ignores what a meter adds."""
        if returned is None or self.returns is null_data:
            returned = null_data(None)
        result: R = self.returns.from_data(returned)
        return result


class InterfaceClass(Generic[A_co]):
    """The base of all interface classes: an object of a meter, by logical name, over one kind of access."""

    class_id: ClassVar[int]
    version: ClassVar[int]
    instance: ClassVar[str | None]
    attributes: ClassVar[Mapping[int, Attribute[Any]]]
    methods: ClassVar[Mapping[int, Method[Any, Any]]]

    logical_name = Attribute(1, logical_name, static=True)

    def __init_subclass__(
        cls, *, class_id: int | None = None, version: int | None = None, instance: str | None = None
    ) -> None:
        """`instance` is the logical name the object has where a meter has only one of it."""
        super().__init_subclass__()
        if class_id is not None:
            cls.class_id = class_id
        if version is not None:
            cls.version = version
        cls.instance = instance or getattr(cls, "instance", None)
        members = {name: member for base in reversed(cls.__mro__) for name, member in vars(base).items()}
        attributes: list[Attribute[Any]] = [
            member for member in members.values() if isinstance(member, Attribute)
        ]
        methods: list[Method[Any, Any]] = [
            member for member in members.values() if isinstance(member, Method)
        ]
        cls.attributes = MappingProxyType({each.attribute_id: each for each in attributes})
        cls.methods = MappingProxyType({each.method_id: each for each in methods})
        if len(cls.attributes) != len(attributes) or len(cls.methods) != len(methods):
            raise TypeError(f"{cls.__name__}: a number is used twice")

    def __init__(self, access: A_co, instance: Obis | str | None = None) -> None:
        name = instance or self.instance
        if name is None:
            raise TypeError(f"{type(self).__name__} needs a logical name: meters have several of it")
        self._access = access
        self.obis = Obis.of(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.obis}>"

    @property
    def access(self) -> A_co:
        """How this object is reached."""
        return self._access

    def attribute_descriptor(self, attribute: Attribute[Any]) -> AttributeDescriptor:
        """How a request names this object's attribute."""
        return AttributeDescriptor(self.class_id, self.obis, attribute.attribute_id)

    def method_descriptor(self, method: Method[Any, Any]) -> MethodDescriptor:
        """How a request names this object's method."""
        return MethodDescriptor(self.class_id, self.obis, method.method_id)


class _Bound(Generic[T]):
    """An attribute of one object: what both twins share."""

    def __init__(self, attribute: Attribute[T], owner: InterfaceClass[Any]) -> None:
        self.attribute = attribute
        self.descriptor = owner.attribute_descriptor(attribute)

    def __repr__(self) -> str:
        return f"<{self.descriptor} {self.attribute.name}: {self.attribute.type.name}>"

    def _value(self, data: Data, association: AssociationIdentity) -> T:
        try:
            value = self.attribute.type.from_data(data)
        except RemoteProtocolError as error:
            error.within(about=f"{self.descriptor} {self.attribute.name}")
            raise
        return value.bound_to(association, _READ) if isinstance(value, AssociationBound) else value


class AsyncAttribute(_Bound[T]):
    """An attribute of one object, awaited."""

    def __init__(self, attribute: Attribute[T], owner: InterfaceClass[Any], access: AsyncAccess) -> None:
        super().__init__(attribute, owner)
        self._access = access

    async def get(self, selection: SelectiveAccess | None = None) -> T:
        """Read it. DataAccessError where the meter refuses, RemoteProtocolError where the value is of no legal type."""
        association = self._access.association
        return self._value(await self._access.read(self.descriptor, selection), association)

    async def set(self, value: T) -> None:
        """Write it. DataAccessError where the meter refuses, LocalProtocolError where the value does not fit."""
        require_same_association(value, self._access.association)
        await self._access.write(self.descriptor, self.attribute.type(value))


class BlockingAttribute(_Bound[T]):
    """An attribute of one object, blocking."""

    def __init__(self, attribute: Attribute[T], owner: InterfaceClass[Any], access: BlockingAccess) -> None:
        super().__init__(attribute, owner)
        self._access = access

    def get(self, selection: SelectiveAccess | None = None) -> T:
        """Read it. DataAccessError where the meter refuses, RemoteProtocolError where the value is of no legal type."""
        association = self._access.association
        return self._value(self._access.read(self.descriptor, selection), association)

    def set(self, value: T) -> None:
        """Write it. DataAccessError where the meter refuses, LocalProtocolError where the value does not fit."""
        require_same_association(value, self._access.association)
        self._access.write(self.descriptor, self.attribute.type(value))


class AsyncMethod(Generic[P, R]):
    """A method of one object, awaited."""

    def __init__(self, method: Method[P, R], owner: InterfaceClass[Any], access: AsyncAccess) -> None:
        self.method = method
        self.descriptor = owner.method_descriptor(method)
        self._access = access

    @overload
    async def invoke(self: "AsyncMethod[None, R]", *, timeout: float | None = None) -> R: ...
    @overload
    async def invoke(self, parameter: P, *, timeout: float | None = None) -> R: ...
    async def invoke(self, parameter: Any = None, *, timeout: float | None = None) -> R:
        """Call it. ActionError where the meter refuses."""
        require_same_association(parameter, self._access.association)
        encoded = self.method.parameter(parameter)
        return self.method.result(await self._access.invoke(self.descriptor, encoded, timeout=timeout))


class BlockingMethod(Generic[P, R]):
    """A method of one object, blocking."""

    def __init__(self, method: Method[P, R], owner: InterfaceClass[Any], access: BlockingAccess) -> None:
        self.method = method
        self.descriptor = owner.method_descriptor(method)
        self._access = access

    @overload
    def invoke(self: "BlockingMethod[None, R]", *, timeout: float | None = None) -> R: ...
    @overload
    def invoke(self, parameter: P, *, timeout: float | None = None) -> R: ...
    def invoke(self, parameter: Any = None, *, timeout: float | None = None) -> R:
        """Call it. ActionError where the meter refuses."""
        require_same_association(parameter, self._access.association)
        encoded = self.method.parameter(parameter)
        return self.method.result(self._access.invoke(self.descriptor, encoded, timeout=timeout))
