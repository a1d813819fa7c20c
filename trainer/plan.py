"""What a run would need: the sizes of the model, counted without its weights, and of the rows."""

from preflight import prepare


def measure(args, model, peft, request, emit):
    """Returns counts of parameters and the sizes that memory depends on. The preflight is reported before."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    prepare(args, model, request, emit)
    config = AutoConfig.from_pretrained(model.model_name_or_path, revision=model.model_revision)
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config)
        total = sum(weights.numel() for weights in network.parameters())
        trained = total
        if peft:
            from peft import get_peft_model

            network = get_peft_model(network, peft)
            trained = sum(weights.numel() for weights in network.parameters() if weights.requires_grad)
    text = config.get_text_config()
    devices = [torch.cuda.get_device_properties(i).total_memory for i in range(torch.cuda.device_count())]
    return {
        **({"deviceBytes": min(devices)} if devices else {}),
        "parameters": total,
        "trained": trained,
        "layers": text.num_hidden_layers,
        "hidden": text.hidden_size,
        "inner": getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        "vocabulary": text.vocab_size,
    }
