"""Converts a GGUF model to a folder that transformers opens, with 32-bit floats: `gguf_to_folder.py FILE FOLDER`."""

import os
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(file, folder):
    place, name = os.path.split(os.path.abspath(file))
    model = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32)
    # The weights are plain floats now, but transformers still sees a quantized model and would not save it.
    model.hf_quantizer = None
    model.is_quantized = False
    model.__dict__.pop("quantization_method", None)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(place, gguf_file=name).save_pretrained(folder)


main(*sys.argv[1:])
