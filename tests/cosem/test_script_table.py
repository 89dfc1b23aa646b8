"""Script table: declared by the book's numbers, and octet for octet what a meter sends."""

from typing import Any

import pytest
from hypothesis import given
from tests.cosem.fakes import BlockingFake

from meterwright.cosem import Script, ScriptAction, ScriptService, ScriptTable
from meterwright.data import Data, DataTag, integer, long_unsigned, null_data, unsigned
from meterwright.errors import LocalProtocolError, RemoteProtocolError
from meterwright.testing import data_of
from meterwright.values import Obis

TABLE = "0.0.10.0.107.255"
ACTIVATE = ScriptAction(ScriptService.EXECUTE_METHOD, 18, Obis.of("0.0.44.0.0.255"), 4, integer(0))
ACTIVATION = "01 01  02 02 12 00 01  01 01  02 05 16 02 12 00 12 09 06 00 00 2C 00 00 FF 0F 04 0F 00"
"""One script, 1, with one action: activate the image of 0.0.44.0.0.255."""
CLOSES = ScriptAction(ScriptService.WRITE_ATTRIBUTE, 3, Obis.of("1.0.1.8.0.255"), -1, null_data(None))


def scripts(octets: str) -> tuple[Script, ...]:
    """The scripts in a meter's answer."""
    fake = BlockingFake({f"9/{TABLE}/2": Data.from_octets(bytes.fromhex(octets))})
    return ScriptTable(fake, TABLE).scripts.get()


def test_numbers_and_names() -> None:
    assert (ScriptTable.class_id, ScriptTable.version, ScriptTable.instance) == (9, 0, None)
    assert [each.name for each in ScriptTable.attributes.values()] == ["logical_name", "scripts"]
    assert {number: each.name for number, each in ScriptTable.methods.items()} == {1: "execute"}
    assert ScriptTable.scripts.type.name == "array of structure Script"
    assert ScriptTable.scripts.static
    assert ScriptTable.execute.parameter is long_unsigned
    assert [(each.name, int(each)) for each in ScriptService] == [
        ("WRITE_ATTRIBUTE", 1),
        ("EXECUTE_METHOD", 2),
    ]


def test_the_activation_of_an_image_octet_for_octet() -> None:
    activation = (Script(1, (ACTIVATE,)),)
    assert scripts(ACTIVATION) == activation
    assert ScriptTable.scripts.type(activation).to_octets() == bytes.fromhex(ACTIVATION)


def test_several_scripts_with_several_actions() -> None:
    several = (Script(1, ()), Script(0xFFFF, (CLOSES, ACTIVATE)))
    octets = ScriptTable.scripts.type(several).to_octets()
    assert octets[:4] == bytes.fromhex("01 02 02 02")
    assert scripts(octets.hex()) == several


def test_no_scripts() -> None:
    assert scripts("01 00") == ()


def test_a_service_nobody_wrote_down_is_a_service() -> None:
    (script,) = scripts(ACTIVATION.replace("16 02", "16 07"))
    assert script.actions[0].service_id.label == "unknown-7"


def test_execute_sends_the_identifier() -> None:
    fake = BlockingFake()
    ScriptTable(fake, TABLE).execute.invoke(1)
    assert fake.invoked == [(f"9/{TABLE}/method 1", long_unsigned(1))]


@given(data_of(ScriptTable.scripts.type))
def test_what_is_sent_is_read(data: Data) -> None:
    value = ScriptTable.scripts.type.from_data(data)
    again = Data.from_octets(ScriptTable.scripts.type(value).to_octets())
    assert ScriptTable.scripts.type.from_data(again) == value


@pytest.mark.parametrize(
    "octets",
    [
        "00",
        "12 00 01",
        "01 01  12 00 01",
        "01 01  02 01 12 00 01",
        "01 01  02 02 12 00 01 12 00 01",
        "01 01  02 02 12 00 01  01 01  02 04 16 02 12 00 12 09 06 00 00 2C 00 00 FF 0F 04",
        "01 01  02 02 12 00 01  01 01  02 05 16 02 12 00 12 09 05 00 00 2C 00 00 0F 04 0F 00",
    ],
    ids=["null", "a-number", "no-structure", "too-few", "no-actions", "no-parameter", "no-logical-name"],
)
def test_what_is_no_script_is_refused(octets: str) -> None:
    with pytest.raises(RemoteProtocolError):
        scripts(octets)


@pytest.mark.parametrize("value", [-1, 0x10000, "one", None, b"1"])
def test_an_identifier_that_does_not_fit_is_not_sent(value: Any) -> None:
    fake = BlockingFake()
    with pytest.raises(LocalProtocolError):
        ScriptTable(fake, TABLE).execute.invoke(value)
    assert fake.invoked == []


@pytest.mark.parametrize(
    "value",
    [
        (ACTIVATE,),
        (Script(0x10000, ()),),
        (
            Script(
                1, (ScriptAction(ScriptService.EXECUTE_METHOD, 18, ACTIVATE.logical_name, 200, unsigned(0)),)
            ),
        ),
        Data(DataTag.NULL_DATA, None),
    ],
    ids=["an-action", "too-large", "index-too-large", "data"],
)
def test_scripts_that_do_not_fit_are_not_sent(value: Any) -> None:
    fake = BlockingFake()
    with pytest.raises(LocalProtocolError):
        ScriptTable(fake, TABLE).scripts.set(value)
    assert fake.written == []
