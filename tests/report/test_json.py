"""The JSON report conforms to its published schema, and loses nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from bridge.report.json import render_json
from bridge.report.schema import report_schema
from tests.report.parts import EVIL
from tests.report.samples import REPORTS, hostile, realistic

SCHEMA: dict[str, Any] = json.loads(report_schema())


def strict(schema: Any) -> Any:
    """The schema, but refusing fields that it does not name, so that every field is described."""
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    made = {k: strict(v) for k, v in schema.items()}
    if "properties" in made and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


VALIDATOR = jsonschema.Draft202012Validator(strict(SCHEMA))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", REPORTS)
def test_reports_keep_to_the_schema(name: str) -> None:
    report = json.loads(render_json(REPORTS[name]()))
    errors = [f"{e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(report)]
    assert not errors


def test_the_schema_rejects_other_data() -> None:
    good = json.loads(render_json(realistic()))
    changes: tuple[Callable[[Any], object], ...] = (
        lambda r: r.update(schema="obligations-report/2"),
        lambda r: r.pop("engine"),
        lambda r: r["obligations"][0].update(verdict="proved"),
        lambda r: r["obligations"][0].pop("key"),
        lambda r: r["obligations"][0].update(statement_hash="f00"),
        lambda r: r["obligations"][0]["worst"].update(margin="large"),
        lambda r: r["obligations"][0].update(surprise=1),
        lambda r: r["summary"].update(proved=1),
    )
    for change in changes:
        bad = copy.deepcopy(good)
        change(bad)
        assert not VALIDATOR.is_valid(bad)


def test_a_reader_may_meet_new_fields() -> None:
    report = json.loads(render_json(realistic()))
    report["obligations"][0]["surprise"] = 1
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(report)


def test_hostile_text_is_spelled_out_and_comes_back() -> None:
    text = render_json(hostile())
    text.encode("utf-8")
    for invisible in "\x1b\x7f\x85\u202e\u2066\ufeff\u200b\ud800":
        assert invisible not in text
    assert json.loads(text)["obligations"][0]["statement"] == EVIL


def test_the_same_audit_gives_the_same_text() -> None:
    assert render_json(realistic()) == render_json(realistic())
