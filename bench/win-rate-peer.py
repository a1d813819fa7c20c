"""The length-controlled win rate by the alpaca_eval package: one line of JSON for each annotations file."""
import json
import sys
import time

import pandas as pd
from alpaca_eval.metrics import glm_winrate

gamed, *files = sys.argv[1:]
glm_winrate.hf_hub_download = lambda **_: gamed  # the package has it from the model hub

for file in files:
    start = time.perf_counter()
    rows = pd.DataFrame(json.load(open(file)))
    metrics = glm_winrate.get_length_controlled_winrate(
        rows, save_weights_dir=None, is_add_glm_preference_inplace=False, is_warn_extreme_changes=False
    )
    seconds = time.perf_counter() - start
    print(json.dumps({"win_rate": metrics["win_rate"], "lc_win_rate": metrics["length_controlled_winrate"], "seconds": seconds}))
