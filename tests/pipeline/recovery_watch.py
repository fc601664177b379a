"""What holds around a build that was struck: published as it was or whole, every earlier row of memory there, no half file for readers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from recovery_house import Build, RecoveryHouse


@dataclass
class Watch:
    """Looks at a house before and after each strike and counts. `reference`: what an undisturbed build publishes, exempt columns
    aside; `timetable`: when its nodes started."""

    house: RecoveryHouse
    reference: dict[str, str]
    timetable: list[tuple[float, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> None:
        """Keep what is there now as what the next strike must not change."""
        self.pointer, self.content = self.house.pointer(), self.house.content()
        self.served, self.remembered = self.house.served(), self.house.remembered()

    def check(self) -> bool:
        """After a strike: whether the struck build had published. Fails unless readers see the plan before or the whole new one."""
        pointer, content, served = self.house.pointer(), self.house.content(), self.house.served()
        has_published = pointer != self.pointer
        if has_published:
            assert pointer[0] == self.pointer[0] + 1
            assert self.house.content(exempt=None) == self.reference
        else:
            assert content == self.content
        # the copy for readers may be one plan behind, never between two
        assert served in (self.served, content), "the serving file holds neither the plan before nor the one that is published"
        kept = self.house.remembered()
        lost = {key: (count, kept.get(key, 0)) for key, count in self.remembered.items() if kept.get(key, 0) != count}
        self.counts["rows lost"] += sum(before - after for before, after in lost.values())
        assert lost == {}
        self.counts["had published"] += has_published
        self.counts["survived"] += 1
        self.look()
        return has_published

    def strike(self, build: Build, kind: str) -> None:
        """Count one strike on a build and whether it hit a node at work."""
        self.counts[kind] += 1
        self.counts["inside a node"] += build.is_inside_a_node

    def converge(self) -> None:
        """The next build publishes what an undisturbed one does, and nothing is left lying about or kept twice."""
        build = self.house.build()
        assert self.house.pointer()[0] == self.pointer[0] + 1, build.said
        assert self.house.content(exempt=None) == self.reference
        if self.house.engine == "duckdb":
            assert self.house.served() == self.house.content()
        assert self.house.doubled() == []
        assert self.house.leftovers() == []
        self.counts["next builds that converged"] += 1
        self.look()

    def line(self, what: str) -> str:
        """One line for the closing summary of the tests."""
        self.counts.setdefault("rows lost", 0)
        return f"{what}, {self.house.engine}: " + ", ".join(f"{count} {name}" for name, count in self.counts.items())
