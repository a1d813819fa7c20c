"""What a run needs that a scheduler starts: it finds its own checkpoint, and it keeps others out of its folder.

The locks of files do not hold between machines on some shared file systems. So the first process renews a lease: a file
that is made once, and whose time says that its writer lives.
"""

import json
import os
import shutil
import socket
import threading
import time

from preflight import Refused

RENEW_SECONDS = 20
LEASE_SECONDS = 120


def open_run(request, is_first):
    """Returns the fields of the request that depend on what is in the folder."""
    output = request["output"]
    end_with_launcher()
    if is_first:
        take_lease(os.path.join(output, "trainer.lease"))
    step = find_checkpoint(output)
    before = {"tokens": 0, "seconds": 0}
    if is_first:
        before = cut_after(output, step) or before
    return {"resumeFrom": os.path.join(output, f"checkpoint-{step}") if step else None, "before": before}


def end_with_launcher():
    """Ends this process when torchrun is killed: the others would wait for its machine, and it would train without them."""
    launcher = os.getppid()

    def wait():
        while os.getppid() == launcher:
            time.sleep(1)
        os._exit(125)

    threading.Thread(target=wait, daemon=True).start()


def find_checkpoint(output):
    """Returns the step of the newest checkpoint that is marked as complete; 0 if there is none."""
    return max((step for step in steps_in(output) if is_complete(output, step)), default=0)


def is_complete(output, step):
    return os.path.exists(os.path.join(output, f"checkpoint-{step}", "complete"))


def steps_in(output):
    names = (name.removeprefix("checkpoint-") for name in os.listdir(output) if name.startswith("checkpoint-"))
    return [int(name) for name in names if name.isdigit()]


def cut_after(output, step):
    """Removes what was written after a step, and returns tokens and seconds up to it."""
    for later in steps_in(output):
        if later > step:
            shutil.rmtree(os.path.join(output, f"checkpoint-{later}"), ignore_errors=True)
    shutil.rmtree(os.path.join(output, "model"), ignore_errors=True)
    kept = [cut_lines(os.path.join(output, name), step) for name in ("metrics.jsonl", "eval.jsonl")]
    last = kept[0][-1] if kept[0] else None
    return last and {"tokens": last["tokens"], "seconds": last["seconds"]}


def cut_lines(name, step):
    if not os.path.exists(name):
        return []
    kept = []
    with open(name, encoding="utf-8") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                break  # a kill cut the last line
            if record["step"] <= step:
                kept.append(record)
    with open(f"{name}.tmp", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in kept)
    os.replace(f"{name}.tmp", name)
    return kept


def take_lease(name):
    """Keeps other trainers out of the folder while this process lives."""
    me = {"host": socket.gethostname(), "pid": os.getpid()}
    try:
        make_lease(name, me)
    except FileExistsError:
        holder = read_holder(name)
        if holder:
            raise Refused(f"the folder is in use by process {holder['pid']} on {holder['host']}: end it first") from None
        os.unlink(name)
        make_lease(name, me)

    def renew():
        while True:
            time.sleep(RENEW_SECONDS)
            try:
                os.utime(name)
            except OSError:
                pass  # a file system that does not answer for a moment

    threading.Thread(target=renew, daemon=True).start()


def make_lease(name, me):
    with open(name, "x", encoding="utf-8") as file:
        json.dump(me, file)


def read_holder(name):
    """Returns who has the lease; None if its holder has ended."""
    try:
        if time.time() - os.stat(name).st_mtime > LEASE_SECONDS:
            return None
        with open(name, encoding="utf-8") as file:
            holder = json.load(file)
        if holder["host"] == socket.gethostname():
            os.kill(holder["pid"], 0)
        return holder
    except (ProcessLookupError, FileNotFoundError, ValueError):
        return None
    except PermissionError:
        return holder


def mark_end(request, trainer):
    """Marks the weights as complete when all processes are done."""
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        open(os.path.join(request["output"], "model", "complete"), "w").close()
        os.unlink(os.path.join(request["output"], "trainer.lease"))
