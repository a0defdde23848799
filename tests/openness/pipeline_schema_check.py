"""Holds every pipeline file against the JSON Schema that `sectorlake pipeline schema` prints for editors, and one with mistakes too.

Wants `SECTORLAKE_BIN`, as `run.sh` sets it.
"""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from jsonschema.validators import validator_for

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / "pipelines", ROOT / "tests" / "corpus" / "pipelines"]
# Settings of the whole project, not a pipeline.
SETTINGS = "sectorlake.yaml"


def schema() -> dict:
    """What the binary prints."""
    printed = subprocess.run([os.environ["SECTORLAKE_BIN"], "pipeline", "schema"], capture_output=True, text=True, check=True)
    return json.loads(printed.stdout)


def faults(validator, document: object) -> list[str]:
    """What the schema says against a document."""
    return [f"{'/'.join(map(str, error.absolute_path)) or '(top)'}: {error.message}" for error in validator.iter_errors(document)]


def mistaken(document: dict) -> list[tuple[str, dict]]:
    """The same file with mistakes that an editor must underline."""
    unknown = copy.deepcopy(document)
    unknown["tabels"] = {}
    nameless = copy.deepcopy(document)
    del nameless["source"]
    mistaken_source = copy.deepcopy(document)
    mistaken_source["source"]["connector"] = "no-such-connector"
    return [("an unknown key", unknown), ("no source", nameless), ("an unknown connector", mistaken_source)]


# What stands under `format:`, and whether it is right.
FORMATS = [
    ("csv", True),
    ({"name": "csv", "delimiter": ";", "encoding": "tcvn3", "header_rows": [3, 4]}, True),
    ({"name": "xlsx", "sheet": {"pattern": "^20"}, "units_row": 6, "formula_errors": "empty"}, True),
    ({"name": "html", "table": 2}, True),
    ({"name": "xml", "record_path": "response/body/items/item"}, True),
    ({"name": "fixed", "columns": [{"name": "id", "start": 1, "width": 11}]}, True),
    ("cvs", False),
    ({"delimiter": ";"}, False),
    ({"name": "csv", "delimeter": ";"}, False),
    ({"name": "csv", "delimiter": ";;"}, False),
    ({"name": "xlsx", "delimiter": ";"}, False),
    ({"name": "xlsx", "formula_errors": "ignore"}, False),
    ({"name": "fixed", "columns": [{"name": "id", "start": 1}]}, False),
]


def mistaken_formats(validator) -> list[str]:
    """A format's options are checked wherever a connector takes a format."""
    wrong = []
    for source in ({"connector": "file", "path": "a"}, {"connector": "http", "url": "https://data.city.example/a"}):
        for form, right in FORMATS:
            document = {"title": "A", "owner": "a", "licence": "CC0-1.0", "source": {**source, "format": form}, "tables": {"a.b": {"map": "SELECT 1", "load": "replace"}}}
            found = faults(validator, document)
            if bool(found) == right:
                wrong.append(f"format {form} of {source['connector']} is {'refused: ' + found[0] if found else 'accepted'}")
    return wrong


def undescribed(found: dict) -> list[str]:
    """Every option of every format says what it is for."""
    options = ((form["properties"]["name"]["const"], form["properties"]) for form in found["$defs"]["FormatOptions"]["oneOf"])
    return [f"{name}: {key} has no description" for name, keys in options for key, option in keys.items() if key != "name" and not option.get("description")]


def main() -> int:
    """Check all files."""
    found = schema()
    kind = validator_for(found)
    kind.check_schema(found)
    validator = kind(found)
    paths = [path for folder in FOLDERS for path in sorted(folder.glob("**/*.yaml")) if path.name != SETTINGS]
    wrong = []
    for path in paths:
        document = yaml.safe_load(path.read_text("utf-8"))
        wrong += [f"{path.relative_to(ROOT)}: {fault}" for fault in faults(validator, document)]
    document = yaml.safe_load(paths[0].read_text("utf-8"))
    wrong += [f"the schema accepts {what}" for what, mistake in mistaken(document) if not faults(validator, mistake)]
    wrong += mistaken_formats(validator) + undescribed(found)
    print("\n".join(wrong) or f"{len(paths)} pipelines: the JSON Schema accepts every one, and no mistake")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
