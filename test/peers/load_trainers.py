"""Loads an export with the trainer's own loader, and says as JSON what it would train on.

usage: load_trainers.py llama-factory|axolotl FOLDER TOKENIZER
"""
import importlib.machinery
import json
import os
import sys
import types

os.environ["HF_HUB_OFFLINE"] = "1"
trainer, folder, tokenizer_folder = sys.argv[1:]


def load_llama_factory(tokenizer):
    # It imports torchaudio for sound, which has no build for every torch; nothing here has any.
    stub = types.ModuleType("torchaudio")
    stub.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    sys.modules.setdefault("torchaudio", stub)
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments, ModelArguments, TrainingArguments

    data = DataArguments(dataset_dir=folder, dataset="aft", template="default", cutoff_len=8192, mask_history=True)
    training = TrainingArguments(output_dir=os.path.join(folder, "..", "trainer"), do_train=True, use_cpu=True)
    template = get_template_and_fix_tokenizer(tokenizer, data)
    model = ModelArguments(model_name_or_path="none")
    return get_dataset(template, model, data, training, stage="sft", tokenizer=tokenizer)["train_dataset"]


def load_axolotl(tokenizer):
    import yaml
    from axolotl.prompt_strategies.chat_template import load
    from axolotl.utils.dict import DictDefault
    from datasets import load_dataset

    with open(os.path.join(folder, "dataset.yaml")) as file:
        config = DictDefault({**yaml.safe_load(file), "sequence_len": 8192})
    entry = config["datasets"][0]
    strategy = load(tokenizer, config, entry)
    rows = load_dataset(entry["ds_type"], data_files=os.path.join(folder, entry["path"]), split="train")
    return [strategy.tokenize_prompt(row) for row in rows]


from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
rows = {"llama-factory": load_llama_factory, "axolotl": load_axolotl}[trainer](tokenizer)
trained = [tokenizer.decode([label for label in row["labels"] if label != -100]) for row in rows]
print(json.dumps(trained))
