"""Which files of a folder are tables of the contract."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from nba.errors import NbaError
from nba.load.problems import Problem
from nba.project import Contract

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class TableFile:
    """The file that holds one table."""

    table: str
    path: Path

    def __post_init__(self) -> None:
        if self.path.suffix.lower() not in SUFFIXES:
            raise ValueError(f"path {self.path} must end with one of {SUFFIXES}")

    @property
    def is_csv(self) -> bool:
        return self.path.suffix.lower() == ".csv"


@dataclass(frozen=True)
class Listing:
    """The table files in the contract's order, names of the files that are ignored as notes, and what is wrong with the folder."""

    files: tuple[TableFile, ...]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]

    def __post_init__(self) -> None:
        tables = [file.table for file in self.files]
        if len(set(tables)) != len(tables):
            raise ValueError("files must hold each table once")

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(file.table for file in self.files) | frozenset(problem.table for problem in self.problems)


def list_folder(folder: Path, contract: Contract) -> Listing:
    """Look at the top level of `folder`: `<table>.csv` or `<table>.parquet`, in any case; sub-folders and hidden files are passed over.

    Raises NbaError when the folder is missing or holds no table at all, or a link out of it in the place of one.
    """
    if not folder.is_dir():
        raise NbaError(
            f"{folder} is {'a file' if folder.exists() else 'missing'}: give the folder that holds the files <table>.csv or <table>.parquet"
        )
    found: dict[str, list[Path]] = {}
    notes = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_dir():
            continue
        name = path.stem.lower()
        if path.suffix.lower() in SUFFIXES and name in contract.names:
            _refuse_foreign(path, folder)
            found.setdefault(name, []).append(path)
        else:
            notes.append(_ignored(path.name, contract))
    if not found:
        raise NbaError(
            f"{folder} holds no table: looked for <table>.csv and <table>.parquet with one of the names {', '.join(contract.names)}"
        )
    problems = [
        Problem(name, "", None, "", f"is there more than once: {', '.join(path.name for path in paths)}", "keep one of the files")
        for name, paths in found.items()
        if len(paths) > 1
    ]
    files = tuple(TableFile(name, found[name][0]) for name in contract.names if len(found.get(name, ())) == 1)
    return Listing(files, tuple(notes), tuple(problems))


def _refuse_foreign(path: Path, folder: Path) -> None:
    """NbaError for a name that stands for something outside the folder, or for no file: whoever packed the folder could point anywhere."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise NbaError(f"{path.name} is a link that leads out of {folder}: put the file itself there. Nothing was written")
    if not path.is_file():
        what = "a link to nothing" if path.is_symlink() else "no regular file"
        raise NbaError(f"{path.name} in {folder} is {what}: put the file itself there. Nothing was written")


def _ignored(name: str, contract: Contract) -> str:
    close = difflib.get_close_matches(name.split(".")[0].lower(), contract.names, n=1, cutoff=0.8)
    hint = f" (did you mean {close[0]}.csv?)" if close else ""
    return f"{name} is not a table of the contract and was ignored{hint}"
