"""`get` against a meter that listens: forms, types, scaling, list requests, refusals."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.cli.rig import Desk

from meterwright.apdu import AttributeDescriptor, SelectiveAccess
from meterwright.association import AssociationRequested, Grant
from meterwright.cosem import AccessRights, AssociationLn, ObjectListElement
from meterwright.data import Data, long_unsigned
from meterwright.server import Caller, Middleware, ObjectHost, Partners
from meterwright.simulator import SERVED, MeterSettings, SecuritySettings
from meterwright.values import (
    AcseServiceUserDiagnostic,
    AuthenticationMechanism,
    Conformance,
    CosemDateTime,
    DataAccessResult,
    Obis,
)

ENERGY = "1.0.1.8.0.255"


class Watched(Middleware):
    """Notes what is read; `conformance` limits what is granted; `values` and `refusals` replace answers."""

    def __init__(self, inner: ObjectHost) -> None:
        super().__init__(inner)
        self.conformance = SERVED
        self.read: list[str] = []
        self.answers: dict[str, Data | DataAccessResult] = {}
        self.max_pdu = 1024

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | AcseServiceUserDiagnostic:
        decision = super().associate(partners, asked)
        return Grant(self.conformance, self.max_pdu) if isinstance(decision, Grant) else decision

    def get(
        self, caller: Caller, attribute: AttributeDescriptor, selection: SelectiveAccess | None
    ) -> Data | DataAccessResult:
        self.read.append(str(attribute))
        return self.answers.get(str(attribute)) or super().get(caller, attribute, selection)


class WatchedDesk(Desk):
    """A meter whose reads are watched."""

    def __init__(self, folder: Path) -> None:
        self.watched: list[Watched] = []
        super().__init__(folder, through=self._watch)

    def _watch(self, host: ObjectHost) -> ObjectHost:
        self.watched.append(Watched(host))
        return self.watched[-1]

    @property
    def host(self) -> Watched:
        """What watches."""
        return self.watched[0]


@pytest.fixture
def watched(tmp_path: Path) -> Generator[WatchedDesk]:
    with WatchedDesk(tmp_path / "meters") as desk:
        yield desk


class TestValues:
    def test_a_register_is_a_quantity(self, cli: Cli, desk: Desk) -> None:
        [line] = cli("get", desk.url, ENERGY, "--json").lines
        assert line["class_id"] == 3
        assert line["attribute"] == 2
        assert line["name"] == "active energy import, total"
        assert line["attribute_name"] == "value"
        assert (line["scaler"], line["unit"]) == (-1, "Wh")
        assert line["value"] == pytest.approx(line["raw"] / 10)

    def test_all_forms_name_the_same(self, cli: Cli, desk: Desk) -> None:
        ended = cli("get", desk.url, "1-0:32.7.0", "1.0.32.7.0.255:2", "3/1.0.32.7.0.255/2", "--json")
        assert [line["obis"] for line in ended.lines] == ["1.0.32.7.0.255"] * 3
        assert {line["unit"] for line in ended.lines} == {"V"}

    def test_a_clock_is_a_date_and_time(self, cli: Cli, desk: Desk) -> None:
        [line] = cli("get", desk.url, "0.0.1.0.0.255", "--json").lines
        moment = CosemDateTime.from_octets(bytes.fromhex(line["raw"]))
        assert abs(moment.to_datetime() - datetime.now(UTC)) < timedelta(minutes=1)
        assert line["value"] == str(moment)

    def test_a_status_is_named(self, cli: Cli, desk: Desk) -> None:
        [line] = cli("get", desk.url, "18/0.0.44.0.0.255/6", "--json").lines
        assert (line["attribute_name"], line["value"], line["raw"]) == (
            "image_transfer_status",
            "not-initiated",
            0,
        )

    def test_a_meter_is_named_by_its_file(self, cli: Cli, desk: Desk) -> None:
        [line] = cli("get", "--meter", str(desk.config), "0.0.42.0.0.255", "--json").lines
        assert line["value"] == "MWS0000000001"

    def test_people_see_a_table(self, cli: Cli, desk: Desk) -> None:
        ended = cli("get", desk.url, "0.0.42.0.0.255", "1.0.32.7.0.255:3", "--raw")
        assert ended.code == 0
        assert "logical device name" in ended.out
        assert "MWS0000000001" in ended.out
        assert "structure {integer -1, enum 35}" in ended.out
        assert "\x1b" not in ended.out

    def test_a_value_of_an_illegal_type_is_shown_as_it_came(self, cli: Cli, watched: WatchedDesk) -> None:
        watched.host.answers["8/0.0.1.0.0.255/2"] = long_unsigned(7)
        [line] = cli("get", watched.url, "0.0.1.0.0.255", "--json").lines
        assert (line["value"], line["raw"]) == (7, 7)


class TestRequests:
    def test_several_are_one_list_request(self, cli: Cli, watched: WatchedDesk) -> None:
        assert cli("get", watched.url, "3/1.0.1.8.0.255/2", "0.0.1.0.0.255").code == 0
        assert watched.host.read == ["3/1.0.1.8.0.255/2", "8/0.0.1.0.0.255/2", "3/1.0.1.8.0.255/3"]

    @pytest.mark.parametrize("max_pdu", [30, 1024])
    @pytest.mark.parametrize("withheld", [Conformance(0), Conformance.MULTIPLE_REFERENCES])
    def test_lists_fit_the_meter(
        self, cli: Cli, watched: WatchedDesk, max_pdu: int, withheld: Conformance
    ) -> None:
        watched.host.conformance &= ~withheld
        watched.host.max_pdu = max_pdu
        names = ["0.0.42.0.0.255", "0.0.1.0.0.255", ENERGY, "1.0.32.7.0.255", "1.0.0.2.0.255"]
        ended = cli("get", watched.url, *names, "--json")
        assert ended.code == 0
        assert [line["obis"] for line in ended.lines] == names

    def test_the_object_list_is_read_once(self, cli: Cli, watched: WatchedDesk) -> None:
        assert cli("get", watched.url, ENERGY, "1.0.32.7.0.255", "0.0.42.0.0.255").code == 0
        assert watched.host.read.count("15/0.0.40.0.0.255/2") == 1

    def test_the_object_list_is_not_read_for_nothing(self, cli: Cli, watched: WatchedDesk) -> None:
        assert cli("get", watched.url, "0.0.1.0.0.255", "3/1.0.1.8.0.255/3").code == 0
        assert "15/0.0.40.0.0.255/2" not in watched.host.read


class TestRefusals:
    def test_one_refused_does_not_hide_the_others(self, cli: Cli, desk: Desk) -> None:
        ended = cli("get", desk.url, "0.0.42.0.0.255", "3/1.0.99.8.0.255/2", "--json")
        assert ended.code == 7
        good, bad = ended.lines
        assert good["value"] == "MWS0000000001"
        assert (bad["event"], bad["kind"], bad["exit_code"]) == ("error", "data-access-error", 7)
        assert "object-undefined" in bad["message"]
        assert bad["obis"] == "1.0.99.8.0.255"

    def test_people_are_told_what_to_try(self, cli: Cli, desk: Desk) -> None:
        ended = cli("get", desk.url, "3/1.0.99.8.0.255/2")
        assert ended.code == 7
        assert "object-undefined" in ended.err
        assert "try: " in ended.err

    def test_a_name_the_meter_does_not_list(self, cli: Cli, desk: Desk) -> None:
        ended = cli("get", desk.url, "1.0.99.8.0.255")
        assert ended.code == 2
        assert "meterwright objects" in ended.err

    def test_a_name_that_is_there_twice(self, cli: Cli, watched: WatchedDesk) -> None:
        name, nothing = Obis.parse(ENERGY), AccessRights((), ())
        elements = tuple(ObjectListElement(class_id, 0, name, nothing) for class_id in (3, 4))
        watched.host.answers["15/0.0.40.0.0.255/2"] = AssociationLn.object_list.type(elements)
        ended = cli("get", watched.url, ENERGY)
        assert ended.code == 2
        assert f"3/{name}/2" in ended.err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("tcp://127.0.0.1:1",), "nothing is named to read"),
            (("tcp://127.0.0.1:1", "clock"), "names no attribute"),
            (("127.0.0.1", ENERGY), "no meter address"),
            (("tcp://127.0.0.1:1", ENERGY, "--bogus"), "--bogus"),
            ((), "URL"),
        ],
    )
    def test_wrong_use(self, cli: Cli, arguments: tuple[str, ...], said: str) -> None:
        ended = cli("get", *arguments)
        assert ended.code == 2
        assert said in ended.err
        assert ended.out == ""

    def test_wrong_use_is_told_in_json_too(self, cli: Cli) -> None:
        ended = cli("get", "--json", "--bogus", "x")
        assert ended.code == 2
        assert [line["event"] for line in ended.lines] == ["error"]


@pytest.mark.parametrize("command", ["get", "objects", "firmware status"])
def test_what_was_noticed_on_the_way_in_is_told(cli: Cli, tmp_path: Path, command: str) -> None:
    security = SecuritySettings(authentication=AuthenticationMechanism.HIGH_GMAC)
    with Desk(tmp_path / "meters", settings=MeterSettings(security=security)) as desk:
        text = desk.config.read_text().replace(
            "client = 1\n", 'client = 1\ncounter_object = "0.0.43.1.9.255"\n'
        )
        desk.config.write_text(text)
        names = ("0.0.42.0.0.255",) if command == "get" else ()
        ended = cli(*command.split(), "--meter", str(desk.config), *names, "--json")
    assert ended.code == 0
    assert ended.lines
    assert "the meter's invocation counter 0.0.43.1.9.255 could not be read" in ended.err
