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
    """Token ids, and the start of the completion in each row."""

    def __init__(self):
        self.tokens = []
        self.starts = []

    @property
    def trained(self):
        return sum(len(ids) - start for ids, start in zip(self.tokens, self.starts))

    def to_dataset(self):
        from datasets import Dataset

        labels = [[-100] * start + ids[start:] for ids, start in zip(self.tokens, self.starts)]
        return Dataset.from_dict({"input_ids": self.tokens, "labels": labels})


def prepare(args, model, request, emit):
    """Returns the tokenizer, the training rows, and the held-out rows (None if no evaluation is wanted)."""
    tokenizer = load_tokenizer(args, model)
    report = {"warnings": []}
    rows = read_rows(tokenizer, args, request["train"], request, report)
    wants_eval = args.eval_strategy != "no"
    held_out = read_rows(tokenizer, args, request["evaluate"], request, {"warnings": []}) if wants_eval else None
    lengths = [len(ids) for ids in rows.tokens]
    if not lengths:
        raise Refused(f"{' and '.join(request['train'])}: there is no row to train on")
    if wants_eval and not held_out.tokens:
        raise Refused(f"{' and '.join(request['evaluate'])}: there is no row to evaluate on; set eval_steps=null")
    emit(
        "preflight",
        rows=len(lengths),
        evaluated=len(held_out.tokens) if held_out else 0,
        tokens=sum(lengths),
        trained=rows.trained,
        longest=max(lengths),
        dropped=report["dropped"],
        trimmed=report["trimmed"],
        templateSha256=hash_text(tokenizer.chat_template),
        warnings=report["warnings"],
    )
    return tokenizer, rows, held_out


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


def read_rows(tokenizer, args, files, request, report):
    rows, report["dropped"], report["trimmed"] = Rows(), 0, 0
    counts = {"special": 0, "prefix": 0, "added": 0, "system": 0}
    own_system = find_own_system(tokenizer)
    specials = [text for text in tokenizer.all_special_tokens if text]
    trimmed = read_trimmed(request.get("trimmed"))
    for batch in batches(files, trimmed):
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
            rows.tokens.append(whole)
            rows.starts.append(start)
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
    content = message["content"]
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
