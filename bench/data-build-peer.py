"""The job of `aft data build` by Hugging Face datasets: read, choose, shuffle, render, write.

    data-build-peer.py build ROWS.jsonl OUT_DIR PROCESSES
    data-build-peer.py parquet ROWS.jsonl OUT.parquet CODEC    the same rows in groups of 10,000
"""

import random
import sys


def score(completion):
    ratings = [a["Rating"] for a in completion["annotations"].values()]
    known = [float(r) for r in ratings if r not in (None, "N/A")]
    return sum(known) / len(known) if known else 0.0


def make_example(row, index):
    completions = row["completions"]
    best = max(range(len(completions)), key=lambda i: score(completions[i]))
    others = [c["response"].strip() for i, c in enumerate(completions) if i != best]
    target = completions[best]["response"].strip()
    others = [text for text in dict.fromkeys(others) if text and text != target]
    random.Random(index).shuffle(others)
    numbered = "\n".join(f"{i + 1}. {text}" for i, text in enumerate(others))
    system = f"Write one better answer from these proposals.\n\n{numbered}"
    return {
        "prompt": [
            {"role": "system", "content": system},
            {"role": "user", "content": row["instruction"]},
        ],
        "completion": [{"role": "assistant", "content": target}],
        "shown": len(others),
    }


def build(source, out, processes):
    import datasets

    rows = datasets.load_dataset("json", data_files=source, split="train", cache_dir=f"{out}/cache")
    examples = rows.map(
        make_example, with_indices=True, remove_columns=rows.column_names, num_proc=processes
    ).filter(lambda row: row["shown"] >= 2, num_proc=processes)
    parts = examples.train_test_split(test_size=0.05, seed=0)
    parts["train"].to_json(f"{out}/train.jsonl")
    parts["test"].to_json(f"{out}/validation.jsonl")
    print(len(examples))


def to_parquet(source, out, codec):
    import pyarrow.json
    import pyarrow.parquet

    options = pyarrow.json.ReadOptions(block_size=1 << 26)
    table = pyarrow.json.read_json(source, read_options=options)
    pyarrow.parquet.write_table(table, out, row_group_size=10_000, compression=codec)


if sys.argv[1] == "build":
    build(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    to_parquet(*sys.argv[2:5])
