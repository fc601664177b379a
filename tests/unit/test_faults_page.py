"""The page of faults: every line says what one sees and does, and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
HEAD = ["what goes wrong", "what you see", "what you do", "test"]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def faults(text: str) -> list[list[str]]:
    """The cells of every line of every table, heads left out."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [cells for cells in rows if cells != HEAD and not all(set(cell) <= set("-:") for cell in cells)]


def problems_of(cells: list[str]) -> list[str]:
    """What is wrong with one line."""
    if len(cells) != len(HEAD) or not all(cells):
        return [f"{cells}: a line has four cells, none of them empty"]
    found = NAMED.findall(cells[-1])
    lines = [] if found else [f"{cells[0]}: no test is named as `tests/file.py::test_name`"]
    for file, test in found:
        path = ROOT / file
        if not path.is_file():
            lines.append(f"{cells[0]}: there is no {file}")
        elif not re.search(rf"^ *def {test}\(", path.read_text(), re.M):
            lines.append(f"{cells[0]}: {file} has no {test}")
        elif (_runs_long(path.read_text(), test)) != bool(re.search(rf"\(long\) `{re.escape(file)}::{test}`", cells[-1])):
            lines.append(f"{cells[0]}: (long) stands before the tests that run in make test-long only, and before no other: {test}")
    return lines


def _runs_long(text: str, test: str) -> bool:
    """Whether the whole file, or this test and not only some of its cases, is marked long."""
    is_file_long = re.search(r"^pytestmark = pytest\.mark\.long", text, re.M)
    return bool(is_file_long or re.search(rf"@pytest\.mark\.long\n(?:@.*\n)*def {test}\(", text))


def test_every_line_names_tests_that_exist():
    lines = faults(PAGE.read_text())
    assert len(lines) > 40
    assert [problem for cells in lines for problem in problems_of(cells)] == []


def test_no_fault_is_told_twice():
    told = [cells[0] for cells in faults(PAGE.read_text())]
    assert sorted(set(told)) == sorted(told)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("| a | b | c | `tests/unit/test_faults_page.py::test_nothing_of_this_name` |", "has no test_nothing_of_this_name"),
        ("| a | b | c | `tests/unit/test_no_such_file.py::test_x` |", "there is no tests/unit/test_no_such_file.py"),
        ("| a | b | c | by hand |", "no test is named"),
        ("| a | | c | `tests/unit/test_faults_page.py::test_no_fault_is_told_twice` |", "four cells, none of them empty"),
        ("| a | b | c | (long) `tests/unit/test_faults_page.py::test_no_fault_is_told_twice` |", "(long) stands before"),
    ],
)
def test_a_line_without_its_test_is_noticed(line: str, problem: str):
    (cells,) = faults(line)
    (said,) = problems_of(cells)
    assert problem in said
