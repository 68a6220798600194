"""Tables generated from the code: settings, families of instances, planted errors, findings, and
the report's schema."""

from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bridge.checking import registered
from bridge.checking.mutation import errors_of, refuting_families, together
from bridge.policy.settings import Settings
from bridge.report.findings import RULES
from bridge.report.schema import report_schema as schema_text
from numeric.instances.families import FAMILIES, Region
from numeric.mutants.kinds import INSTANCE, KINDS, kind_of
from numeric.mutants.planted import PLANTED

__all__ = [
    "families",
    "findings",
    "hidden_errors",
    "planted_errors",
    "report_schema",
    "settings",
]

BLOCK = "encoderBlockGraph"

REGIONS = {
    Region.DOMAIN: "intended use",
    Region.EDGE: "edge",
    Region.REFUTING: "must be rejected",
}


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def settings() -> str:
    """Every setting and what it does, from the docstring of `Settings`."""
    text = inspect.getdoc(Settings) or ""
    listed = text.partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*?)(?=^    \w+:|\Z)", listed, flags=re.M | re.S)
    names = {name for name, _ in found}
    missing = [name for name in Settings.__struct_fields__ if name not in names]
    if missing:
        raise ValueError(f"the docstring of Settings says nothing of {missing}")
    rows = ((f"`{name}`", " ".join(said.replace("``", "`").split())) for name, said in found)
    return _table(("setting", "what it is"), rows)


def families() -> str:
    """Every family of instances, and its region."""
    rows = ((f.name, f.description, REGIONS[f.region]) for f in FAMILIES.values())
    return _table(("family", "what is special", "where"), rows)


def planted_errors() -> str:
    """How many errors of each kind `obligations mutate` plants, and one of each."""
    of_block: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    such: dict[str, str] = {}
    groups = together(registered().values())
    for graph, within in sorted(groups, key=lambda key: key[0] != BLOCK):
        checks = groups[graph, within]
        errors = errors_of(graph, within, checks)
        found = Counter(kind_of(e) for e in errors.values())
        found[INSTANCE] += len(refuting_families(checks))
        everywhere += found
        of_block += found if graph == BLOCK else Counter()
        for name, error in errors.items():
            such.setdefault(kind_of(error), name)
    rows = [
        (kind, f"{of_block[kind]}", f"{everywhere[kind]}", such[kind])
        for kind in KINDS
        if everywhere[kind]
    ]
    rows.append(("all", f"{of_block.total()}", f"{everywhere.total()}", ""))
    return _table(("kind", "in the encoder block", "in all graphs", "such as"), iter(rows))


def hidden_errors() -> str:
    """Where planted errors cannot be seen, and why."""
    counts = Counter(
        (family, reason)
        for planted in PLANTED.values()
        for one in planted
        for family, reason in one.hidden.items()
    )
    rows = ((family, f"{n}", reason) for (family, reason), n in counts.items())
    return _table(("family", "errors", "why the output does not show them"), rows)


def findings() -> str:
    """Every rule of findings, worst first."""
    rows = ((f"`{r.id}`", r.level.value, r.summary, r.remedy) for r in RULES)
    return _table(("rule", "level", "what it says", "what to do"), rows)


def report_schema() -> str:
    """The published schema of the JSON report, as tables."""
    schema = json.loads(schema_text())
    parts = ["## The report", _properties(schema)]
    for title, definition in schema["$defs"].items():
        if "properties" in definition:
            parts += [f"## {title}", definition.get("description", ""), _properties(definition)]
    return "\n\n".join(parts)


def _properties(schema: dict[str, Any]) -> str:
    return _table(("field", "type", "meaning"), _rows(schema, ""))


def _rows(schema: dict[str, Any], before: str) -> Iterator[tuple[str, ...]]:
    for name, value in schema.get("properties", {}).items():
        path = f"{before}{name}"
        field = path.replace(".", ".<wbr>").replace("_", "_<wbr>")  # where a narrow page may break
        yield f"<code>{field}</code>", _type(value), value.get("description", "")
        for inner in (value, value.get("items", {}), *value.get("oneOf", ())):
            if "properties" in inner:
                many = "[]" if value.get("type") == "array" else ""
                yield from _rows(inner, f"{path}{many}.")


def _type(value: dict[str, Any]) -> str:
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{x}`" for x in value["enum"])
    if "$ref" in value:
        return value["$ref"].rpartition("/")[2]
    if "oneOf" in value:
        return " or ".join(dict.fromkeys(_type(one) for one in value["oneOf"]))
    kind = value.get("type", "anything")
    if kind == "array":
        return f"list of {_type(value.get('items', {}))}"
    return " or ".join(kind) if isinstance(kind, list) else kind
