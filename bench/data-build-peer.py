"""The job of `aft data build` by Hugging Face datasets: read, choose, shuffle, render, write.

    data-build-peer.py build ROWS.jsonl OUT_DIR PROCESSES WORDING    1 process: no others are started
    data-build-peer.py parquet ROWS.jsonl OUT.parquet CODEC    the same rows in groups of 10,000
"""

import random
import sys


def score(completion):
    ratings = [a["Rating"] for a in completion["annotations"].values()]
    known = [float(r) for r in ratings if r not in (None, "N/A")]
    return sum(known) / len(known) if known else 0.0


def make_example(row, index, wording):
    completions = row["completions"]
    best = max(range(len(completions)), key=lambda i: score(completions[i]))
    target = completions[best]["response"].strip()
    shown = {}
    for i, completion in enumerate(completions):
        text = completion["response"].strip()
        if i != best and text and text != target:
            shown.setdefault(text, completion["model"])
    proposals = list(shown.items())
    random.Random(index).shuffle(proposals)
    numbered = "\n".join(f"{i + 1}. {text}" for i, (text, _) in enumerate(proposals))
    return {
        "id": f"row:{index + 1}",
        "prompt": [
            {"role": "system", "content": wording.replace("{{proposals}}", numbered)},
            {"role": "user", "content": row["instruction"]},
        ],
        "completion": [{"role": "assistant", "content": target}],
        "source": "ultrafeedback",
        "proposals": [{"model": model, "onPolicy": False} for _, model in proposals],
        "template": "aft-1",
    }


def build(source, out, processes, wording):
    import datasets

    datasets.disable_progress_bars()
    count = processes if processes > 1 else None
    rows = datasets.load_dataset("json", data_files=source, split="train", cache_dir=f"{out}/cache")
    examples = rows.map(
        make_example,
        with_indices=True,
        fn_kwargs={"wording": wording},
        remove_columns=rows.column_names,
        num_proc=count,
    ).filter(lambda proposals: len(proposals) >= 2, input_columns="proposals", num_proc=count)
    parts = examples.train_test_split(test_size=0.05, seed=0)
    parts["train"].to_json(f"{out}/train.jsonl", num_proc=count)
    parts["test"].to_json(f"{out}/validation.jsonl", num_proc=count)
    print(len(examples))


def to_parquet(source, out, codec):
    import pyarrow.json
    import pyarrow.parquet

    options = pyarrow.json.ReadOptions(block_size=1 << 26)
    table = pyarrow.json.read_json(source, read_options=options)
    pyarrow.parquet.write_table(table, out, row_group_size=10_000, compression=codec)


if sys.argv[1] == "build":
    build(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
else:
    to_parquet(*sys.argv[2:5])
