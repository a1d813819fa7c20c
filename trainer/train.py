"""Does one training run with TRL's SFTTrainer: `train.py TRL.yaml REQUEST.json`.

TRL's own command line silently cuts long rows, drops others, rounds the numbers that it prints, and continues when its
parent has ended. Here the rows are tokenized and checked first, every step is recorded with exact numbers, and the process
ends with its parent. Reports to the parent are lines of standard output that start with `@aft `.
"""

import errno
import json
import math
import os
import sqlite3
import sys
import threading
import time


def to_json(fields):
    """Writes JSON that other languages read: a number that is not finite becomes null."""
    plain = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in fields.items()
    }
    return json.dumps(plain, allow_nan=False)


def emit(event, **fields):
    """Reports to the parent. Only the first process does."""
    if os.environ.get("RANK", "0") == "0":
        print("@aft " + to_json({"event": event, **fields}), flush=True)


def end_with_parent():
    """Ends this process when standard input closes. The parent keeps it open and writes nothing, so it closes with the parent."""

    def wait():
        while os.read(0, 1):
            pass
        os._exit(125)

    threading.Thread(target=wait, daemon=True).start()


def take_lock(file):
    """Takes the SQLite lock that the parent checks before it resumes, as in src/lib/lock.ts."""
    connection = sqlite3.connect(file, isolation_level=None, timeout=0)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def find_kind(error):
    """Returns `disk`, `memory` or `other`."""
    text = f"{type(error).__name__}: {error}".lower()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "disk"
    if any(words in text for words in ("no space left", "disk quota", "file too large")):
        return "disk"
    memory = ("outofmemory", "out of memory", "not enough memory", "allocate memory")
    return "memory" if isinstance(error, MemoryError) or any(words in text for words in memory) else "other"


def make_callback(request, trainer_of):
    """Makes a callback that writes `metrics.jsonl` and `eval.jsonl`, and marks complete checkpoints."""
    from transformers import TrainerCallback

    output, before = request["output"], request["before"]

    class Record(TrainerCallback):
        sampled = 0  # GRPO's trainer counts prompts and answers in its logs only

        def on_train_begin(self, args, state, control, **kwargs):
            self.start = time.perf_counter()

        def line(self, name, state, **fields):
            seconds = before["seconds"] + time.perf_counter() - self.start
            record = {"step": state.global_step, **fields, "tokens": self.tokens(), "seconds": seconds}
            with open(os.path.join(output, name), "a", encoding="utf-8") as file:
                file.write(to_json(record) + "\n")
            return record

        def tokens(self):
            return before["tokens"] + int(getattr(trainer_of(), "_total_train_tokens", 0) or self.sampled)

        def on_log(self, args, state, control, logs=None, **kwargs):
            if not state.is_world_process_zero or "loss" not in logs:
                return
            rate, norm = logs["learning_rate"], logs.get("grad_norm")
            more = {"reward": logs["reward"]} if "reward" in logs else {}
            self.sampled = logs.get("num_tokens", 0)
            record = self.line("metrics.jsonl", state, loss=logs["loss"], learningRate=rate, gradNorm=norm, **more)
            emit("step", **record, maxSteps=state.max_steps)

        def on_evaluate(self, args, state, control, metrics=None, **kwargs):
            if state.is_world_process_zero:
                emit("eval", **self.line("eval.jsonl", state, loss=metrics["eval_loss"]))
            if state.global_step > 0 and metrics["eval_loss"] <= request.get("stopAtLoss", -1):
                control.should_training_stop = True  # each process has the same loss

        def on_save(self, args, state, control, **kwargs):
            if state.is_world_process_zero:
                open(os.path.join(output, f"checkpoint-{state.global_step}", "complete"), "w").close()
                emit("checkpoint", step=state.global_step)

    return Record()


def check_trainer(trainer, request, rows):
    """Checks that TRL kept all rows and tokens, and that the number of processes is right."""
    import torch

    from tokens import count_labels

    kept, given = [(len(data), count_labels(data)) for data in (trainer.train_dataset, rows)]
    if kept != given:
        raise ValueError(f"the trainer kept {kept[0]} rows with {kept[1]} trained tokens of {given[0]} with {given[1]}")
    ones = torch.ones(1, device=trainer.accelerator.device)
    world = int(trainer.accelerator.reduce(ones, reduction="sum").item())
    lacks_fsdp = bool(trainer.args.fsdp) and not trainer.is_fsdp_enabled  # accelerate leaves it out on CPUs, without a word
    emit("start", worldSize=world, device=str(trainer.accelerator.device), lacksFsdp=lacks_fsdp)
    if world != request["processes"]:
        raise ValueError(f"expected {request['processes']} processes that train together, got {world}")


def run(config_file, request):
    from tokens import load_rows
    from sft import choose_trainer
    from trl import ModelConfig, ScriptArguments, SFTConfig, TrlParser, get_peft_config

    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    _, args, model = parser.parse_args_and_config(["--config", config_file], fail_with_unknown_args=True)
    if request.get("planOnly"):
        from plan import measure

        emit("plan", **measure(args, model, get_peft_config(model), request, emit))
        return emit("end", step=0)
    tokenizer, rows, held_out = load_rows(args, model, request, config_file, emit)
    args.model_init_kwargs = {
        **(args.model_init_kwargs or {}),
        "revision": model.model_revision,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
    }
    args.chat_template_path = None  # the tokenizer has the template already
    args.logging_nan_inf_filter = False  # a loss that is no number is reported as such, not as 0
    args.eval_on_start = held_out is not None and not request.get("resumeFrom")
    trainer = choose_trainer(args)(
        model=model.model_name_or_path,
        args=args,
        train_dataset=rows,
        eval_dataset=held_out,
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
    )
    trainer.add_callback(make_callback(request, lambda: trainer))
    check_trainer(trainer, request, rows)
    trainer.train(resume_from_checkpoint=request.get("resumeFrom"))
    if trainer.is_fsdp_enabled:  # checkpoints may be in parts; the result is whole
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    trainer.save_model(os.path.join(request["output"], "model"))
    if request.get("external"):
        from external import mark_end

        mark_end(request, trainer)
    emit("end", step=trainer.state.global_step)
    if hasattr(trainer, "end"):
        trainer.end()


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        request = json.load(file)
    is_first = os.environ.get("RANK", "0") == "0"
    lock = None
    try:
        if request.get("external"):
            from external import open_run

            request.update(open_run(request, is_first))
        else:
            end_with_parent()
            lock = take_lock(request["lock"]) if is_first else None
        import torch

        torch.set_float32_matmul_precision(request.get("matmulPrecision", "highest"))
        if request.get("objective") == "grpo":
            from grpo import run_grpo

            run_grpo(sys.argv[1], request, emit, make_callback)
        else:
            run(sys.argv[1], request)
    except Exception as error:
        from preflight import Refused

        if isinstance(error, Refused):
            emit("refused", **error.fields)
            if request.get("external") and is_first:
                print(f"error: {error.fields.get('place', '')} {error}", file=sys.stderr, flush=True)
        else:
            emit("failed", kind=find_kind(error), message=f"{type(error).__name__}: {error}")
        if isinstance(error, Refused):
            os._exit(3)
        raise
    finally:
        if lock:
            lock.close()


if __name__ == "__main__":
    main()
