"""Grants, roles, row access policies and parameters of the emulated account: remembered and told again, never enforced."""

from __future__ import annotations

import re

DONE = "select 'Statement executed successfully.' as \"status\""
GRANT = re.compile(
    r"(?P<verb>grant|revoke)\s+(?P<privileges>.+?)\s+on\s+(?P<kind>(?:(?:all|future)\s+)?[a-z ]*?)\s*(?P<name>[\w.$\"]+)"
    r"(?P<within>\s+in\s+\w+\s+[\w.$\"]+)?\s+(?:to|from)\s+(?:role\s+)?(?P<role>[\w\"]+)",
    re.IGNORECASE | re.DOTALL,
)
SHOW = re.compile(r"show\s+grants\s+on\s+(?P<kind>\w+)\s+(?P<name>[\w.$\"]+)", re.IGNORECASE)
ANSWERED = re.compile(
    r"(create|alter|drop) (or replace )?(row access policy|masking policy|role|user|warehouse|resource monitor|tag|"
    r"external access integration|network rule)\b"
    r"|(create|alter) .*(set|unset) (default_)?(pypi|artifact|python)|use (role|warehouse|secondary roles)\b"
    r"|alter (database|schema|account) .*(set|unset)\b|alter (table|view) .* (add|drop) (all )?row access polic"
    r"|select system\$cancel_all_queries",
    re.IGNORECASE,
)


SET = re.compile(r"alter\s+(?:database|schema|account)\b.*?\bset\s+(?P<name>\w+)\s*=\s*(?P<value>[\w.']+)", re.IGNORECASE | re.DOTALL)
PARAMETER = re.compile(r"show\s+parameters\s+like\s+'(?P<name>default_python_artifact_repository)'", re.IGNORECASE)
NO_PACKAGES = "select '' as package_name, '' as version, '' as runtime_version where 1 = 0"  # its channel has none


def bare(name: str) -> str:
    """A name as the account compares it: unquoted parts in upper case."""
    return ".".join(part[1:-1] if part.startswith('"') else part.upper() for part in re.findall(r'"[^"]*"|[^.]+', name))


class Grants:
    """Who was granted what: kept so that SHOW GRANTS tells it again."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self.parameters: dict[str, str] = {}

    def answer(self, plain: str, verb: str) -> str | None:
        """The SQL that answers a statement about access; None for any other statement."""
        if verb.startswith(("grant ", "revoke ")):
            self._change(plain)
            return DONE
        if verb.startswith("show grants"):
            return self._shown(plain)
        if found := PARAMETER.match(plain):
            value = self.parameters.get(found["name"].lower(), "")
            return f"select '{found['name'].upper()}' as \"key\", '{value}' as \"value\""
        if "information_schema.packages" in plain.lower():
            return NO_PACKAGES
        if found := SET.match(plain):
            self.parameters[found["name"].lower()] = found["value"].upper()
        return DONE if ANSWERED.match(verb) else None

    def _change(self, plain: str) -> None:
        found = GRANT.match(plain)
        if found is None:
            return
        key = (found["kind"].strip().upper(), bare(found["name"]))
        privileges = {(one.strip().upper(), bare(found["role"])) for one in found["privileges"].split(",")}
        held = self.held.setdefault(key, set())
        held.update(privileges) if found["verb"].lower() == "grant" else held.difference_update(privileges)

    def _shown(self, plain: str) -> str:
        found = SHOW.match(plain)
        names = ("created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by")
        key = (found["kind"].upper(), bare(found["name"])) if found else ("", "")
        same = {held for (_, name), granted in self.held.items() if name == key[1] for held in granted}
        rows = [("2026-01-01", privilege, key[0], key[1], "ROLE", role, "false", "") for privilege, role in sorted(same)]
        selects = ["select " + ", ".join(f"'{value}' as \"{name}\"" for name, value in zip(names, row, strict=True)) for row in rows]
        empty = "select " + ", ".join(f"'' as \"{name}\"" for name in names) + " where 1 = 0"
        return " union all ".join(selects) or empty
