"""One dbt build with the clock of each of its nodes: one dbt thread, so that what a node costs is what passed between its events."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from benchmarks.pipeline.clock import Clock, cpu_seconds, peak_mb
from benchmarks.pipeline.stages import UNASSIGNED, stage_of

Node = dict[str, Any]
MEASURES = ("cpu_seconds", "seconds", "memory_mb")


def timed_build(arguments: list[str]) -> tuple[list[Node], dict[str, float]]:
    """Nodes (kind, name, stage, status, CPU s, wall s, peak MB) and the clock of the whole. RuntimeError with the failed nodes."""
    whole, nodes, running = Clock(), [], {}
    born = cpu_seconds()
    most = 0.0

    def on(event: Any) -> None:
        nonlocal most
        if event.info.name == "NodeStart":
            # A new clock forgets the peak: parsing may have been it.
            most = max(most, peak_mb())
            running[event.data.node_info.unique_id] = Clock()
        elif event.info.name == "NodeFinished" and event.data.node_info.unique_id in running:
            info = event.data.node_info
            found = running.pop(info.unique_id).read()
            most = max(most, found["memory_mb"])
            kind, name = str(info.resource_type), info.unique_id.split(".")[2]
            node = {"kind": kind, "name": name, "stage": _stage(kind, name, Path(info.node_path).parts[0])}
            nodes.append(node | {"status": str(info.node_status)} | found)

    from dbt.cli.main import dbtRunner

    result = dbtRunner(callbacks=[on]).invoke(arguments)
    if not result.success:
        failed = [node["name"] for node in nodes if node["status"] in ("error", "fail")]
        raise RuntimeError(f"dbt {arguments[0]} failed: {', '.join(failed[:5]) or result.exception}")
    found = whole.read()
    # What the process had used before: its own imports.
    found["cpu_seconds"] = round(found["cpu_seconds"] + born, 4)
    return nodes, found | {"memory_mb": round(max(most, found["memory_mb"]))}


def _stage(kind: str, name: str, room: str) -> str:
    """An error in here would be one of the build, so a new room waits for its test to be told."""
    try:
        return stage_of(kind, name, room)
    except KeyError:
        return UNASSIGNED


def by_stage(nodes: list[Node], whole: dict[str, float]) -> dict[str, dict[str, float]]:
    """Sums of CPU and wall seconds and the largest memory by stage; what no node took is start-up."""
    stages: dict[str, dict[str, float]] = {}
    for node in nodes:
        stage = stages.setdefault(node["stage"], {"cpu_seconds": 0.0, "seconds": 0.0, "memory_mb": 0.0, "nodes": 0})
        for measure in ("cpu_seconds", "seconds"):
            stage[measure] += node[measure]
        stage["memory_mb"] = max(stage["memory_mb"], node["memory_mb"])
        stage["nodes"] += 1
    rest = stages.setdefault("start-up", {"cpu_seconds": 0.0, "seconds": 0.0, "memory_mb": 0.0, "nodes": 0})
    for measure in ("cpu_seconds", "seconds"):
        rest[measure] += whole[measure] - sum(node[measure] for node in nodes)
    return {name: {measure: round(value, 3) for measure, value in stage.items()} for name, stage in stages.items()}


def write_nodes(nodes: list[Node], file: Path) -> None:
    """Every node, dearest first."""
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, ("kind", "name", "stage", "status", *MEASURES), lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(nodes, key=lambda node: -node["cpu_seconds"]))


def dearest(nodes: list[Node], most: int = 40) -> list[list[Any]]:
    """[kind, name, stage, CPU s, wall s, MB] of the dearest nodes."""
    ordered = sorted(nodes, key=lambda node: -node["cpu_seconds"])[:most]
    return [[node["kind"], node["name"], node["stage"], *(node[measure] for measure in MEASURES)] for node in ordered]
