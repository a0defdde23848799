"""Makes the points that coordinates are tested against, by PROJ: `pip install pyproj` (made with pyproj 3.7.2, PROJ 9.5.1), `python make_points.py`.

vn2000_points.csv: 1,000 points of three provinces in their own TM-3 zone of VN-2000, and the same in WGS 84.
epsg_points.csv: points in other reference systems, each within its area of use, and the same in WGS 84.
"""

import csv
import random
from pathlib import Path

from pyproj import Transformer
from pyproj.transformer import TransformerGroup

HERE = Path(__file__).parent
# Province, its TM-3 zone, and a box of longitude and latitude around it.
PROVINCES = [
    ("Hải Phòng", 9210, (106.40, 20.50, 107.20, 21.03)),
    ("Đà Nẵng", 5899, (107.80, 15.90, 108.45, 16.25)),
    ("Cà Mau", 9207, (104.70, 8.56, 105.42, 9.60)),
]
SYSTEMS = [
    (3405, (103.0, 9.0, 107.5, 22.5)),
    (3406, (108.1, 11.0, 109.4, 15.0)),
    (9218, (107.5, 11.0, 109.0, 14.0)),
    (32648, (103.0, 9.0, 107.5, 22.5)),
    (3857, (102.0, 8.0, 110.0, 23.0)),
    (2154, (-1.0, 43.0, 6.0, 49.0)),
    (25833, (13.0, 47.0, 17.0, 54.0)),
    (6933, (-100.0, -60.0, 100.0, 60.0)),
    (6678, (140.0, 40.2, 141.6, 41.5)),
]


def to_vn2000(epsg: int) -> Transformer:
    """By EPSG:6960, the seven parameters of the Ministry of Natural Resources and Environment."""
    group = TransformerGroup(4326, epsg, always_xy=True)
    wanted = [each for each in group.transformers if "VN-2000 to WGS 84 (2)" in each.description]
    return wanted[0]


def write(name: str, head: list[str], rows: list) -> None:
    with (HERE / name).open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(head)
        out.writerows(rows)


def main() -> None:
    chance = random.Random(20250701)
    rows = []
    for at in range(1000):
        province, epsg, (west, south, east, north) = PROVINCES[at % 3]
        lon, lat = round(chance.uniform(west, east), 9), round(chance.uniform(south, north), 9)
        easting, northing = to_vn2000(epsg).transform(lon, lat)
        # As a survey writes them: the northing is x, the easting y.
        rows.append([province, epsg, f"{northing:.4f}", f"{easting:.4f}", lon, lat])
    write("vn2000_points.csv", ["province", "epsg", "x_northing", "y_easting", "longitude", "latitude"], rows)
    rows = []
    for epsg, (west, south, east, north) in SYSTEMS:
        change = to_vn2000(epsg) if epsg in (3405, 3406, 9218) else Transformer.from_crs(4326, epsg, always_xy=True)
        for _ in range(25):
            lon, lat = round(chance.uniform(west, east), 9), round(chance.uniform(south, north), 9)
            x, y = change.transform(lon, lat)
            rows.append([epsg, f"{x:.4f}", f"{y:.4f}", lon, lat])
    write("epsg_points.csv", ["epsg", "x", "y", "longitude", "latitude"], rows)


if __name__ == "__main__":
    main()
