"""Loads every shared contract with frictionless-py, reads its examples by it, and fails on any that it refuses.

Usage: python frictionless_check.py [SCHEMAS_DIR]
"""

import json
import sys
from pathlib import Path

from frictionless import FrictionlessException, Schema

DEFAULT = Path(__file__).resolve().parents[2] / "schemas"


def faults(path: Path) -> list[str]:
    """What frictionless says against one descriptor; empty if it accepts it."""
    try:
        schema = Schema.from_descriptor(str(path))
    except FrictionlessException as error:
        return [reason.message for reason in error.reasons] or [error.error.message]
    found = [error.message for error in Schema.metadata_validate(schema.to_descriptor())]
    named = set(schema.field_names)
    for name in schema.primary_key:
        if name not in named:
            found.append(f"primaryKey names {name}, which is no field")
    for field in schema.fields:
        for example in examples(path, field.name):
            _, notes = field.read_cell(example)
            found += [f"{field.name}: example {example!r}: {note}" for note in (notes or {}).values()]
    return found


def examples(path: Path, name: str) -> list[object]:
    """The examples of a field, but the empty text: frictionless takes it as missing whatever the field says."""
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    field = next(field for field in descriptor["fields"] if field["name"] == name)
    return [example for example in field.get("examples", []) if example != ""]


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    paths = sorted(root.glob("**/*.json"))
    if not paths:
        print(f"no contracts under {root}", file=sys.stderr)
        return 1
    refused = 0
    for path in paths:
        for message in faults(path):
            refused += 1
            print(f"{path.relative_to(root)}: {message}", file=sys.stderr)
    print(f"frictionless: {len(paths)} contracts, {refused} faults")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
