"""Prints what this Python has, as JSON: `check.py NAME…` prints versions, `check.py --import NAME…` also imports them."""

import importlib
import importlib.metadata
import json
import sys


def version_of(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def import_all(names):
    failures = {}
    for name in names:
        try:
            importlib.import_module(name.replace("-", "_"))
        except Exception as error:  # a broken package can raise anything
            failures[name] = f"{type(error).__name__}: {error}"
    return failures


def find_devices():
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def main(arguments):
    names = [name for name in arguments if name != "--import"]
    facts = {"python": sys.version.split()[0], "versions": {name: version_of(name) for name in names}}
    if "--import" in arguments:
        facts["failures"] = import_all([name for name in names if facts["versions"][name]])
        facts["devices"] = find_devices() if "torch" not in facts["failures"] and facts["versions"].get("torch") else []
    print(json.dumps(facts))


main(sys.argv[1:])
