"""Loads folders of examples as TRL's trainer does, and says as JSON, a line each, what it would train on.

usage: load_exports.py GGUF FOLDER...
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
from datasets import load_dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer

gguf, *folders = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(os.path.dirname(gguf), gguf_file=os.path.basename(gguf))
# Only its data preparation is wanted of the trainer: a model of a few thousand weights will do.
config = LlamaConfig(
    vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
)
settings = {"max_length": None, "report_to": "none", "use_cpu": True, "bf16": False}


def load(folder):
    data = load_dataset(folder)
    trainer = SFTTrainer(
        model=LlamaForCausalLM(config),
        args=SFTConfig(output_dir=os.path.join(folder, "..", "trainer"), **settings),
        train_dataset=data["train"],
        eval_dataset=data["validation"] if "validation" in data else None,
        processing_class=tokenizer,
    )
    return {
        "sizes": {split: len(rows) for split, rows in data.items()},
        "rows": [tell(*pair) for pair in zip(data["train"], trainer.train_dataset)],
    }


def tell(given, row):
    ids, labels = row["input_ids"], row["labels"]
    return {
        "templated": tokenizer.apply_chat_template(given["prompt"], add_generation_prompt=True)["input_ids"],
        "prompt": [i for i, label in zip(ids, labels) if label == -100],
        "trainedOn": tokenizer.decode([label for label in labels if label != -100]),
    }


for folder in folders:
    print(json.dumps(load(folder)))
