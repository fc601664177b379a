"""The page docs/published.md from the project's own properties. Run this file to write it anew; a test says when it is out of date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "published.md"
INTRO = """# Published tables

Made from the properties of the models by `python tests/unit/published_page.py`; a test fails when it is out of date. The same texts lie
in the database as comments on tables and columns. HCP-level tables carry the territory and the rep of the HCP. Everything shows one run.

## How the tables hang together

Every line is held by a test on the tables that `published` is a view of, so no key leads nowhere. A circle at the upper table
means that the key may be null. `plan_history`, `model_performance` and `model_register` tell of other runs as well.
"""


@dataclass(frozen=True)
class Relation:
    """`child.key` names a row of `parent`; `may_be_null` where it may name none."""

    parent: str
    child: str
    key: str
    may_be_null: bool


def properties(folder: str) -> list[dict]:
    return [yaml.safe_load(path.read_text("utf-8"))["models"][0] for path in sorted((ROOT / "models" / folder).glob("*.yml"))]


def doc_blocks() -> dict[str, str]:
    """Name -> text of every doc block of the models."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "models").glob("*.md")))
    found = re.findall(r"{% docs (\w+) %}(.*?){% enddocs %}", text, flags=re.DOTALL)
    return {name: " ".join(body.split()) for name, body in found}


def meaning(text: str, blocks: dict[str, str]) -> str:
    return re.sub(r"{{ doc\('(\w+)'\) }}", lambda found: blocks[found[1]], text)


def published_of_marts() -> dict[str, str]:
    """Mart -> the published table that shows it, by way of its copy in memory."""
    shown = {}
    for path in sorted((ROOT / "models" / "memory").glob("memory__*.sql")):
        if found := re.search(r"ref\('((?:fct|dim)_\w+)'\)", path.read_text("utf-8")):
            shown[found[1]] = path.stem.removeprefix("memory__")
    return shown


def relations() -> list[Relation]:
    """What the tests of the marts hold."""
    shown, found = published_of_marts(), []
    for mart in properties("marts"):
        for column in mart["columns"]:
            for test in column.get("data_tests", []):
                if isinstance(test, dict) and "relationships" in test:
                    given = test["relationships"]["arguments"]
                    parent = re.search(r"ref\('(\w+)'\)", given["to"])[1]
                    has_value = {"type": "not_null"} in column.get("constraints", []) or "not_null" in column["data_tests"]
                    found.append(Relation(shown[parent], shown[mart["name"]], column["name"], not has_value))
            # a view that a test of its own in SQL holds, where it is kept
            meta = column.get("config", {}).get("meta", {})
            if "row_of" in meta:
                assert (ROOT / "tests" / "data" / f"{meta['held_by']}.sql").is_file(), meta
                found.append(Relation(shown[meta["row_of"]], shown[mart["name"]], column["name"], False))
    return sorted(found, key=lambda relation: (relation.parent, relation.child, relation.key))


def picture() -> str:
    lines = ["```mermaid", "erDiagram"]
    for relation in relations():
        lines.append(f"    {relation.parent} {'|o' if relation.may_be_null else '||'}--o{{ {relation.child} : {relation.key}")
    return "\n".join([*lines, "```"])


def page() -> str:
    blocks, parts = doc_blocks(), [INTRO, picture(), ""]
    for model in properties("published"):
        parts += [
            f"## {model['config']['alias']}",
            "",
            meaning(model["description"], blocks),
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        for column in model["columns"]:
            text = meaning(column["description"], blocks).replace("|", "\\|")
            parts.append(f"| `{column['name']}` | {column['data_type']} | {text} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
