#!/usr/bin/env bash
# How does the AFT model of `runs/routes.sh` do with more or fewer drafts than it was trained with, in more layers, with drafts in
# reverse order, and with drafts of another model? For each seed, over the test `prompts`:
#   grid       each width of WIDTHS at each depth of DEPTHS; 1 x 0 is one answer of the proposer
#   reversed   the drafts in reverse order
#   other      the drafts of OTHER, a model; without it, of the seed's twin
#   runs/routes-grid.sh [OUT]   OUT is that of `runs/routes.sh`; resumes if you start it again. SEEDS, TEST (questions), WIDTHS,
#                               DEPTHS, WIDTH (of the last two) and THREADS set its size
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/routes}
seeds=${SEEDS:-1 2 3} test=${TEST:-100} widths=${WIDTHS:-1,2,4,8,16} depths=${DEPTHS:-0,1,2,3} width=${WIDTH:-4}
aft() { node_modules/.bin/node bin/aft.js "$@"; }
node() { node_modules/.bin/node "$@"; }
shared=(--limit "$test" --template runs/routes-template.json --temperature 1 --max-tokens 64 --concurrency 24 ${THREADS:+--threads "$THREADS"})

for seed in $seeds; do
  at=$out/$seed
  measure() { # FOLDER MODEL, then what differs
    local folder=$at/$1 model=$2
    shift 2
    [ -e "$folder/result.json" ] || aft eval puzzles "$out/tests/prompts.jsonl" --model "$model" --trained "$at/aft" "${shared[@]}" \
      --controls single,oracle,majority-parts-same,trained --width "$width" --depth 1 --seed "$seed" "$@" -o "$folder"
  }
  [ -e "$at/grid/result.json" ] || aft analyze scaling "$out/tests/prompts.jsonl" --task puzzles --model "$at/proposer" --aggregators "$at/aft" \
    --widths "$widths" --depths "$depths" "${shared[@]}" --seed "$seed" -o "$at/grid"
  measure grid-reversed "$at/proposer" --order reversed
  measure grid-other "${OTHER:-$at/twin}"
done
node runs/routes-grid-table.ts "$out" $seeds
