"""What an editor knows about declared objects. Never run: type checkers read it, and every mark on a line must be needed."""

from typing import Any, assert_type

from meterwright.cosem import (
    AsyncAccess,
    AsyncAttribute,
    AsyncMethod,
    Attribute,
    BlockingAccess,
    BlockingAttribute,
    BlockingMethod,
    CaptureObject,
    CertificateEntity,
    CertificateIdentification,
    CertificateInfo,
    CertificateOfEntity,
    CertificateType,
    Clock,
    ClockBase,
    ExecutedScript,
    ExecutionTime,
    ImageInitiation,
    ImageToActivateInfo,
    ImageTransfer,
    InterfaceClass,
    KeyAgreement,
    KeyId,
    KeyTransfer,
    ListedObject,
    LogicalDevice,
    Method,
    ObjectListElement,
    ProfileGeneric,
    ProfileRows,
    Register,
    SapAssignment,
    ScheduleType,
    Script,
    ScriptAction,
    ScriptService,
    ScriptTable,
    SecuritySetup,
    SecuritySetupV0,
    SingleActionSchedule,
)
from meterwright.cosem.association import AssociationLn, AssociationStatus
from meterwright.data import Data
from meterwright.values import (
    BitString,
    ClockStatus,
    CosemDate,
    CosemDateTime,
    CosemTime,
    ImageTransferStatus,
    Obis,
    ScalerUnit,
    SecurityPolicy,
    SecuritySuite,
)


def on_the_class() -> None:
    """A declaration is what it is."""
    assert_type(Clock.time, Attribute[CosemDateTime])
    assert_type(Clock.shift_time, Method[int, None])
    assert_type(ImageTransfer.image_verify, Method[None, None])
    assert_type(AssociationLn.reply_to_hls_authentication, Method[bytes, bytes])
    assert_type(Clock.logical_name, Attribute[Obis])


async def awaited(access: AsyncAccess) -> None:
    """Over awaited access everything is awaited."""
    clock = Clock(access)
    assert_type(clock, Clock[AsyncAccess])
    assert_type(clock.time, AsyncAttribute[CosemDateTime])
    assert_type(await clock.time.get(), CosemDateTime)
    assert_type(await clock.time_zone.get(), int)
    assert_type(await clock.status.get(), ClockStatus)
    assert_type(await clock.clock_base.get(), ClockBase)
    assert_type(await clock.daylight_savings_enabled.get(), bool)
    assert_type(await clock.logical_name.get(), Obis)
    assert_type(clock.shift_time, AsyncMethod[int, None])

    transfer = ImageTransfer(access)
    assert_type(await transfer.image_transferred_blocks_status.get(), BitString)
    assert_type(await transfer.image_transfer_status.get(), ImageTransferStatus)
    assert_type(await transfer.image_to_activate_info.get(), tuple[ImageToActivateInfo, ...])
    await transfer.image_transfer_initiate.invoke(ImageInitiation(b"NEW-2.0", 1000))
    await transfer.image_verify.invoke()

    association = AssociationLn(access)
    assert_type(await association.object_list.get(), tuple[ObjectListElement, ...])
    assert_type(await association.association_status.get(), AssociationStatus)
    assert_type(await association.reply_to_hls_authentication.invoke(b"ask"), bytes)

    register = Register(access, "1.0.1.8.0.255")
    assert_type(await register.value.get(), Data)
    assert_type(await register.scaler_unit.get(), ScalerUnit)


def blocking(access: BlockingAccess) -> None:
    """Over blocking access nothing is."""
    clock = Clock(access)
    assert_type(clock, Clock[BlockingAccess])
    assert_type(clock.time, BlockingAttribute[CosemDateTime])
    assert_type(clock.time.get(), CosemDateTime)
    assert_type(clock.status.get(), ClockStatus)
    assert_type(clock.shift_time, BlockingMethod[int, None])
    assert_type(ImageTransfer(access).image_transfer_enabled.get(), bool)
    assert_type(AssociationLn(access).reply_to_hls_authentication.invoke(b"ask"), bytes)
    assert_type(Register(access, Obis.of("1.0.1.8.0.255")).scaler_unit.get(), ScalerUnit)


async def refused_when_awaited(access: AsyncAccess, moment: CosemDateTime) -> None:
    """What no meter would take is refused before anything runs."""
    clock = Clock(access)
    await clock.time.set(moment)
    await clock.time.set("12:00")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no date-time
    await clock.time_zone.set(1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no whole number
    await clock.time_zone.set(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # nothing
    await clock.clock_base.set(ImageTransferStatus(0))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # another enum
    await clock.shift_time.invoke()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # it has a parameter
    await clock.shift_time.invoke(b"5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # octets
    clock.time = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # an attribute is set with set()


def refused_when_blocking(access: BlockingAccess) -> None:
    """The twin refuses the same."""
    clock = Clock(access)
    clock.time_zone.set(60)
    clock.time_zone.set("60")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # text
    clock.shift_time.invoke("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # text
    ImageTransfer(access).image_transfer_initiate.invoke(b"NEW")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # an identifier alone
    clock.nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # no such attribute # noqa: B018


async def scripts_and_schedules(access: AsyncAccess, blocking_access: BlockingAccess) -> None:
    """Classes 9 and 22."""
    table = ScriptTable(access, "0.0.10.0.107.255")
    (script,) = await table.scripts.get()
    assert_type(script, Script)
    assert_type(script.actions, tuple[ScriptAction, ...])
    assert_type(script.actions[0].service_id, ScriptService)
    assert_type(script.actions[0].parameter, Data)
    assert_type(ScriptTable.execute, Method[int, None])
    await table.execute.invoke(script.script_identifier)
    await table.execute.invoke()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # which one
    await table.execute.invoke(script)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # its number is meant

    schedule = SingleActionSchedule(blocking_access, "0.0.15.0.2.255")
    assert_type(schedule.executed_script.get(), ExecutedScript)
    assert_type(schedule.type.get(), ScheduleType)
    assert_type(schedule.execution_time.get(), tuple[ExecutionTime, ...])
    entry = ExecutionTime(CosemTime(2, 30, 0, 0), CosemDate(2026, 3, 1))
    assert_type(entry.date, CosemDate)
    schedule.execution_time.set((entry,))
    schedule.execution_time.set(())
    schedule.execution_time.set(entry)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # an array
    schedule.execution_time.set(CosemDateTime())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no entry
    ExecutionTime(CosemDate(), CosemTime())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # time comes first
    schedule.type.set(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a bare number


async def security_setups(access: AsyncAccess, wrapped: bytes) -> None:
    """Class 64, in both versions."""
    setup = SecuritySetup(access)
    assert_type(await setup.security_policy.get(), SecurityPolicy)
    assert_type(await setup.security_suite.get(), SecuritySuite)
    assert_type(await setup.server_system_title.get(), bytes)
    assert_type(await setup.certificates.get(), tuple[CertificateInfo, ...])
    assert_type(SecuritySetupV0.global_key_transfer, Method[tuple[KeyTransfer, ...], None])
    assert_type(
        await setup.key_agreement.invoke((KeyAgreement(KeyId.MASTER, b""),)), tuple[KeyAgreement, ...]
    )
    named = CertificateIdentification.of_entity(CertificateEntity.SERVER, CertificateType.TLS, b"")
    assert_type(named, CertificateIdentification)
    assert_type(await setup.export_certificate.invoke(named), bytes)
    await setup.key_transfer.invoke((KeyTransfer(KeyId.AUTHENTICATION, wrapped),))
    await setup.key_transfer.invoke(wrapped)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # of which key
    await setup.security_activate.invoke(SecuritySuite.SUITE_0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # another enum
    half = CertificateOfEntity(CertificateEntity.SERVER, CertificateType.TLS, b"")
    await setup.remove_certificate.invoke(half)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # options alone
    setup.global_key_transfer  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # of version 0 # noqa: B018
    SecuritySetupV0(access).certificates  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # of version 1 # noqa: B018
    KeyTransfer(2, wrapped)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a bare number


async def profiles(access: AsyncAccess, blocking_access: BlockingAccess, moment: CosemDateTime) -> None:
    """Class 7, read in part; and lists in part."""
    profile = ProfileGeneric(access, "1.0.99.1.0.255")
    captured = await profile.capture_objects.get()
    assert_type(captured, tuple[CaptureObject, ...])
    assert_type(await profile.buffer.get(), Data)
    assert_type(await profile.buffer.range(moment, moment, columns=captured[:1]), ProfileRows)
    assert_type(await profile.buffer.entries(1, 50), ProfileRows)
    twin = ProfileGeneric(blocking_access, "1.0.99.1.0.255")
    assert_type(twin.buffer.rows(captured=captured), ProfileRows)
    assert_type(twin.buffer.range(moment, moment), ProfileRows)
    await profile.buffer.range("2026", moment)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # text
    twin.buffer.entries(moment)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a range is meant
    assert_type(await AssociationLn(access).object_list.of_classes(8), tuple[ListedObject, ...])
    assert_type(AssociationLn(blocking_access).object_list.without_rights(), tuple[ListedObject, ...])
    assert_type(await SapAssignment(access).sap_assignment_list.get(), tuple[LogicalDevice, ...])


def any_object(kind: type[InterfaceClass[Any]], access: AsyncAccess) -> None:
    """What the catalog gives can be made, but its attributes are its own."""
    made = kind(access, "1.0.1.8.0.255")
    assert_type(made.obis, Obis)
    assert_type(kind.attributes[2].attribute_id, int)


def neither_kind_of_access() -> None:
    """An object needs access to a meter."""
    Clock("tcp://127.0.0.1")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]  # an address is no access
