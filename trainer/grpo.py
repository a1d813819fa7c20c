"""Learns from rewards with TRL's GRPOTrainer: several answers to a prompt are sampled, and those with a better reward than
their group become likelier. Rows, checks, records and checkpoints are those of `train.py`.
"""

import os
from types import SimpleNamespace


def read_prompts(request):
    """The prompts with their targets, in the order of the rows. `preflight` has checked them."""
    from datasets import Dataset
    from preflight import batches, read_trimmed

    trimmed = read_trimmed(request.get("trimmed"))
    rows = [row for batch in batches(request["train"], trimmed) for _, row in batch]
    targets = [row["completion"][0]["content"] for row in rows]
    return Dataset.from_dict({"prompt": [row["prompt"] for row in rows], "target": targets})


def make_reward(name):
    """TRL's form of a reward: lists in, a list out. A reward that is no number ends the training with a message."""
    from rewards import load_reward

    score = load_reward(name)

    def reward(prompts, completions, target, **others):
        texts = [completion[0]["content"] for completion in completions]
        return [float(score(text, right, prompt)) for text, right, prompt in zip(texts, target, prompts)]

    return reward


def run_grpo(config_file, request, emit, make_callback):
    from tokens import load_rows
    from trl import GRPOConfig, ModelConfig, ScriptArguments, TrlParser, get_peft_config

    from shared_prompts import SharedPromptTrainer

    parser = TrlParser((ScriptArguments, GRPOConfig, ModelConfig))
    _, args, model = parser.parse_args_and_config(["--config", config_file], fail_with_unknown_args=True)
    checks = SimpleNamespace(**request["checks"], eval_strategy="no")
    tokenizer, _, _ = load_rows(checks, model, request, config_file, emit)
    tokenizer.padding_side = "left"
    args.model_init_kwargs = {
        **(args.model_init_kwargs or {}),
        "revision": model.model_revision,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
    }
    trainer = SharedPromptTrainer(
        model=model.model_name_or_path,
        reward_funcs=make_reward(request["reward"]),
        args=args,
        train_dataset=read_prompts(request),
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
    )
    trainer.add_callback(make_callback(request, lambda: trainer))
    emit("start", worldSize=trainer.accelerator.num_processes, device=str(trainer.accelerator.device))
    trainer.train(resume_from_checkpoint=request.get("resumeFrom"))
    trainer.save_model(os.path.join(request["output"], "model"))
    emit("end", step=trainer.state.global_step)
