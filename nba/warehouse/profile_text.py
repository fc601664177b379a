"""Jinja in profiles.yml as dbt renders it: a text that is one expression keeps the expression's type. Imported where it is needed only."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
from jinja2.nativetypes import NativeEnvironment, NativeTemplate
from jinja2.sandbox import SandboxedEnvironment

from nba.errors import NbaError


def _joined(parts: Iterable[Any]) -> Any:
    """One part as it is, several as one text."""
    found = list(parts)
    # a name that is not known fails only when it is written
    return found[0] if len(found) == 1 and not isinstance(found[0], jinja2.Undefined) else "".join(str(part) for part in found)


def _as_number(value: Any) -> int | float:
    text = str(value).strip()
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _as_bool(value: Any) -> bool:
    words = {"true": True, "false": False}
    text = str(value).strip().lower()
    if text not in words:
        raise ValueError(f"{value!r} is not true or false")
    return words[text]


class _Sandbox(SandboxedEnvironment, NativeEnvironment):
    concat = staticmethod(_joined)  # type: ignore[assignment]


class _Text(NativeTemplate):
    environment_class = _Sandbox


_Sandbox.template_class = _Text


def rendered(text: str, where: Path) -> Any:
    """`text` with its env_var(...) filled in, in a sandbox that knows nothing else; NbaError names the file and what is missing."""

    def env_var(name: str, default: Any = None) -> Any:
        found = os.environ.get(name, default)
        if found is None:
            raise NbaError(f"{where} needs the environment variable {name}, which is not set")
        return found

    sandbox = _Sandbox(undefined=jinja2.StrictUndefined)
    sandbox.filters.update(as_text=str, as_number=_as_number, as_bool=_as_bool, as_native=lambda value: ast.literal_eval(str(value)))
    try:
        return sandbox.from_string(text).render(env_var=env_var)
    except (jinja2.TemplateError, ValueError, SyntaxError) as error:
        raise NbaError(f"cannot read {text!r} in {where}: {error}") from error
