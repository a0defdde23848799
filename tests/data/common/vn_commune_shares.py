"""Declares how much of each commune of before July 2025 went into each of its successors, where the official table does not say.

`python tests/data/common/vn_commune_shares.py` writes `vn_commune_shares_2025-07.csv` beside itself from two files: the official conversion
table, and `vn_communes_merged_before_2025-07.csv` (communes that the office's list still had, though a resolution had merged or recoded them).
- A commune that was cut into several, without a word on its people: even shares (`count`).
- A commune all of whose people went to one place, and only land to others: no share of the people for those (`population`).
- A commune that the conversion table lacks: the shares of the unit that it had become.
"""

import csv
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
# Two codes of the conversion table are misprints: they belong to another commune of the same district, in the table as well.
MISPRINTS = {("01615", "Xã Mỹ Hưng"): "01651", ("02485", "Xã Phú Thịnh"): "02482"}
# This one is another code than that of every later list.
NEW_CODES = {"06970": "06978"}


def conversion():
    """Old code, old name, new code, new name, note."""
    with HERE.joinpath("vn_ward_conversion_2025_old_new.csv").open(encoding="utf-8", newline="") as file:
        for record in csv.reader(file):
            _, new_name, new_code, old_name, old_code, note, *_ = (cell.strip() for cell in record)
            if new_code.isdigit() and old_code:
                yield MISPRINTS.get((old_code, old_name), old_code), old_name, NEW_CODES.get(new_code, new_code), new_name, " ".join(note.split())


def even(count: int) -> list[float]:
    """Shares to six places that are one together."""
    shares = [round(1 / count, 6)] * (count - 1)
    return [*shares, round(1 - sum(shares), 6)]


def main() -> None:
    """Writes the shares."""
    successors = defaultdict(list)
    for old_code, old_name, new_code, new_name, note in conversion():
        successors[old_code].append((old_name, new_code, new_name, note))
    rows = []
    for old_code, parts in sorted(successors.items()):
        peopled = [new_name for _, _, new_name, note in parts if "toàn bộ dân số" in note]
        if peopled:
            source = f"all its people went to {peopled[0]}"
            rows += [(old_code, name, code, new_name, "split", 0, "population", source) for name, code, new_name, _ in parts if new_name not in peopled]
        elif len(parts) > 1 or parts[0][3].startswith("Nhập một phần"):
            source = f"even over {len(parts)} successors" if len(parts) > 1 else "the only successor that the table names"
            rows += [(old_code, name, code, new_name, "split", share, "count", source) for share, (name, code, new_name, _) in zip(even(len(parts)), parts)]
    with HERE.joinpath("vn_communes_merged_before_2025-07.csv").open(encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            parts = successors[record["new_code"]]
            kind = "whole" if len(parts) == 1 else "count"
            source = f"as {record['new_name']} ({record['new_code']}), {record['source']}, {record['changed_on']}"
            shares = zip(even(len(parts)), parts)
            rows += [(record["old_code"], record["old_name"], code, new_name, record["event"], share, kind, source) for share, (_, code, new_name, _) in shares]
    with HERE.joinpath("vn_commune_shares_2025-07.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow("old_code old_name new_code new_name event weight weight_kind weight_source".split())
        writer.writerows(sorted(rows))


if __name__ == "__main__":
    main()
