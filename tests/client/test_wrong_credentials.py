"""Whatever keeps a client out is told in words of its own, costs one login, and leaves meter and counters as they should be.

The rows stand in `troubles`, what is told of them in docs/troubles.md. In virtual time by the asyncio client over both links;
by the blocking client over TCP.
"""

import asyncio
import re
from itertools import groupby
from pathlib import Path

import pytest
from tests.client.faulty_meters import Bench, Faulty, Instead, Served
from tests.client.given import SECRET, WRONG_KEY, Given, Link
from tests.client.misdeeds import instead_of
from tests.client.told import PAGE, Told, play, read_page
from tests.client.trouble import Trouble
from tests.client.troubles import TROUBLES

from meterwright.cli.exit_codes import exit_code
from meterwright.client import BlockingClient, Client, FileCounterStore, MeterAddress
from meterwright.client.carriers import Hdlc
from meterwright.errors import ConnectFailed, MeterwrightError
from meterwright.testing import run_in_virtual_time
from meterwright.transport import AsyncTransport

ROWS = [
    pytest.param(row, link, id=f"{row.symptom}, {link.value}")
    for row in TROUBLES.values()
    for link in row.links
]
FIRST_LINKS = [pytest.param(row, row.links[0], id=row.symptom) for row in TROUBLES.values()]


@pytest.fixture(scope="module")
def page() -> dict[str, Told]:
    """What docs/troubles.md shows."""
    return read_page()


def test_the_page_has_these_rows() -> None:
    shown = list(read_page())
    rows = [row for row in TROUBLES.values() if row.error is not None]
    rows += [row for row in TROUBLES.values() if row.error is None]
    assert shown == [row.symptom for row in rows]
    for row in rows:
        line = next(
            line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| {row.symptom} |")
        )
        assert (f" [{row.code}] |" in line) is (row.error is not None)


@pytest.mark.parametrize(("row", "link"), ROWS)
def test_it_is_told_as_the_page_shows_it(
    row: Trouble, link: Link, page: dict[str, Told], tmp_path: Path
) -> None:
    played = play(row, link, tmp_path)
    if row.error is None:
        assert played.error is None
    else:
        assert isinstance(played.error, row.error)
        assert exit_code(played.error) == row.code
    assert played.told == page[row.symptom]
    assert tuple(each.code for each in played.findings) == row.findings


@pytest.mark.parametrize(("row", "link"), FIRST_LINKS)
def test_the_blocking_twin_is_told_the_same(
    row: Trouble, link: Link, page: dict[str, Told], tmp_path: Path
) -> None:
    store = FileCounterStore(tmp_path)
    given = row.given
    hdlc = Hdlc(lower=given.lower, address_size=given.address_size, response_timeout=0.3)
    error: MeterwrightError | None = None
    with Served(row.meter, link) as served:
        before = row.prepare(store, given.peer(link, served.port))
        settings = given.settings(link, store, row.timeouts, hdlc if link is Link.HDLC else None)
        client = BlockingClient(MeterAddress.parse(given.url(link, served.port)), settings)
        try:
            client.connect()
        except MeterwrightError as caught:
            error = caught
        client.close()
        served.await_release()
        row.check(served.bench, before, FileCounterStore(tmp_path).record(given.owner))
    told = Told.of_findings(client.findings) if error is None else Told.of_error(error)
    assert told == page[row.symptom]


class TestWords:
    """What is told is of use to whoever stands before the meter."""

    @pytest.mark.parametrize(
        "row", [row for row in TROUBLES.values() if row.error], ids=lambda row: row.symptom
    )
    def test_the_next_step_names_every_cause(self, row: Trouble, page: dict[str, Told]) -> None:
        told = page[row.symptom]
        assert told.hint
        assert [cause for cause in row.causes if cause not in f"{told.says} {told.hint}"] == []

    def test_rows_have_the_same_words_where_they_cannot_be_told_apart_and_nowhere_else(
        self, page: dict[str, Told]
    ) -> None:
        def words(row: Trouble) -> str:
            told = f"{page[row.symptom].says} | {page[row.symptom].hint}"
            told = re.sub(r"(client address|logical device) \(?\d+\)?", r"\1", told)
            told = told.replace(row.given.title.hex().upper(), "")
            return re.sub(r"at address \S+ \(\d octets?\)", "", told)

        def alike(row: Trouble) -> str:
            return row.alike or row.symptom

        rows = [row for row in TROUBLES.values() if row.error is not None]
        by_words = [
            {row.symptom for row in group} for _, group in groupby(sorted(rows, key=words), key=words)
        ]
        by_name = [{row.symptom for row in group} for _, group in groupby(sorted(rows, key=alike), key=alike)]
        assert sorted(map(sorted, by_words)) == sorted(map(sorted, by_name))

    @pytest.mark.parametrize(
        "row", [row for row in TROUBLES.values() if row.alike], ids=lambda row: row.symptom
    )
    def test_what_cannot_be_told_apart_has_several_causes(self, row: Trouble) -> None:
        assert len(row.causes) > 1

    def test_no_secret_is_told(self, page: dict[str, Told]) -> None:
        text = PAGE.read_text("utf-8")
        for given in (row.given for row in TROUBLES.values()):
            for secret in (given.secret or SECRET, given.ek, given.ak):
                assert secret.hex() not in text.lower()
                assert secret.decode("latin-1") not in text
        assert page


class TestLogins:
    """A login is dear: it is tried once, and again only where somebody says so."""

    def test_nothing_is_tried_again_by_itself(self, tmp_path: Path) -> None:
        wrong = Given(secret=b"s3same-shut-8")

        async def scenario() -> None:
            bench = Bench(Faulty(), Link.WRAPPER)
            await bench.start()
            client = Client(bench.dial, wrong.settings(Link.WRAPPER, FileCounterStore(tmp_path)))
            for times in (1, 2):
                with pytest.raises(MeterwrightError):
                    await client.connect()
                await asyncio.sleep(24 * 3600)
                assert bench.logins(wrong.client) == times
                assert len(bench.watch.refused) == times
            await bench.stop()

        run_in_virtual_time(scenario())

    def test_a_meter_that_closes_and_does_not_come_back_is_told_as_what_it_did_first(
        self, tmp_path: Path
    ) -> None:
        given = Given(ek=WRONG_KEY)
        faulty = Faulty(answers=instead_of(b"\xd8", Instead.CLOSE))

        async def scenario() -> tuple[MeterwrightError, list[str]]:
            bench = Bench(faulty, Link.WRAPPER)
            await bench.start()
            store = FileCounterStore(tmp_path)
            store.reserve(given.owner, 1)
            dials = 0

            async def dial() -> AsyncTransport:
                nonlocal dials
                dials += 1
                if dials > 1:
                    raise ConnectFailed("nobody answers", layer="test")
                return await bench.dial()

            client = Client(dial, given.settings(Link.WRAPPER, store))
            with pytest.raises(MeterwrightError) as caught:
                await client.connect()
            await bench.stop()
            return caught.value, [each.code for each in client.findings]

        error, findings = run_in_virtual_time(scenario())
        assert error.what == "the meter closed the connection"
        assert findings == ["counter-not-told"]
