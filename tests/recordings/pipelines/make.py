#!/usr/bin/env python3
"""Makes this recording anew: the pipelines below are run with --record against a server on this machine, which gives the answers in
`answers/` (and, for Brest, the message in `tests/data`); then the public hosts take that server's place in the index.

    python3 tests/recordings/pipelines/make.py BINARY
"""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ANSWERS = HERE / "answers"
# Connectors see this as the start of each replay.
STARTED_AT = "2026-04-01T00:00:00Z"

# Pipeline → its host, and what `url` must be for the server to stand in (None: the file's own is rewritten).
PIPELINES = {
    "hai-phong-air": ("https://air-quality-api.open-meteo.com", "/v1/air-quality"),
    "hai-phong-airport": ("https://aviationweather.gov", "/api/data/metar"),
    "madison-river": ("https://api.waterdata.usgs.gov", "/ogcapi/v0"),
    "hai-phong-schools": ("https://overpass-api.de", None),
    "hai-phong-stops": ("https://overpass-api.de", None),
    "new-york-high-schools": ("https://data.cityofnewyork.us", None),
    "brest-alerts": ("https://proxy.transport.data.gouv.fr", None),
}


def answer(target: str) -> tuple[bytes, str]:
    """The answer to a question, by its host (the first step of the path here), path and query."""
    parts = urlsplit(target)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    read = lambda name: (ANSWERS / name).read_bytes()
    host, path = parts.path.lstrip("/").split("/", 1)
    if host == "air-quality-api.open-meteo.com":
        return (read("air.csv"), "text/csv") if "hourly" in query else (read("place.json"), "application/json")
    if host == "aviationweather.gov":
        return read("metar.json"), "application/json"
    if host == "api.waterdata.usgs.gov":
        return read("daily.geojson" if "/daily/" in path else "location.geojson"), "application/geo+json"
    if host == "overpass-api.de":
        return read("schools.json" if "amenity" in query["data"] else "stops.json"), "application/json"
    if host == "data.cityofnewyork.us":
        return page(read("high_schools.csv").decode(), int(query["$limit"]), int(query["$offset"])), "text/csv"
    if host == "proxy.transport.data.gouv.fr":
        return (ROOT / "tests/data/transport/gtfs_rt_brest_alerts.pb").read_bytes(), "application/octet-stream"
    raise KeyError(target)


def page(text: str, limit: int, offset: int) -> bytes:
    """Rows of a table, with its header."""
    header, *rows = csv.reader(io.StringIO(text))
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *rows[offset : offset + limit]])
    return out.getvalue().encode()


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, kind = answer(self.path)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def stands_in(text: str, name: str, here: str) -> str:
    """The pipeline's file, asking the server on this machine."""
    host, path = PIPELINES[name]
    local = f"{here}/{urlsplit(host).netloc}"
    if path is None:
        text = text.replace(host, local)
    else:
        text = re.sub(r"^(  connector: .*)$", rf"\1\n  url: {local}{path}", text, count=1, flags=re.M)
    return re.sub(r"^(  connector: .*)$", r"\1\n  allow_private: true", text, count=1, flags=re.M)


def main(binary: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch)
        shutil.copytree(ROOT / "schemas", project / "schemas")
        for name in PIPELINES:
            source = next((ROOT / "pipelines").glob(f"*/{name}.yaml"))
            target = project / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(stands_in(source.read_text(), name, here))
        made = project / "recording"
        subprocess.run([binary, "run", *PIPELINES, "--record", made, "--project", project], check=True)
        head, *lines = map(json.loads, (made / "index.ndjson").read_text().splitlines())
        index = [{**head, "started_at": STARTED_AT}, *sorted((public(line, here) for line in lines), key=lambda line: line["target"])]
        shutil.rmtree(HERE / "bodies", ignore_errors=True)
        shutil.copytree(made / "bodies", HERE / "bodies")
        (HERE / "index.ndjson").write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in index))


def public(line: dict, here: str) -> dict:
    """An exchange as it would have been with the public host."""
    headers = {key: value for key, value in line["headers"].items() if key.lower() in ("content-type", "content-length")}
    return {**line, "target": line["target"].replace(f"{here}/", "https://"), "at": STARTED_AT, "headers": headers}


if __name__ == "__main__":
    main(sys.argv[1])
