"""Writes a folder that any server opens: `merge.py BASE ADAPTER FOLDER [DTYPE]`. ADAPTER is a LoRA adapter to merge, or -."""

import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(base, adapter, folder, dtype="bfloat16"):
    # Merge in 32 bits, then round once.
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if adapter != "-":
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(base if adapter == "-" else adapter).save_pretrained(folder)


main(*sys.argv[1:])
