"""Makes north_first.rs from the register that PROJ carries: `pip install pyproj`, `python epsg_axes.py` (made with pyproj 3.7.2).

`--check` asks PROJ itself for the axes of each code instead, and tells where the table says otherwise.
"""

import re
import sqlite3
import sys
from pathlib import Path

import pyproj

TABLE = Path(__file__).with_name("north_first.rs")
FIRST, SECOND = ("Geodetic latitude", "Northing"), ("Geodetic longitude", "Easting")
# Systems of two or three axes, then those whose horizontal part is one of them.
AXES = """
WITH systems AS (
  SELECT auth_name, code, coordinate_system_auth_name AS of, coordinate_system_code AS axes FROM geodetic_crs
  UNION ALL SELECT auth_name, code, coordinate_system_auth_name, coordinate_system_code FROM projected_crs
  UNION ALL
  SELECT compound.auth_name, compound.code, part.of, part.axes FROM compound_crs AS compound
  JOIN (
    SELECT auth_name, code, coordinate_system_auth_name AS of, coordinate_system_code AS axes FROM geodetic_crs
    UNION ALL SELECT auth_name, code, coordinate_system_auth_name, coordinate_system_code FROM projected_crs
  ) AS part ON part.auth_name = compound.horiz_crs_auth_name AND part.code = compound.horiz_crs_code
)
SELECT CAST(systems.code AS integer), first.name, second.name FROM systems
JOIN axis AS first ON first.coordinate_system_auth_name = of AND first.coordinate_system_code = axes AND first.coordinate_system_order = 1
JOIN axis AS second ON second.coordinate_system_auth_name = of AND second.coordinate_system_code = axes AND second.coordinate_system_order = 2
WHERE systems.auth_name = 'EPSG' ORDER BY 1
"""
HEAD = '''//! Which codes of the EPSG register have the latitude or the northing as their first axis and the longitude or the easting as their second.
//!
//! Made by `epsg_axes.py` from the EPSG Geodetic Parameter Dataset {version} ({date}), © IOGP, as PROJ {proj} carries it; free to use with
//! that attribution, <https://epsg.org/terms-of-use.html>. What stands here is derived and not the dataset itself.

/// Codes at which the answer changes: the first that is north first, the first that is not, and so on.
pub(super) const CHANGES: [u32; {count}] = [
{rows}
];
'''


def north_first(names: tuple[str, str]) -> bool:
    return names in zip(FIRST, SECOND)


def changes(codes: list[int]) -> list[int]:
    held = set(codes)
    return [code for code in sorted(held | {code + 1 for code in held}) if (code in held) != (code - 1 in held)]


def make() -> None:
    path = Path(pyproj.datadir.get_data_dir()) / "proj.db"
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    said = dict(database.execute("SELECT key, value FROM metadata"))
    found = changes([code for code, *names in database.execute(AXES) if north_first(tuple(names))])
    rows, line = [], "   "
    for code in found:
        if len(line) + len(f" {code},") > 100:
            rows, line = [*rows, line], "   "
        line += f" {code},"
    text = HEAD.format(
        version=said["EPSG.VERSION"], date=said["EPSG.DATE"], proj=said["PROJ.VERSION"], count=len(found), rows="\n".join([*rows, line])
    )
    TABLE.write_text(text)


def check() -> None:
    table = [int(code) for code in re.findall(r"\d+", TABLE.read_text().split("= [")[1])]
    held = {code for start, end in zip(table[::2], table[1::2]) for code in range(start, end)}
    kinds = ["GEOGRAPHIC_2D_CRS", "GEOGRAPHIC_3D_CRS", "PROJECTED_CRS", "GEOCENTRIC_CRS", "COMPOUND_CRS"]
    infos = pyproj.database.query_crs_info(auth_name="EPSG", pj_types=kinds, allow_deprecated=True)
    codes = {int(info.code) for info in infos}
    asked = {code: pyproj.CRS.from_epsg(code).axis_info for code in sorted(codes)}
    wrong = [code for code, axes in asked.items() if north_first((axes[0].name, axes[1].name)) != (code in held)]
    unknown = sorted(held - codes)
    print(f"{len(asked)} codes, {len(held)} north first, otherwise {wrong}, unknown {unknown}")
    sys.exit(bool(wrong or unknown))


if __name__ == "__main__":
    check() if "--check" in sys.argv else make()
