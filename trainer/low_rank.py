"""Writes what training changed as a LoRA adapter: `low_rank.py BASE TRAINED ADAPTER RANK`.

TRAINED has all weights. The adapter is the best approximation of that rank, by singular values, of the change of each linear
layer. Changes of embeddings and norms are left out. It prints which share of the change, by its square, the adapter has.
"""

import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer


def factor(change, rank):
    """Returns A and B, so that B A is the nearest matrix of that rank."""
    if change.shape[0] > change.shape[1]:
        half_a, half_b = factor(change.T, rank)
        return half_b.T, half_a.T
    change = change.double()
    # The eigenvectors of its square are its left singular vectors, and cost a tenth of the time.
    left = torch.linalg.eigh(change @ change.T).eigenvectors[:, -rank:]
    right = left.T @ change
    scale = right.norm(dim=1).clamp(min=1e-12).sqrt()
    return right / scale[:, None], left * scale


def main(base, trained, folder, rank):
    rank = int(rank)
    after = AutoModelForCausalLM.from_pretrained(trained, dtype=torch.float32).state_dict()
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, config)
    kept = whole = 0.0
    with torch.no_grad():
        for name, layer in model.named_modules():
            if not hasattr(layer, "lora_A"):
                continue
            change = after[name.removeprefix("base_model.model.") + ".weight"] - layer.base_layer.weight
            half_a, half_b = factor(change, rank)
            layer.lora_A["default"].weight.copy_(half_a)
            layer.lora_B["default"].weight.copy_(half_b)
            kept += (half_b @ half_a).square().sum().item()
            whole += change.square().sum().item()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(trained).save_pretrained(folder)
    print(f"rank {rank}: {kept / whole:.3f} of the change of linear layers")


main(*sys.argv[1:])
