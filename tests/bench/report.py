"""The bench's table of ratios, and which targets were missed."""

import math


def show(result: dict, targets: dict, questions: float, memory_mib: float, start_ms: float) -> list[str]:
    """Print what was measured; give the targets that were missed."""
    missed: list[str] = []
    if "loads" in result:
        loads(result, targets, memory_mib, missed)
    if "workbook" in result:
        read(result, targets, memory_mib, missed)
    if "encodings" in result:
        decoded(result, targets, missed)
    if "postgres" in result:
        fetched(result["postgres"], targets, memory_mib, missed)
    if "questions" in result:
        asked(result["questions"], questions, start_ms, missed)
    if "memory" in result:
        grown(result["memory"], memory_mib, missed)
    print("\n" + (f"missed: {'; '.join(missed)}" if missed else "every target is met"))
    return missed


def judge(name: str, value: float, most: float, missed: list[str]) -> str:
    """`ok` or `MISSED`, which is remembered."""
    if value <= most:
        return "ok"
    missed.append(f"{name} {value:.2f} > {most:.2f}")
    return "MISSED"


def loads(result: dict, targets: dict, memory_mib: float, missed: list[str]) -> None:
    """Seconds of each subject, and our time as a share of each peer's."""
    measured = result["loads"]
    print(f"\nLoads of {result['rows']:,} rows from CSV, codec {measured['codec']}: whole processes, median of {result['rounds']}\n")
    print(f"{'load':<20} {'subject':<11} {'seconds':>8} {'from-to':>13} {'peak MiB':>9} {'ours/theirs':>12} {'target':>7}")
    for load, subjects in measured.items():
        if load == "codec":
            continue
        base = measured[load.removesuffix("_keyed")]
        ours = subjects["sectorlake"]
        for name, one in (subjects | {k: v for k, v in base.items() if k != "sectorlake"}).items():
            line = f"{load:<20} {name:<11} {one['seconds']:8.2f} {one['spread'][0]:6.2f}-{one['spread'][1]:<6.2f} {one['peak_mib']:9.0f}"
            if name == "sectorlake":
                print(line, f"{'':>12} {'':>7}", judge(f"memory of {load}", ours["peak_mib"], memory_mib, missed))
                continue
            ratio, most = ours["seconds"] / one["seconds"], targets.get((load, name))
            verdict = judge(f"{load} / {name}", ratio, most, missed) if most else ""
            print(line, f"{ratio:12.2f} {f'{most:.2f}' if most else '':>7} {verdict}")


def read(result: dict, targets: dict, memory_mib: float, missed: list[str]) -> None:
    """A workbook: seconds of each subject, and our time as a share of each reader's."""
    subjects = result["workbook"]
    ours = subjects["sectorlake"]
    print(f"\nA workbook of 200,000 rows and 20 columns: whole processes, median of {result['rounds']}\n")
    for name, one in subjects.items():
        line = f"{'workbook':<20} {name:<11} {one['seconds']:8.2f} {one['spread'][0]:6.2f}-{one['spread'][1]:<6.2f} {one['peak_mib']:9.0f}"
        if name == "sectorlake":
            print(line, f"{'':>12} {'':>7}", judge("memory of workbook", ours["peak_mib"], memory_mib, missed))
            continue
        ratio, most = ours["seconds"] / one["seconds"], targets["workbook", name]
        print(line, f"{ratio:12.2f} {most:7.2f}", judge(f"workbook / {name}", ratio, most, missed))


def decoded(result: dict, targets: dict, missed: list[str]) -> None:
    """CSV in each encoding: rows a second, and our time as a share of that for UTF-8."""
    encodings = result["encodings"]
    plain = encodings["utf-8"]
    print(f"\nCSV of {plain['rows']:,} rows, decoded and thrown away, median of {result['rounds']}\n")
    for name, one in encodings.items():
        line = f"{'decode':<20} {name:<12} {one['seconds']:7.2f} {one['spread'][0]:6.2f}-{one['spread'][1]:<6.2f} {one['rows'] / one['seconds'] / 1e6:6.1f} million rows a second"
        if name == "utf-8":
            print(line)
            continue
        ratio, most = one["seconds"] / plain["seconds"], targets["encodings", name]
        print(line, f"{ratio:6.2f} {most:7.2f}", judge(f"decode / {name}", ratio, most, missed))


def fetched(measured: dict, targets: dict, memory_mib: float, missed: list[str]) -> None:
    """A table of PostgreSQL: rows a second of each subject, and our times as shares of COPY's and dlt's."""
    rows, subjects = measured["rows"], measured["runs"]
    print(f"\nA table of PostgreSQL of {rows:,} rows: whole processes, median\n")
    for name, one in subjects.items():
        line = f"{'postgres':<20} {name:<11} {one['seconds']:8.2f} {one['spread'][0]:6.2f}-{one['spread'][1]:<6.2f} {one['peak_mib']:9.0f}"
        print(line, f"{rows / one['seconds'] / 1e3:8.0f} thousand rows a second")
    for name in ("read", "load"):
        for other in ("copy", "dlt"):
            ratio, most = subjects[name]["seconds"] / subjects[other]["seconds"], targets.get(("postgres", name, other))
            verdict = judge(f"postgres {name} / {other}", ratio, most, missed) if most else ""
            print(f"{f'{name} / {other}':<20} {ratio:6.2f} {f'{most:.2f}' if most else '':>7} {verdict}")
    judge("memory of postgres", subjects["load"]["peak_mib"], memory_mib, missed)
    later = measured["later"]
    print(f"a second run, when {later['rows']:,} rows are new: {later['seconds']:.2f} s, and no other row is read")


def asked(measured: dict, most: float, start_most: float, missed: list[str]) -> None:
    """Warm milliseconds of each question in both engines, their ratio, and the geometric mean."""
    print(f"\nQuestions on the same Parquet files, warm and in-process, milliseconds\n\n{'question':<24} {'sectorlake':>11} {'duckdb':>9} {'ratio':>7}")
    ratios = []
    for name, times in measured.items():
        if name == "start_ms":
            continue
        ratios.append(times["sectorlake"] / times["duckdb"])
        print(f"{name:<24} {1000 * times['sectorlake']:11.1f} {1000 * times['duckdb']:9.1f} {ratios[-1]:7.2f}")
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"{'geometric mean':<24} {'':>11} {'':>9} {mean:7.2f}  target {most:.2f} {judge('questions', mean, most, missed)}")
    verdict = judge("select 1, ms", measured["start_ms"], start_most, missed)
    print(f"\n`sectorlake sql \"select 1\"`: {measured['start_ms']:.0f} ms of wall time, target {start_most} {verdict}")


def grown(measured: dict, memory_mib: float, missed: list[str]) -> None:
    """Peak memory by size."""
    sizes = sorted(measured, key=int)
    print(f"\nPeak memory in MiB when the rows grow tenfold\n\n{'load':<20} " + " ".join(f"{int(size):>12,}" for size in sizes))
    for load in measured[sizes[0]]:
        peaks = [measured[size][load]["peak_mib"] for size in sizes]
        verdict = judge(f"memory of {load} tenfold", peaks[-1], memory_mib, missed)
        print(f"{load:<20} " + " ".join(f"{peak:12.0f}" for peak in peaks), verdict)
