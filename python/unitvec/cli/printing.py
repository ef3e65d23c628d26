"""What commands print: facts in two columns, or one JSON document."""

from __future__ import annotations

import json
from typing import Any


def print_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Names and values, one a line, or as JSON."""
    if as_json:
        print_json(facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")


def print_json(value: Any) -> None:
    """One JSON document; what JSON does not know, as text."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))
