"""Octets and what they mean, for every APDU there is: the forms of the Green Book, written out by hand.

Sources: the Green Book's examples and its ASN.1 (9.4, 9.5), and where it is said a collection of captures; where a meter is named in a comment, what it was seen to send.
"""

from typing import Final

from meterwright.apdu import (
    CIPHERED_SERVICES,
    Aare,
    Aarq,
    AccessRequest,
    AccessRequestAction,
    AccessRequestGet,
    AccessRequestGetWithSelection,
    AccessRequestSet,
    AccessRequestSetWithSelection,
    AccessResponse,
    AccessResponseAction,
    AccessResponseGet,
    AccessResponseSet,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    ActionResponseWithPblock,
    AgreedKey,
    Apdu,
    AttributeDescriptor,
    BlockControl,
    BlockNumberAccess,
    ConfirmedServiceError,
    DataBlock,
    DataNotification,
    DataNotificationConfirm,
    EventNotificationRequest,
    ExceptionResponse,
    GatewayRequest,
    GatewayResponse,
    GeneralBlockTransfer,
    GeneralCiphering,
    GeneralDedCiphering,
    GeneralGloCiphering,
    GeneralSigning,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDataBlock,
    GetResponseWithList,
    IdentifiedKey,
    InformationReportRequest,
    InitiateRequest,
    InitiateResponse,
    MethodDescriptor,
    ParameterizedAccess,
    ReadBlockNumber,
    ReadDataBlockAccess,
    ReadDataBlockResult,
    ReadRequest,
    ReadResponse,
    Rlre,
    Rlrq,
    SelectedAttribute,
    SelectiveAccess,
    SetRequestNormal,
    SetRequestWithDataBlock,
    SetRequestWithFirstDataBlock,
    SetRequestWithList,
    SetRequestWithListAndFirstDataBlock,
    SetResponseDataBlock,
    SetResponseLastDataBlock,
    SetResponseLastDataBlockWithList,
    SetResponseNormal,
    SetResponseWithList,
    UnconfirmedWriteRequest,
    VariableName,
    WrappedKey,
    WriteBlockNumber,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
    WriteSuccess,
)
from meterwright.data import Data, DataTag, integer, octet_string, unsigned
from meterwright.values import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ActionResult,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ConfirmedServiceErrorService,
    Conformance,
    CosemDateTime,
    DataAccessResult,
    ExceptionService,
    ExceptionState,
    InvokeIdAndPriority,
    KekId,
    KeyId,
    LongInvokeIdAndPriority,
    Obis,
    ReleaseRequestReason,
    ReleaseResponseReason,
)

__all__ = ["GOLDEN", "REJECTIONS", "octets_of"]

C1: Final = InvokeIdAndPriority(1)
NOBODY: Final = LongInvokeIdAndPriority(1, confirmed=False, high_priority=False)
CLOCK: Final = Obis.of("0.0.1.0.0.255")
TIME: Final = AttributeDescriptor(8, CLOCK, 2)
SERIAL: Final = AttributeDescriptor(1, Obis.of("0.0.96.1.0.255"), 2)
SERIAL_1: Final = AttributeDescriptor(1, Obis.of("0.0.96.1.1.255"), 2)
IMAGE: Final = Obis.of("0.0.44.0.0.255")
TRANSFER, VERIFY, ACTIVATE = (MethodDescriptor(18, IMAGE, method) for method in (2, 3, 4))
MOMENT: Final = CosemDateTime.from_octets(bytes.fromhex("07E8010101000000FF800000"))
STANDARD: Final = Conformance.from_octets(bytes.fromhex("007E1F"))
INITIATE: Final = bytes.fromhex("01 00 00 00 06 5F1F0400 007E1F FFFF")
INITIATED: Final = bytes.fromhex("08 00 06 5F1F0400 00501F 01F4 0007")
NONE: Final = Data(DataTag.NULL_DATA, None)
LN: Final = ApplicationContext.LN
PERMANENT: Final = AssociationResult.REJECTED_PERMANENT
USER: Final = AcseServiceUserDiagnostic


def octets_of(hexadecimal: str) -> bytes:
    """Octets, spaced as it reads best."""
    return bytes.fromhex(hexadecimal)


REJECTIONS: Final[tuple[tuple[str, str, Apdu], ...]] = (
    (
        "context refused, with InitiateResponse",
        "6129 A109060760857405080101 A203020101 A305A103020102 BE10040E 0800065F1F040000501F01F40007",
        Aare(
            application_context_name=LN,
            result=PERMANENT,
            result_source_diagnostic=USER.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
            user_information=INITIATED,
        ),
    ),
    (
        "version too low, with ConfirmedServiceError",
        "611F A109060760857405080101 A203020101 A305A103020101 BE060404 0E010601",
        Aare(
            application_context_name=LN,
            result=PERMANENT,
            result_source_diagnostic=USER.NO_REASON_GIVEN,
            user_information=octets_of("0E010601"),
        ),
    ),
    (
        "authentication failure, without user information (Landis+Gyr ZCX, ZMX)",
        "6117 A109060760857405080101 A203020101 A305A10302010D",
        Aare(
            application_context_name=LN,
            result=PERMANENT,
            result_source_diagnostic=USER.AUTHENTICATION_FAILURE,
        ),
    ),
    (
        "provider, no common ACSE version",
        "6117 A109060760857405080101 A203020101 A305A203020102",
        Aare(
            application_context_name=LN,
            result=PERMANENT,
            result_source_diagnostic=AcseServiceProviderDiagnostic.NO_COMMON_ACSE_VERSION,
        ),
    ),
)
"""The four shapes in which a meter refuses an association."""

_BY_ENTRY: Final = SelectiveAccess(2, Data(DataTag.STRUCTURE, (unsigned(1), unsigned(9))))
_RAW: Final = octets_of("010203")

_ACSE: Final[tuple[tuple[str, Apdu], ...]] = (
    (
        "601D A109060760857405080101 BE10040E 01000000065F1F0400007E1FFFFF",
        Aarq(application_context_name=LN, user_information=INITIATE),
    ),
    (
        (
            "6036 A109060760857405080101 8A020780 8B0760857405080201 AC0A80083132333435363738"
            "BE10040E 01000000065F1F0400007E1FFFFF"
        ),
        Aarq(
            application_context_name=LN,
            sender_acse_requirements=octets_of("0780"),
            mechanism_name=AuthenticationMechanism.LOW,
            calling_authentication_value=b"12345678",
            user_information=INITIATE,
        ),
    ),
    (
        "6022 A109060760857405080103 A60A04084D4D4D0000BC614E A903020105 BE0404022100",
        Aarq(
            application_context_name=ApplicationContext.LN_CIPHERED,
            calling_ap_title=octets_of("4D4D4D0000BC614E"),
            calling_ae_invocation_id=5,
            user_information=octets_of("2100"),
        ),
    ),
    (
        "6129 A109060760857405080101 A203020100 A305A103020100 BE10040E 0800065F1F040000501F01F40007",
        Aare(
            application_context_name=LN,
            result=AssociationResult.ACCEPTED,
            result_source_diagnostic=USER.NULL,
            user_information=INITIATED,
        ),
    ),
    (
        "6123 A109060760857405080103 A203020101 A305A10302010D A40A04084D4D4D0000BC614E",
        Aare(
            application_context_name=ApplicationContext.LN_CIPHERED,
            result=PERMANENT,
            result_source_diagnostic=USER.AUTHENTICATION_FAILURE,
            responding_ap_title=octets_of("4D4D4D0000BC614E"),
        ),
    ),
    ("6203 800100", Rlrq(reason=ReleaseRequestReason.NORMAL)),
    ("6203 80011E", Rlrq(reason=ReleaseRequestReason.USER_DEFINED)),
    ("6200", Rlrq()),
    ("6303 800100", Rlre(reason=ReleaseResponseReason.NORMAL)),
    ("6303 800101", Rlre(reason=ReleaseResponseReason.NOT_FINISHED)),
    ("6300", Rlre()),
)

_INITIATE: Final[tuple[tuple[str, Apdu], ...]] = (
    ("01 00 00 00 06 5F1F0400 007E1F 04B0", InitiateRequest(None, True, None, 6, STANDARD, 1200)),
    (
        "01 01 02 AABB 01 00 01 FE 06 5F1F0400 007E1F 0000",
        InitiateRequest(octets_of("AABB"), False, -2, 6, STANDARD, 0),
    ),
    (
        "08 00 06 5F1F0400 00501F 01F4 0007",
        InitiateResponse(None, 6, Conformance.from_octets(octets_of("00501F")), 500, 7),
    ),
    (
        "08 01 05 06 5F1F0400 1C0320 01F4 FA00",
        InitiateResponse(5, 6, Conformance.from_octets(octets_of("1C0320")), 500, -0x0600),
    ),
    ("0E 01 06 01", ConfirmedServiceError(ConfirmedServiceErrorService.INITIATE_ERROR, 6, 1)),
    (
        "D8 01 02",
        ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.SERVICE_NOT_SUPPORTED, None),
    ),
    (
        "D8 01 06 00000010",
        ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, ExceptionService.INVOCATION_COUNTER_ERROR, 16),
    ),
)

_GET: Final[tuple[tuple[str, Apdu], ...]] = (
    ("C001 C1 0008 0000010000FF 02 00", GetRequestNormal(C1, TIME, None)),
    (
        "C001 C1 0001 0000600100FF 02 01 02 0202 1101 1109",
        GetRequestNormal(C1, SERIAL, _BY_ENTRY),
    ),
    ("C002 C1 00000002", GetRequestNext(C1, 2)),
    (
        "C003 C1 02 0008 0000010000FF 02 00 0001 0000600100FF 02 01 02 0202 1101 1109",
        GetRequestWithList(C1, (SelectedAttribute(TIME, None), SelectedAttribute(SERIAL, _BY_ENTRY))),
    ),
    ("C401 C1 00 0F01", GetResponseNormal(C1, integer(1))),
    ("C401 C1 01 0B", GetResponseNormal(C1, DataAccessResult.OBJECT_UNAVAILABLE)),
    ("C402 C1 00 00000001 00 03 010203", GetResponseWithDataBlock(C1, False, 1, _RAW)),
    (
        "C402 C1 01 00000002 01 13",
        GetResponseWithDataBlock(C1, True, 2, DataAccessResult.DATA_BLOCK_NUMBER_INVALID),
    ),
    ("C403 C1 02 00 0F01 01 04", GetResponseWithList(C1, (integer(1), DataAccessResult.OBJECT_UNDEFINED))),
)

_SET: Final[tuple[tuple[str, Apdu], ...]] = (
    ("C101 C1 0001 0000600100FF 02 00 0F01", SetRequestNormal(C1, SERIAL, None, integer(1))),
    (
        "C102 C1 0008 0000010000FF 02 00 00 00000001 03 010203",
        SetRequestWithFirstDataBlock(C1, TIME, None, DataBlock(False, 1, _RAW)),
    ),
    ("C103 C1 01 00000002 03 010203", SetRequestWithDataBlock(C1, DataBlock(True, 2, _RAW))),
    (
        "C104 C1 02 0001 0000600100FF 02 00 0001 0000600101FF 02 00 02 0F01 0F02",
        SetRequestWithList(
            C1,
            (SelectedAttribute(SERIAL, None), SelectedAttribute(SERIAL_1, None)),
            (integer(1), integer(2)),
        ),
    ),
    (
        "C105 C1 02 0001 0000600100FF 02 00 0001 0000600101FF 02 00 00 00000001 03 010203",
        SetRequestWithListAndFirstDataBlock(
            C1,
            (SelectedAttribute(SERIAL, None), SelectedAttribute(SERIAL_1, None)),
            DataBlock(False, 1, _RAW),
        ),
    ),
    ("C501 C1 00", SetResponseNormal(C1, DataAccessResult.SUCCESS)),
    ("C502 C1 00000001", SetResponseDataBlock(C1, 1)),
    ("C503 C1 0C 00000002", SetResponseLastDataBlock(C1, DataAccessResult.TYPE_UNMATCHED, 2)),
    (
        "C504 C1 02 00 03 00000002",
        SetResponseLastDataBlockWithList(
            C1, (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED), 2
        ),
    ),
    (
        "C505 C1 02 00 03",
        SetResponseWithList(C1, (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)),
    ),
)

_ACTION: Final[tuple[tuple[str, Apdu], ...]] = (
    ("C301 C1 0012 00002C0000FF 03 01 0F00", ActionRequestNormal(C1, VERIFY, integer(0))),
    ("C301 C1 0012 00002C0000FF 03 00", ActionRequestNormal(C1, VERIFY, None)),
    (
        "C301 C1 0012 00002C0000FF 02 01 0202 06 00000001 09 03 010203",
        ActionRequestNormal(
            C1,
            TRANSFER,
            Data(DataTag.STRUCTURE, (Data(DataTag.DOUBLE_LONG_UNSIGNED, 1), octet_string(_RAW))),
        ),
    ),
    ("C302 C1 00000002", ActionRequestNextPblock(C1, 2)),
    (
        "C303 C1 02 0012 00002C0000FF 03 0012 00002C0000FF 04 02 0F00 00",
        ActionRequestWithList(C1, (VERIFY, ACTIVATE), (integer(0), NONE)),
    ),
    (
        "C304 C1 0012 00002C0000FF 02 00 00000001 03 010203",
        ActionRequestWithFirstPblock(C1, TRANSFER, DataBlock(False, 1, _RAW)),
    ),
    (
        "C305 C1 02 0012 00002C0000FF 03 0012 00002C0000FF 04 00 00000001 03 010203",
        ActionRequestWithListAndFirstPblock(C1, (VERIFY, ACTIVATE), DataBlock(False, 1, _RAW)),
    ),
    ("C306 C1 01 00000002 03 010203", ActionRequestWithPblock(C1, DataBlock(True, 2, _RAW))),
    ("C701 C1 00 00", ActionResponseNormal(C1, ActionResult.SUCCESS, None)),
    ("C701 C1 00 01 00 0F01", ActionResponseNormal(C1, ActionResult.SUCCESS, integer(1))),
    (
        "C701 C1 00 01 01 02",
        ActionResponseNormal(C1, ActionResult.SUCCESS, DataAccessResult.TEMPORARY_FAILURE),
    ),
    ("C701 C1 01 00", ActionResponseNormal(C1, ActionResult.HARDWARE_FAULT, None)),
    ("C702 C1 00 00000001 03 010203", ActionResponseWithPblock(C1, DataBlock(False, 1, _RAW))),
    (
        "C703 C1 03 00 00 02 01 01 02 00 01 00 0F01",
        ActionResponseWithList(
            C1,
            (
                ActionResponseWithOptionalData(ActionResult.SUCCESS, None),
                ActionResponseWithOptionalData(
                    ActionResult.TEMPORARY_FAILURE, DataAccessResult.TEMPORARY_FAILURE
                ),
                ActionResponseWithOptionalData(ActionResult.SUCCESS, integer(1)),
            ),
        ),
    ),
    ("C704 C1 00000001", ActionResponseNextPblock(C1, 1)),
)

_NOTIFICATION: Final[tuple[tuple[str, Apdu], ...]] = (
    (
        "0F 00000001 00 0202 0F01 0F02",
        DataNotification(NOBODY, None, Data(DataTag.STRUCTURE, (integer(1), integer(2)))),
    ),
    ("0F 00000001 0C 07E8010101000000FF800000 0F01", DataNotification(NOBODY, MOMENT, integer(1))),
    ("10 00000001 00", DataNotificationConfirm(NOBODY, None)),
    ("10 00000001 0C 07E8010101000000FF800000", DataNotificationConfirm(NOBODY, MOMENT)),
    # apdus.txt: event-notif, event-notif-time, info-report
    ("C2 00 0001 0000600100FF 02 0F01", EventNotificationRequest(None, SERIAL, integer(1))),
    (
        "C2 01 0C 07E8010101000000FF800000 0001 0000600100FF 02 0F01",
        EventNotificationRequest(MOMENT, SERIAL, integer(1)),
    ),
    ("18 00 01 02 FA00 01 0F01", InformationReportRequest(None, (VariableName(0xFA00),), (integer(1),))),
    (
        "18 01 0F 32303234303130313030303030305A 02 02 FA00 04 FA08 01 00 02 0F01 00",
        InformationReportRequest(
            "20240101000000Z",
            (VariableName(0xFA00), ParameterizedAccess(0xFA08, 1, NONE)),
            (integer(1), NONE),
        ),
    ),
    (
        "18 00 03 05 0001 06 00 0002 03 010203 07 01 0003 00",
        InformationReportRequest(
            None,
            (BlockNumberAccess(1), ReadDataBlockAccess(False, 2, _RAW), WriteDataBlockAccess(True, 3)),
            (),
        ),
    ),
)

_FA00: Final = VariableName(0xFA00)
_SHORT_NAMES: Final[tuple[tuple[str, Apdu], ...]] = (
    # apdus.txt: read-sn, read-resp, write-sn, write-resp, unconfirmed-write
    ("05 01 02 FA00", ReadRequest((_FA00,))),
    ("0C 01 00 0F01", ReadResponse((integer(1),))),
    ("06 01 02 FA00 01 0F01", WriteRequest((_FA00,), (integer(1),))),
    ("0D 01 00", WriteResponse((WriteSuccess(),))),
    ("16 01 02 FA00 01 0F01", UnconfirmedWriteRequest((_FA00,), (integer(1),))),
    # a method: read for what it returns (jDLMS), or written without a value (Gurux)
    ("05 01 04 FA20 00 00", ReadRequest((ParameterizedAccess(0xFA20, 0, NONE),))),
    ("06 01 02 FA20 00", WriteRequest((VariableName(0xFA20),), ())),
    # every choice, by the ASN.1
    (
        "05 04 02 FA00 04 FA08 02 0202 1101 1109 05 0001 06 01 0002 03 010203",
        ReadRequest(
            (
                _FA00,
                ParameterizedAccess(0xFA08, 2, _BY_ENTRY.access_parameters),
                BlockNumberAccess(1),
                ReadDataBlockAccess(True, 2, _RAW),
            )
        ),
    ),
    (
        "0C 04 00 0F01 01 04 02 01 0002 03 010203 03 0003",
        ReadResponse(
            (
                integer(1),
                DataAccessResult.OBJECT_UNDEFINED,
                ReadDataBlockResult(True, 2, _RAW),
                ReadBlockNumber(3),
            )
        ),
    ),
    (
        "06 01 07 00 0001 01 09 03 010203",
        WriteRequest((WriteDataBlockAccess(False, 1),), (octet_string(_RAW),)),
    ),
    (
        "0D 03 00 01 03 02 0001",
        WriteResponse((WriteSuccess(), DataAccessResult.READ_WRITE_DENIED, WriteBlockNumber(1))),
    ),
)

_PLAIN_40: Final = LongInvokeIdAndPriority(0, high_priority=False)
_ACCESS: Final[tuple[tuple[str, Apdu], ...]] = (
    # apdus.txt: access-req, access-resp
    (
        "D9 40000000 00 02 01 0003 0000010000FF 02 01 0008 0000010000FF 02 02 00 00",
        AccessRequest(
            _PLAIN_40,
            None,
            (AccessRequestGet(AttributeDescriptor(3, CLOCK, 2)), AccessRequestGet(TIME)),
            (NONE, NONE),
        ),
    ),
    (
        "DA 40000000 00 00 02 00 0F01 02 01 00 02 00",
        AccessResponse(
            _PLAIN_40,
            None,
            None,
            (NONE, integer(1)),
            (AccessResponseGet(DataAccessResult.SUCCESS), AccessResponseSet(DataAccessResult.SUCCESS)),
        ),
    ),
    # every specification, by the ASN.1
    (
        (
            "D9 E0000005 0C 07E8010101000000FF800000 05"
            "01 0001 0000600100FF 02  02 0008 0000010000FF 02  03 0012 00002C0000FF 03"
            "04 0001 0000600100FF 02 02 0202 1101 1109  05 0001 0000600100FF 02 02 0202 1101 1109"
            "05 00 0F01 0F00 00 0F02"
        ),
        AccessRequest(
            LongInvokeIdAndPriority(5, break_on_error=True),
            MOMENT,
            (
                AccessRequestGet(SERIAL),
                AccessRequestSet(TIME),
                AccessRequestAction(VERIFY),
                AccessRequestGetWithSelection(SERIAL, _BY_ENTRY),
                AccessRequestSetWithSelection(SERIAL, _BY_ENTRY),
            ),
            (NONE, integer(1), integer(0), NONE, integer(2)),
        ),
    ),
    (
        "DA E0000005 0C 07E8010101000000FF800000 01 01 03 0012 00002C0000FF 03 01 00 01 03 02",
        AccessResponse(
            LongInvokeIdAndPriority(5, break_on_error=True),
            MOMENT,
            (AccessRequestAction(VERIFY),),
            (NONE,),
            (AccessResponseAction(ActionResult.TEMPORARY_FAILURE),),
        ),
    ),
)

_CIPHERED_OCTETS: Final = octets_of("30 01234567 411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B")
_CIPHERED: Final[tuple[tuple[str, Apdu], ...]] = (
    (
        "C8 1E 30 01234567 411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B",
        CIPHERED_SERVICES[0xC8](_CIPHERED_OCTETS),
    ),
    (
        "D0 1E 30 01234567 411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B",
        CIPHERED_SERVICES[0xD0](_CIPHERED_OCTETS),
    ),
    ("21 00", CIPHERED_SERVICES[0x21](b"")),
    (
        "DB 08 4D4D4D0000BC614E 1E 30 01234567 411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B",
        GeneralGloCiphering(octets_of("4D4D4D0000BC614E"), _CIPHERED_OCTETS),
    ),
    ("DC 00 02 3000", GeneralDedCiphering(b"", octets_of("3000"))),
)

_METER: Final = octets_of("4D4D4D0000BC614E")
_PARTIES: Final = (octets_of("0102030405060708"), _METER, octets_of("4D4D4D0000000001"))
_GENERAL: Final[tuple[tuple[str, Apdu], ...]] = (
    # apdus.txt: gbt, gateway; then an empty block that acknowledges
    (
        "E0 C1 0001 0000 06 C401C1000F01",
        GeneralBlockTransfer(BlockControl(True, True, 1), 1, 0, octets_of("C401C1000F01")),
    ),
    ("E0 85 0001 0001 00", GeneralBlockTransfer(BlockControl(True, False, 5), 1, 1, b"")),
    (
        "E6 00 01 10 C001C100080000010000FF0200",
        GatewayRequest(0, octets_of("10"), octets_of("C001C100080000010000FF0200")),
    ),
    ("E7 00 01 10 C401C1000F01", GatewayResponse(0, octets_of("10"), octets_of("C401C1000F01"))),
    # every kind of key, by the ASN.1
    (
        "DD 08 0102030405060708 08 4D4D4D0000BC614E 08 4D4D4D0000000001 00 00 01 00 01 02 3000",
        GeneralCiphering(
            *_PARTIES, None, b"", IdentifiedKey(KeyId.GLOBAL_BROADCAST_ENCRYPTION_KEY), octets_of("3000")
        ),
    ),
    (
        (
            "DD 08 0102030405060708 08 4D4D4D0000BC614E 08 4D4D4D0000000001"
            "0C 07E8010101000000FF800000 01 AA 01 01 00 03 010203 02 3000"
        ),
        GeneralCiphering(*_PARTIES, MOMENT, b"\xaa", WrappedKey(KekId.MASTER_KEY, _RAW), octets_of("3000")),
    ),
    (
        "DD 08 0102030405060708 08 4D4D4D0000BC614E 08 4D4D4D0000000001 00 00 01 02 01 02 00 02 3000",
        GeneralCiphering(*_PARTIES, None, b"", AgreedKey(b"\x02", b""), octets_of("3000")),
    ),
    ("DD 00 00 00 00 00 00 02 3000", GeneralCiphering(b"", b"", b"", None, b"", None, octets_of("3000"))),
    (
        "DF 08 0102030405060708 08 4D4D4D0000BC614E 08 4D4D4D0000000001 00 00 06 C401C1000F01 03 010203",
        GeneralSigning(*_PARTIES, None, b"", octets_of("C401C1000F01"), _RAW),
    ),
)

GOLDEN: Final[tuple[tuple[str, Apdu], ...]] = (
    *_ACSE,
    *((octets, apdu) for _, octets, apdu in REJECTIONS),
    *_INITIATE,
    *_GET,
    *_SET,
    *_ACTION,
    *_NOTIFICATION,
    *_SHORT_NAMES,
    *_ACCESS,
    *_CIPHERED,
    *_GENERAL,
)
"""Each is sent as it stands here, and read as it stands here."""
