"""Counts the tokens of rows in the same way as `preflight.py`: `lengths.py TRL.yaml REQUEST.json`.

It first prints a line for each row that is longer than max_length, then an empty line. After that, each line of standard
input is a list of conversations, and it prints a list of their lengths.
"""

import json
import sys
from types import SimpleNamespace

import yaml

from preflight import Refused, as_text, batches, load_tokenizer, render

NAMES = ("model_revision", "chat_template_path", "eos_token")


def count(tokenizer, conversations):
    texts = [render(tokenizer, messages, False) for messages in conversations]
    return [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = yaml.safe_load(file)
    with open(sys.argv[2], encoding="utf-8") as file:
        request = json.load(file)
    args = SimpleNamespace(**{**dict.fromkeys(NAMES), **config})
    try:
        tokenizer = load_tokenizer(args, args)
        for batch in batches(request["train"] + request["evaluate"], {}):
            lengths = count(tokenizer, [row["prompt"] + row["completion"] for _, row in batch])
            for (place, _), length in zip(batch, lengths):
                if length > args.max_length:
                    print(json.dumps({"place": place, "tokens": length}), flush=True)
        print(flush=True)
        for line in sys.stdin:
            conversations = [[as_text(message) for message in messages] for messages in json.loads(line)]
            print(json.dumps(count(tokenizer, conversations)), flush=True)
    except Refused:
        sys.exit(3)  # the preflight reports the error and its place


if __name__ == "__main__":
    main()
