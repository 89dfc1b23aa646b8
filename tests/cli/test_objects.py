"""`objects`: the object list as a table and as JSON lines, rights in words for every version of the association."""

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import Desk

from meterwright.cli.objects import describe_rights
from meterwright.cosem import AccessRights, AttributeAccess, MethodAccess, ObjectListElement
from meterwright.data import Data, boolean, enum, null_data
from meterwright.values import Obis

NOTHING = null_data(None)


def element(attribute_mode: int, method_mode: Data) -> ObjectListElement:
    rights = AccessRights(
        (AttributeAccess(2, attribute_mode, NOTHING),),
        (MethodAccess(1, method_mode),),
    )
    return ObjectListElement(70, 0, Obis.parse("0.0.96.3.10.255"), rights)


def test_programs_see_every_object(cli: Cli, desk: Desk) -> None:
    ended = cli("objects", desk.url, "--json")
    assert ended.code == 0
    image = next(line for line in ended.lines if line["obis"] == "0.0.44.0.0.255")
    assert (image["class_id"], image["class_version"], image["class_name"]) == (18, 0, "Image transfer")
    assert image["attributes"]["5"] == "read write"
    assert image["methods"] == {"1": "call", "2": "call", "3": "call", "4": "call"}


def test_people_see_a_table(cli: Cli, desk: Desk) -> None:
    ended = cli("objects", "--meter", str(desk.config))
    assert ended.code == 0
    row = next(line for line in ended.out.splitlines() if "0.0.44.0.0.255" in line)
    assert "1–4 6–7: read; 5: read write" in row
    assert "1–4: call" in row


@pytest.mark.parametrize(
    ("version", "attribute_mode", "method_mode", "attribute", "method"),
    [
        (0, 1, boolean(True), "read", "call"),
        (0, 0, boolean(False), "none", "none"),
        (1, 3, enum(1), "read write", "call"),
        (2, 6, enum(2), "read write (authenticated)", "call (authenticated)"),
        (2, 99, enum(99), "mode 99", "mode 99"),
        (3, 0b11, enum(1), "read write", "call"),
        (3, 0b1000_1111, enum(0b0001_0001), "read write (request authenticated, request encrypted, answer signed)",
         "call (request signed)"),
        (3, 0b1000_0000, enum(0), "none", "none"),
        (3, 3, NOTHING, "read write", "unknown"),
    ],
)  # fmt: skip
def test_rights_are_told_in_words(
    version: int, attribute_mode: int, method_mode: Data, attribute: str, method: str
) -> None:
    assert describe_rights(element(attribute_mode, method_mode), version) == ({2: attribute}, {1: method})


def test_one_argument_too_many(cli: Cli, desk: Desk) -> None:
    assert cli("objects", desk.url, "1.0.1.8.0.255").code == 2
    assert cli("objects").code == 2
    assert cli("objects", "--meter", str(desk.config), desk.url).code == 2
