"""Converts a GGUF model to a folder that transformers opens, with 32-bit floats: `gguf_to_folder.py FILE FOLDER [ADAPTER…]`.

LoRA adapters, GGUF files too, are added to the weights.
"""

import os
import sys

import gguf
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def add(model, adapter):
    reader = gguf.GGUFReader(adapter)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "llama":
        sys.exit(f"{adapter}: expected an adapter of a llama model, got one of {architecture}")
    halves = {tensor.name: torch.tensor(gguf.dequantize(tensor.data, tensor.tensor_type)) for tensor in reader.tensors}
    config = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, weight in model.named_parameters():
        name = name.removesuffix(".weight")
        place = f"{names.get_name(name)}.weight"
        if f"{place}.lora_a" not in halves:
            continue
        half_a, half_b = halves.pop(f"{place}.lora_a"), halves.pop(f"{place}.lora_b")
        count = heads.get(name.split(".")[-1])
        if count:  # GGUF has the two halves of each head's rows interleaved
            half_b = half_b.unflatten(0, (count, -1, 2)).transpose(1, 2).flatten(0, 2)
        with torch.no_grad():
            weight += half_b @ half_a * reader.fields["adapter.lora.alpha"].contents() / len(half_a)
    if halves:
        sys.exit(f"{adapter}: the model has no weights for {', '.join(halves)}")


def main(file, folder, *adapters):
    place, name = os.path.split(os.path.abspath(file))
    model = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32)
    # The weights are plain floats now, but transformers still sees a quantized model and would not save it.
    model.hf_quantizer = None
    model.is_quantized = False
    model.__dict__.pop("quantization_method", None)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    for adapter in adapters:
        add(model, adapter)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(place, gguf_file=name).save_pretrained(folder)


main(*sys.argv[1:])
