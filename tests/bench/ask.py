"""DuckDB as one process: `python ask.py VIEWS STATEMENTS` makes the views and prints each statement's answer as CSV."""

import csv
import sys
from pathlib import Path

import duckdb

connection = duckdb.connect()
connection.execute(Path(sys.argv[1]).read_text("utf-8"))
out = csv.writer(sys.stdout)
for statement in Path(sys.argv[2]).read_text("utf-8").split(";"):
    if statement.strip():
        cursor = connection.execute(statement)
        out.writerow([column[0] for column in cursor.description])
        out.writerows(cursor.fetchall())
