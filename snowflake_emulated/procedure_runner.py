"""Runs one stored procedure as the account would: a fresh Python, the declared packages and imports only, a Snowpark session of its own.

Started by procedures.py as `python -I`; reads the task as JSON from standard input, prints `{"returned": text}` as its last line.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from importlib.abc import MetaPathFinder
from typing import Any

RUNTIMES = ("3.10", "3.11", "3.12", "3.13")
OF_THE_RUNTIME = ("snowflake-snowpark-python", "snowflake-connector-python", "cloudpickle", "setuptools")  # beside every procedure


class Undeclared(MetaPathFinder):
    """Refuses modules of installed distributions that the procedure did not declare, as a sandbox without them would."""

    def __init__(self, packages: list[str]) -> None:
        allowed = closure([name for name, _ in map(name_and_version, packages)] + list(OF_THE_RUNTIME))
        owners = importlib.metadata.packages_distributions()
        self.owner = {module: names for module, names in owners.items() if not {canonical(name) for name in names} & allowed}

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if path is None and fullname in self.owner:
            raise ModuleNotFoundError(f"No module named '{fullname}' (its package is not in PACKAGES of this procedure)", name=fullname)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_and_version(requirement: str) -> tuple[str, str]:
    """`numpy==2.4.6` as its two parts; the version is empty where none is pinned."""
    name, _, version = requirement.partition("==")
    return name.split("[")[0].strip(), version.strip()


def closure(names: list[str]) -> set[str]:
    """These distributions and all that they need, as canonical names. ModuleNotFoundError-like errors are left to the import."""
    found: set[str] = set()
    todo = [canonical(name) for name in names]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        todo += [canonical(re.match(r"[\w.-]+", need).group(0)) for need in needs if "extra ==" not in need]
    return found


def check_packages(packages: list[str]) -> None:
    """ValueError naming what does not resolve: a package that is not there, or there in another version."""
    for requirement in packages:
        name, version = name_and_version(requirement)
        try:
            there = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise ValueError(f"Cannot create a Python function with the specified packages: Packages not found: {requirement}") from None
        if version and version != there:
            raise ValueError(f"Cannot create a Python function with the specified packages: {name} is there as {there}, not {version}")


def main() -> None:
    task = json.load(sys.stdin)
    if task["runtime"] not in RUNTIMES:
        raise ValueError(f"Unsupported RUNTIME_VERSION {task['runtime']}")
    check_packages(task["packages"])
    sys.meta_path.insert(0, Undeclared(task["packages"]))
    sys.path[:0] = task["imports"]
    from snowflake.snowpark import Session

    place = task["connection"]
    session = Session.builder.configs(
        {"account": "emulated", "user": "EMULATED", "password": "emulated", "host": "127.0.0.1", "port": place["port"], "protocol": "http"}
        | {"database": place["database"], "schema": place["schema"], "platform_detection_timeout_seconds": 0.0}
        | {"session_parameters": {"QUERY_TAG": place["query_tag"], "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}}
    ).create()
    names: dict[str, Any] = {"__name__": "procedure"}
    exec(compile(task["code"], "<procedure>", "exec"), names)
    returned = names[task["handler"]](session)
    print("\n" + json.dumps({"returned": str(returned)}))


if __name__ == "__main__":
    main()
