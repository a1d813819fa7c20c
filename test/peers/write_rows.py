"""Writes the same rows with each library's defaults, and with what its options change in the file.

usage: write_rows.py FOLDER

FOLDER gets nested.jsonl and flat.jsonl, written by Python itself, and files named KIND.LIBRARY-….EXTENSION with the same rows.
"""
import datetime
import decimal
import json
import math
import os
import sys

import duckdb
import fastparquet
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

os.chdir(sys.argv[1])
TEXTS = ["Größe? 東京 🙂", 'a "quoted", text', "two\nlines\r\nand a\ttab", "x" * 5000, "it's, [1, 2]", "e\u0301 \u2028 end"]


def nested(i):
    text = TEXTS[i % len(TEXTS)]
    turn = lambda role, content: {"role": role, "content": content}
    return {
        "id": 9007199254740993 + i if i % 3 == 0 else i,
        "messages": [turn("system", "Be brief.")] * (i % 2) + [turn("user", f"{text} {i}")],
        "responses": [
            {"text": f"{text} {k}", "model": None if k == 2 else f"m{k}", "score": None if k == 1 and i % 4 == 0 else i + k}
            for k in range(3)
        ],
        "target": None if i == 5 else f"T {i}",
        "tags": [] if i % 2 else ["a", None],
        "made": datetime.datetime(2024, 1, 2, 3, 4, i),
    }


def flat(i):
    text = TEXTS[i % len(TEXTS)]
    return {
        "id": i * i + 1,
        "prompt": f"{text} {i}",
        "response_a": f"A {text}",
        "response_b": f"B {i}",
        "model_a": ["x", "y"][i % 2],
        "score_a": i,
        "score_b": None if i % 3 == 0 else i / 4,
        "target": None if i == 5 else f"T {i}",
    }


NESTED, FLAT = [nested(i) for i in range(12)], [flat(i) for i in range(12)]
for name, rows in [("nested", NESTED), ("flat", FLAT)]:
    with open(f"{name}.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, default=str) + "\n" for row in rows)

# pandas
for name, rows in [("nested", NESTED), ("flat", FLAT)]:
    frame = pd.DataFrame(rows)
    frame.to_parquet(f"{name}.pandas.parquet")
    frame.set_index("id").to_parquet(f"{name}.pandas-index.parquet")
    frame.to_parquet(f"{name}.pandas-zstd.parquet", compression="zstd")
    frame.to_json(f"{name}.pandas.json")
    frame.to_json(f"{name}.pandas-records.json", orient="records")
    frame.to_json(f"{name}.pandas-lines.jsonl", orient="records", lines=True)
    frame.to_json(f"{name}.pandas-gzip.jsonl.gz", orient="records", lines=True)
    frame.to_json(f"{name}.pandas-gzip-array.json.gz", orient="records")
flats = pd.DataFrame(FLAT)
flats.to_csv("flat.pandas.csv", index=False)
flats.to_csv("flat.pandas-index.csv")
flats.to_csv("flat.pandas-gzip.csv.gz", index=False)
flats.to_csv("flat.pandas-tabs.tsv", index=False, sep="\t")
flats.astype({"model_a": "category", "prompt": "string", "score_a": "Int64"}).to_parquet("flat.pandas-types.parquet")
cells = pd.DataFrame(NESTED)
for name in ["messages", "responses", "tags"]:
    cells[name] = cells[name].map(json.dumps)
cells.to_csv("nested.pandas-json-cells.csv", index=False)

# polars
for name, rows in [("nested", NESTED), ("flat", FLAT)]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame.write_parquet(f"{name}.polars.parquet")
    frame.write_parquet(f"{name}.polars-lz4.parquet", compression="lz4", row_group_size=5)
    frame.write_ndjson(f"{name}.polars.ndjson")
    frame.write_json(f"{name}.polars.json")
frame.write_csv("flat.polars.csv")
frame.with_columns(pl.col("model_a").cast(pl.Categorical), pl.col("score_a").cast(pl.UInt64)).write_parquet("flat.polars-types.parquet")

# DuckDB
base = duckdb.connect()
for name in ["nested", "flat"]:
    # id: a HUGEINT is not kept by Parquet
    base.sql(f"create table {name} as select * replace (cast(id as bigint) as id) from read_json('{name}.jsonl', maximum_depth = -1)")
    for suffix, options in [
        (".parquet", "format parquet"),
        ("-v2.parquet", "format parquet, parquet_version v2"),
        ("-zstd.parquet", "format parquet, codec zstd, row_group_size 2048"),
        (".jsonl", "format json"),
        ("-array.json", "format json, array true"),
        ("-gzip.jsonl.gz", "format json, compression gzip"),
        ("-zstd.jsonl.zst", "format json, compression zstd"),
    ]:
        base.sql(f"copy {name} to '{name}.duckdb{suffix}' ({options})")
base.sql("copy flat to 'flat.duckdb.csv'")
base.sql("copy flat to 'flat.duckdb-gzip.csv.gz'")
base.sql("copy (select * replace (cast(score_a as decimal(9, 2)) as score_a, cast(id as uhugeint) as id, model_a::enum('x', 'y') as model_a) from flat) to 'flat.duckdb-types.parquet'")

# pyarrow
for name, rows in [("nested", NESTED), ("flat", FLAT)]:
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, f"{name}.pyarrow.parquet")
    for codec in ["none", "gzip", "brotli", "lz4", "zstd"]:
        pq.write_table(table, f"{name}.pyarrow-{codec}.parquet", compression=codec)
    pq.write_table(table, f"{name}.pyarrow-v2.parquet", data_page_version="2.0", compression="zstd", data_page_size=64)
    pq.write_table(table, f"{name}.pyarrow-v2-snappy.parquet", data_page_version="2.0", data_page_size=64)
    pq.write_table(table, f"{name}.pyarrow-groups.parquet", row_group_size=1)
    pq.write_table(table, f"{name}.pyarrow-plain.parquet", use_dictionary=False)
    pq.write_table(table, f"{name}.pyarrow-two-level.parquet", use_compliant_nested_type=False)
    pq.write_table(table, f"{name}.pyarrow-version-1.parquet", version="1.0")
    large = pa.schema([pa.field(f.name, pa.large_string() if f.type == pa.string() else f.type) for f in table.schema])
    pq.write_table(table.cast(large), f"{name}.pyarrow-large.parquet")
table = pa.Table.from_pylist(FLAT)
with_type = lambda **types: table.cast(pa.schema([pa.field(f.name, types.get(f.name, f.type)) for f in table.schema]))
for label, types in {
    "uint64": {"id": pa.uint64(), "score_a": pa.uint64()},
    "int8": {"score_a": pa.int8()},
    "float32": {"score_b": pa.float32(), "score_a": pa.float32()},
    "float16": {"score_b": pa.float16()},
    "decimal": {"score_a": pa.decimal128(24, 3)},
    "decimal256": {"score_a": pa.decimal256(40, 3)},
    "views": {"prompt": pa.string_view()},
    "binary": {"prompt": pa.binary()},
    "text-id": {"id": pa.string()},
}.items():
    pq.write_table(with_type(**types), f"flat.pyarrow-{label}.parquet")
dictionary = table.set_column(4, "model_a", table["model_a"].dictionary_encode())
pq.write_table(dictionary, "flat.pyarrow-dictionary.parquet")
delta = {"id": "DELTA_BINARY_PACKED", "prompt": "DELTA_BYTE_ARRAY", "response_a": "DELTA_LENGTH_BYTE_ARRAY", "score_a": "DELTA_BINARY_PACKED", "score_b": "BYTE_STREAM_SPLIT"}
pq.write_table(table, "flat.pyarrow-delta.parquet", use_dictionary=False, column_encoding=delta)
nan = table.set_column(6, "score_b", pa.array([math.nan if v is None else v for v in table["score_b"].to_pylist()], from_pandas=False))
pq.write_table(nan, "flat.pyarrow-nan.parquet")
times = table.append_column("at", pa.array([datetime.datetime(2024, 1, 2)] * 12, pa.timestamp("ns", "UTC")))
times = times.append_column("day", pa.array([datetime.date(2024, 1, 2)] * 12)).append_column("price", pa.array([decimal.Decimal("1.50")] * 12))
pq.write_table(times, "flat.pyarrow-times.parquet")
pq.write_table(times, "flat.pyarrow-int96.parquet", use_deprecated_int96_timestamps=True)

# fastparquet: what is nested becomes JSON
flats = pd.DataFrame(FLAT)
fastparquet.write("flat.fastparquet.parquet", flats)
fastparquet.write("flat.fastparquet-gzip.parquet", flats, compression="GZIP", row_group_offsets=[0, 5])
fastparquet.write("nested.fastparquet-json.parquet", pd.DataFrame(NESTED).drop(columns="made"), object_encoding={"messages": "json", "responses": "json", "tags": "json", "target": "utf8"})
