"""Rules of the publishing house, by var: `house_budget` for e-mail, `house_pins` as `HCP by manager`; and the fingerprint of its inputs."""

from __future__ import annotations

from pathlib import Path

import yaml

# column -> SQL of the cell
BUDGET = {"channel": "'email'", "max_cost": "{{ house_budget }}"}
PIN = {"hcp_id": "'{{ pin.split(' by ')[0] }}'", "channel": "'email'", "action": "'pin'", "created_by": "'{{ pin.split(' by ')[1] }}'"}
SETTINGS = "{%- set house_budget, house_pins = var('house_budget', 100), var('house_pins', []) %}\n"


def _row(columns: dict[str, str], cells: dict[str, str]) -> str:
    return "select " + ", ".join(f'cast({cells.get(name, "null")} as {kind}) as "{name}"' for name, kind in columns.items())


def _contract(root: Path) -> dict[str, dict[str, str]]:
    sources = yaml.safe_load((root / "models" / "base" / "_sources.yml").read_text())["sources"]
    return {table["name"]: {c["name"]: c["data_type"] for c in table["columns"]} for source in sources for table in source["tables"]}


def rule_stubs(root: Path) -> dict[str, str]:
    """Model below models/ -> SQL: the base_ views of the rules and the fingerprint that tells when they changed."""
    stubs = {}
    for name, columns in _contract(root).items():
        empty = f"{_row(columns, {})} where 1 = 0"
        stubs[f"base/base_{name}"] = SETTINGS + empty
    stubs["base/base_rule_budget"] = SETTINGS + _row(_contract(root)["rule_budget"], BUDGET)
    pins = _row(_contract(root)["rule_override"], PIN)
    stubs["base/base_rule_override"] += f"\n{{%- for pin in house_pins %}}\nunion all\n{pins}\n{{%- endfor %}}"
    told = dict.fromkeys(_contract(root), "0:same")
    told["rule_budget"], told["rule_override"] = "1:{{ house_budget }}", "{{ house_pins | length }}:{{ house_pins | join(',') }}"
    hashes = "".join(f"{name}={text};" for name, text in told.items())
    stubs["plan/input_fingerprint"] = f"{SETTINGS}select 'f' as input_fingerprint, '{hashes}' as table_hashes"
    return stubs
