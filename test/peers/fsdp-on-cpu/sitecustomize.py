"""For a test: accelerate takes FSDP for processes on CPUs, too. Otherwise it trains them as plain copies, without a word."""
import importlib.abc
import importlib.machinery
import sys

LIST = "            elif self.distributed_type in [\n                DistributedType.MULTI_GPU,\n"


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "accelerate.state":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        source_of = spec.loader.get_source

        def exec_module(module):
            source = source_of(name)
            assert source.count(LIST) == 1
            exec(compile(source.replace(LIST, LIST + "                DistributedType.MULTI_CPU,\n"), spec.origin, "exec"), module.__dict__)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())
