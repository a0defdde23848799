"""Looks for what the contracts say in the tables' own metadata, as any Delta or Parquet reader finds it: units, titles, classification.

Wants `SECTORLAKE_LAKE`, as `run.sh` sets it.
"""

import json
import os
import sys
from pathlib import Path

import deltalake

LAKE = Path(os.environ["SECTORLAKE_LAKE"])
SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
SYSTEM = {"_source", "_run", "_part", "_row"}


def check(folder: Path) -> list[str]:
    """What of its contract a table does not tell."""
    name = f"{folder.parent.name}.{folder.name}"
    contract = json.loads((SCHEMAS / folder.parent.name / f"{folder.name}.json").read_text("utf-8"))
    table = deltalake.DeltaTable(str(folder))
    told = {field.name: field.metadata for field in table.schema().fields}
    wrong = [f"{name}: no column {column}" for column in SYSTEM - set(told)]
    for field in contract["fields"]:
        ours = field.get("sectorlake", {})
        wanted = {f"sectorlake.title.{language}": text for language, text in ours.get("title", {}).items()}
        wanted |= {f"sectorlake.{key}": ours[key] for key in ("unit", "classification") if key in ours}
        metadata = told.get(field["name"])
        if metadata is None:
            wrong.append(f"{name}: no column {field['name']}")
            continue
        wrong += [f"{name}.{field['name']}: {key} is {metadata.get(key)!r}" for key, value in wanted.items() if metadata.get(key) != value]
    about = {**table.metadata().configuration, "description": table.metadata().description or ""}
    title = contract["sectorlake"]["title"]["vi"]
    if title not in about.values() and not any(title in value for value in about.values()):
        wrong.append(f"{name}: its title {title} is not told: {about}")
    if table.partitions() and any("_source" not in partition for partition in table.partitions()):
        wrong.append(f"{name}: a file holds rows of more than one source")
    return wrong


def main() -> int:
    """Check every table of the lake."""
    folders = sorted(log.parent for log in (LAKE / "tables").glob("*/*/_delta_log"))
    wrong = [fault for folder in folders for fault in check(folder)]
    print("\n".join(wrong) or f"{len(folders)} tables: units, titles and classifications stand in their metadata")
    return 1 if wrong or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
