"""Renders and checks every row with the model's own chat template and tokenizer, before the first step.

TRL would cut, drop or mask some rows silently. They are rejected here, with file and line.
"""

import json
import os

BATCH = 512


class Refused(Exception):
    """The error for rows or a tokenizer that training cannot use. `fields` go to the parent."""

    def __init__(self, problem, **more):
        super().__init__(problem)
        self.fields = {"problem": problem, **more}


class Rows:
    """Writes token ids and labels to an Arrow file, and counts them. Without a file it only counts."""

    def __init__(self, file=None):
        self.rows = self.tokens = self.trained = self.longest = 0
        self.ids, self.labels = [], []
        self.file = file
        self.writer = None

    def add(self, ids, start):
        self.rows += 1
        self.tokens += len(ids)
        self.trained += len(ids) - start
        self.longest = max(self.longest, len(ids))
        if self.file:
            self.ids.append(ids)
            self.labels.append([-100] * start + ids[start:])

    def flush(self):
        if not self.ids:
            return
        import pyarrow as pa

        lists = pa.list_(pa.int32())
        schema = pa.schema([("input_ids", lists), ("labels", lists)])
        self.writer = self.writer or pa.RecordBatchStreamWriter(self.file, schema)
        self.writer.write_batch(pa.record_batch([pa.array(self.ids, lists), pa.array(self.labels, lists)], schema))
        self.ids, self.labels = [], []

    def close(self):
        self.flush()
        if self.writer:
            self.writer.close()


def prepare(args, model, request, emit, folder=None):
    """Checks all rows and reports what they are. Their tokens go to files of `folder`, if it is given."""
    tokenizer = load_tokenizer(args, model)
    report = {"warnings": []}

    def read(name, report):
        return read_rows(tokenizer, args, request, report, name, folder and os.path.join(folder, f"{name}.arrow"))

    rows = read("train", report)
    wants_eval = args.eval_strategy != "no"
    held_out = read("evaluate", {"warnings": []}) if wants_eval else None
    if not rows.rows:
        raise Refused(f"{' and '.join(request['train'])}: there is no row to train on")
    if wants_eval and not held_out.rows:
        raise Refused(f"{' and '.join(request['evaluate'])}: there is no row to evaluate on; set eval_steps=null")
    emit(
        "preflight",
        rows=rows.rows,
        evaluated=held_out.rows if held_out else 0,
        tokens=rows.tokens,
        trained=rows.trained,
        longest=rows.longest,
        dropped=report["dropped"],
        trimmed=report["trimmed"],
        templateSha256=hash_text(tokenizer.chat_template),
        warnings=report["warnings"],
    )


def load_tokenizer(args, model):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path, revision=model.model_revision)
    if args.chat_template_path:
        if not args.chat_template_path.endswith((".jinja", ".j2")):
            tokenizer.chat_template = AutoTokenizer.from_pretrained(args.chat_template_path).chat_template
        else:
            with open(args.chat_template_path, encoding="utf-8") as file:
                tokenizer.chat_template = file.read()
    if args.eos_token:
        if args.eos_token not in tokenizer.get_vocab():
            raise Refused(f"eos_token {args.eos_token!r} is not a token of this model")
        tokenizer.eos_token = args.eos_token
    if not isinstance(tokenizer.chat_template, str):
        raise Refused("the model has no chat template, as base models do not: set chat_template_path")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def find_own_system(tokenizer):
    """Returns the system prompt that the chat template adds to rows without one."""
    alone = render(tokenizer, [{"role": "user", "content": "@@@"}], True).split("@@@")[0]
    return alone.strip()[:160] if "system" in alone.lower() else None


def read_rows(tokenizer, args, request, report, name, file):
    rows, report["dropped"], report["trimmed"] = Rows(file), 0, 0
    counts = {"special": 0, "prefix": 0, "added": 0, "system": 0}
    own_system = find_own_system(tokenizer)
    specials = [text for text in tokenizer.all_special_tokens if text]
    trimmed = read_trimmed(request.get("trimmed"))
    for batch in batches(request[name], trimmed):
        prompts = [render(tokenizer, row["prompt"], True, place) for place, row in batch]
        wholes = [render(tokenizer, row["prompt"] + row["completion"], False, place) for place, row in batch]
        ids = tokenizer(prompts + wholes, add_special_tokens=False)["input_ids"]
        for i, (place, row) in enumerate(batch):
            prompt, whole = ids[i], ids[len(batch) + i]
            start = common_prefix(prompt, whole)
            check_row(tokenizer, place, whole, start)
            if len(whole) > args.max_length:
                if request["too_long"] != "drop":
                    raise Refused(describe_long(place, len(prompt), len(whole), args.max_length), place=place)
                report["dropped"] += 1
                continue
            report["trimmed"] += place in trimmed
            counts["system"] += own_system is not None and row["prompt"][0]["role"] != "system"
            counts["prefix"] += start < len(prompt)
            counts["special"] += holds_special(row, specials)
            counts["added"] += not wholes[i].removeprefix(prompts[i]).startswith(row["completion"][0]["content"].strip()[:40])
            rows.add(whole, start)
        rows.flush()
    rows.close()
    report["warnings"] += describe_counts(counts, own_system)
    return rows


def read_trimmed(name):
    """Reads the messages with shortened proposals, by the place of their row."""
    if not name:
        return {}
    with open(name, encoding="utf-8") as file:
        return {row["place"]: row["text"] for row in map(json.loads, file)}


def batches(files, trimmed):
    """Yields rows with their places, some hundred at a time."""
    batch = []
    for name in files:
        with open(name, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                place = f"{name}:{number}"
                batch.append((place, read_turns(line, place, trimmed.get(place))))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
    if batch:
        yield batch


def read_turns(line, place, trimmed):
    try:
        row = json.loads(line)
        turns = {key: [as_text(message) for message in row[key]] for key in ("prompt", "completion")}
        if not turns["prompt"] or not turns["completion"]:
            raise ValueError("an empty list")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected = "expected an object with lists of messages, prompt and completion, as `aft data build` writes them"
        raise Refused(f"{expected}; got {line.strip()[:60]!r} ({error})", place=place) from error
    if trimmed is not None:
        turns["prompt"][row["proposals"][0].get("at", 0)]["content"] = trimmed
    return turns


def as_text(message):
    content = message.get("content") or ""  # a turn that only calls tools has none
    if not isinstance(content, str):
        others = sorted({str(part.get("type")) for part in content} - {"text"})
        if others:
            raise ValueError(f"expected text, got a part of type {', '.join(others)}")
        content = "".join(part.get("text", "") for part in content)
    return {"role": "system" if message["role"] == "developer" else message["role"], "content": content}


def render(tokenizer, messages, is_prompt, place=None):
    try:
        return tokenizer.apply_chat_template(messages, add_generation_prompt=is_prompt, tokenize=False)
    except Exception as error:  # a template can raise anything
        raise Refused(f"the chat template rejects the messages: {error}", place=place) from error


def common_prefix(prompt, whole):
    for i, (a, b) in enumerate(zip(prompt, whole)):
        if a != b:
            return i
    return min(len(prompt), len(whole))


def check_row(tokenizer, place, whole, start):
    bos = tokenizer.bos_token_id
    if bos is not None and whole[:2] == [bos, bos]:
        raise Refused("the row begins with two beginning-of-text tokens", place=place)
    if start >= len(whole):
        raise Refused("there is nothing to train on: the chat template does not show the completion", place=place)
    if tokenizer.eos_token_id not in whole[start:]:
        end = tokenizer.decode(whole[-3:])
        problem = f"the completion does not end with {tokenizer.eos_token!r} but with {end!r}: set eos_token"
        raise Refused(problem, place=place)


def holds_special(row, specials):
    return any(text in message["content"] for message in row["prompt"] + row["completion"] for text in specials)


def describe_long(place, prompt, whole, limit):
    cut = "all" if prompt >= limit else "the end"
    return (
        f"has {whole} tokens, {whole - prompt} of them in the completion, and max_length is {limit}: {cut} of the completion "
        "would be cut. Raise max_length, trim the proposals of such rows with --set too_long=trim, or drop such rows with "
        "--set too_long=drop"
    )


def describe_counts(counts, own_system):
    warnings = []
    if counts["system"]:
        warnings.append(f"the chat template adds its own system message to {counts['system']} rows without one: {own_system!r}")
    if counts["special"]:
        warnings.append(
            f"{counts['special']} rows have text that the tokenizer reads as a special token; at inference it stays text"
        )
    if counts["prefix"]:
        warnings.append(
            f"in {counts['prefix']} rows the end of the prompt has other tokens before a completion than at inference"
        )
    if counts["added"]:
        warnings.append(f"in {counts['added']} rows the template writes something before the completion")
    return warnings


def hash_text(text):
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
