"""What the type checkers must accept and refuse.

The other files of this folder are read by mypy and basedpyright and never run. Where a line must be refused, it bears an
ignore for the very rule that refuses it; both checkers complain of an ignore that is not needed. So they pass exactly
when every marked line is refused, for the reason marked, and no other line is.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SNIPPETS = sorted(path for path in Path(__file__).parent.glob("*.py") if path.name != Path(__file__).name)
BIN = Path(sys.executable).parent

Checker = Callable[[list[Path]], subprocess.CompletedProcess[str]]


@pytest.fixture(params=["mypy", "basedpyright"])
def checker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """Runs one of the two on some files, with the project's own settings."""
    commands: dict[str, list[str | Path]] = {
        "mypy": [
            BIN / "mypy",
            f"--config-file={ROOT / 'pyproject.toml'}",
            # One of its own for all tests here: `make check` may run at the same time.
            f"--cache-dir={tmp_path_factory.getbasetemp() / 'mypy'}",
        ],
        "basedpyright": [BIN / "basedpyright", "--level=error"],
    }
    command = commands[str(request.param)]

    def run(files: list[Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *files], cwd=ROOT, capture_output=True, text=True, check=False, timeout=110
        )

    return run


def test_every_marked_line_is_refused_and_no_other(checker: Checker) -> None:
    result = checker(SNIPPETS)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("assert_type(5, str)", "mismatch|Expression is of type"),
        (
            "x: int = 5  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # nothing wrong",
            "[Uu]n(used|necessary)",
        ),
        ("x: int = ''", "Incompatible|not assignable"),
    ],
    ids=["wrong-type", "needless-mark", "unmarked-error"],
)
def test_the_checkers_do_check(checker: Checker, tmp_path: Path, line: str, says: str) -> None:
    """Each of the three ways in which the test above may fail, tried."""
    path = tmp_path / "control.py"
    path.write_text(f'"""Control."""\n\nfrom typing import assert_type\n\n{line}\n', "utf-8")
    result = checker([path])
    assert result.returncode == 1, result.stdout + result.stderr
    assert re.search(says, result.stdout)


def test_enough_is_asked() -> None:
    text = "\n".join(path.read_text("utf-8") for path in SNIPPETS)
    asked = re.findall(r"\bassert_type\(", text)
    mark = "ignore" + r"\[[\w, -]+\]"
    refused = re.findall(rf"# type: {mark}  # pyright: {mark}  # \w+", text)
    assert len(SNIPPETS) == 3
    assert len(asked) >= 50
    assert len(refused) >= 35
