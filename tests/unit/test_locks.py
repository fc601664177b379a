"""What is installed is what the locks say: every package pinned, with hashes, from wherever the machine's own settings point."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
ENTRY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?==(?P<version>[0-9][A-Za-z0-9.!+_-]*)(?: ; (?P<marker>.+))?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """package -> (version, hashes). AssertionError for a line that is neither a pin nor one of its hashes."""
    found: dict[str, tuple[str, list[str]]] = {}
    hashes: list[str] = []
    for number, line in enumerate(lock.read_text("utf-8").splitlines(), 1):
        text = line.strip().removesuffix("\\").strip()
        if not text or text.startswith("#"):
            continue
        if line.startswith(" "):
            assert HASH.fullmatch(text), f"{lock.name}, line {number} is no sha256 hash: {text[:60]}"
            hashes.append(text)
        else:
            entry = ENTRY.fullmatch(text)
            assert entry, f"{lock.name}, line {number} pins no version of a package: {text[:60]}"
            assert entry["name"].lower() not in found, f"{lock.name} names {entry['name']} twice"
            hashes = []
            found[entry["name"].lower()] = (entry["version"], hashes)
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_entry_is_pinned_and_hashed(lock: Path) -> None:
    found = entries(lock)
    assert len(found) >= 5
    assert [name for name, (_, hashes) in found.items() if not hashes] == []


@pytest.mark.parametrize("file", [*LOCKS, *sorted((ROOT / "requirements").glob("*.in"))], ids=lambda path: path.name)
def test_no_file_says_where_packages_come_from(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|^-[ief] |@ (git|file)\b", text, re.MULTILINE)


def test_the_locks_that_are_installed_together_agree() -> None:
    core, test = entries(ROOT / "requirements" / "core.lock"), entries(ROOT / "requirements" / "test.lock")
    assert {name: (version, test[name][0]) for name, (version, _) in core.items() if name in test and test[name][0] != version} == {}
    assert set(core) <= set(test)


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.match(r"[A-Za-z0-9._-]+", text).group().lower() for text in project["dependencies"]}  # type: ignore[union-attr]
    assert wanted <= set(entries(ROOT / "requirements" / "core.lock"))


def test_what_is_installed_says_under_which_licence() -> None:
    """Read from the installed packages of the core lock: all may be used in a company's own house, and none is silent."""
    silent, copyleft = [], []
    for name in entries(ROOT / "requirements" / "core.lock"):
        try:
            about = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        # some give the whole text, which speaks of other licences as well: its beginning names its own
        words = [about.get("License-Expression") or "", (about.get("License") or "")[:100]]
        words += [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
        told = " ".join(words).strip()
        files = [path for path in importlib.metadata.files(name) or [] if re.search(r"(?i)licen[cs]e|copying", path.name)]
        if not told and not files:
            silent.append(name)
        if re.search(r"(?i)\bAGPL|Affero", told):
            copyleft.append(name)
    assert silent == []
    assert copyleft == []


def test_the_search_for_wrong_entries_can_fail(tmp_path: Path) -> None:
    for text in ("numpy>=2\n", "numpy==2.0 \\\n    --hash=md5:abc\n", "-e .\n", "numpy==2.0\nnumpy==2.1\n", "https://x/y.whl\n"):
        (tmp_path / "x.lock").write_text(text)
        with pytest.raises(AssertionError):
            entries(tmp_path / "x.lock")
