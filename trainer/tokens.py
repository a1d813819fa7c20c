"""Tokenized rows in an Arrow file of the run: written once by the first process, mapped into memory by all.

The others wait for the file and not at a barrier: a barrier would end after half an hour, and a million rows take longer.
"""

import hashlib
import json
import os
import shutil
import time

from preflight import Refused, load_tokenizer, prepare

POLL_SECONDS = 0.5


def load_rows(args, model, request, config, emit):
    """Returns the tokenizer, the training rows and the held-out rows (None if no evaluation is wanted)."""
    folder = os.path.join(request["output"], "tokens", key_of(config, request))
    is_first = os.environ.get("RANK", "0") == "0"
    if is_first and not os.path.exists(os.path.join(folder, "complete")):
        write_rows(args, model, request, folder)
    report = wait_for(folder)
    emit("preflight", **report)
    if is_first and request.get("external"):
        write_json(os.path.join(request["output"], "preflight.json"), {"event": "preflight", **report})
    return load_tokenizer(args, model), open_rows(folder, "train"), open_rows(folder, "evaluate")


def key_of(config, request):
    """Names what the tokens depend on: settings and rows. A resumed run finds them again."""
    with open(config, "rb") as file:
        digest = hashlib.sha256(file.read())
    files = [*request["train"], *request["evaluate"], *filter(None, [request.get("trimmed")])]
    states = [(os.path.basename(name), os.path.getsize(name), os.stat(name).st_mtime_ns) for name in files]
    digest.update(json.dumps([states, request["too_long"]]).encode())
    return digest.hexdigest()[:16]


def write_rows(args, model, request, folder):
    shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
    os.makedirs(folder)
    reports = []
    try:
        prepare(args, model, request, lambda _, **fields: reports.append(fields), folder)
    except Refused as error:
        write_json(os.path.join(folder, "refused"), error.fields)
        raise
    write_json(os.path.join(folder, "complete"), reports[0])


def write_json(file, value):
    with open(f"{file}.tmp", "w", encoding="utf-8") as out:
        json.dump(value, out)
    os.replace(f"{file}.tmp", file)


def wait_for(folder):
    """Returns the report of the preflight when the rows are there."""
    while True:
        for name in ("complete", "refused"):
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    fields = json.load(file)
            except FileNotFoundError:
                continue
            if name == "complete":
                return fields
            raise Refused(**fields)
        time.sleep(POLL_SECONDS)


def open_rows(folder, name):
    from datasets import Dataset

    file = os.path.join(folder, f"{name}.arrow")
    return Dataset.from_file(file) if os.path.exists(file) else None


def count_labels(dataset):
    """Counts the trained tokens without reading the rows into Python."""
    import pyarrow.compute as pc

    return sum(pc.sum(pc.not_equal(chunk.flatten(), -100)).as_py() or 0 for chunk in dataset.data.column("labels").chunks)
