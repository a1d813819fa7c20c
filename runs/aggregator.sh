#!/usr/bin/env bash
# Two experiments on GSM8K's file of model solutions: four graded answers to each question of its test set. One half of the
# questions trains, the other tests, so the models are for measuring only.
#   Convergence: twins with and without proposals, with the same rows, order and steps; one pair per seed.
#   Choosing: an aggregator that learns to compare drafts before it answers, compared with the majority and others; and a
#   model (sft-long) that learns the solutions without drafts in as many steps at the same rate, for the first seed only.
#   runs/aggregator.sh SOLUTIONS.jsonl [OUT]    resumes if you start it again. SEEDS and STEPS set the size of the first
#                                               experiment; CHOOSING (seeds, or none), COMPARE_STEPS, TEST and KINDS that
#                                               of the second
set -euo pipefail
cd "$(dirname "$0")/.."
solutions=$1 out=${2:-.cache/runs/aggregator}
seeds=${SEEDS:-7 8 9} steps=${STEPS:-24} choosing=${CHOOSING-7} compare_steps=${COMPARE_STEPS:-480} tie_steps=66 test=${TEST:-660}
recipe=recipes/smollm2-135m-cpu.yaml
aft() { npx aft "$@"; }
node() { node_modules/.bin/node "$@"; }
train() { # OUT, then what differs from the recipe
  local folder=$1
  shift
  [ -e "$folder/aft-model.json" ] || aft train "$recipe" "$@" -o "$folder"
}

aft train setup
mkdir -p "$out/answers"
[ -e "$out/rows/test-shown.jsonl" ] || node runs/aggregator-rows.ts "$solutions" "$out/rows" --warm-up 400 --orders 1
for rows in test test-shown; do head -n "$test" "$out/rows/$rows.jsonl" >"$out/$rows.jsonl"; done
[ -d "$out/data" ] || aft data build "$out/rows/train-solutions.jsonl" --format gsm8k-solutions --decontaminate none \
  --sft-twin --validation 0.05 -o "$out/data"

for seed in $seeds; do
  for kind in aft sft; do
    train "$out/$kind-$seed" --data "$out/data" --rows "$kind" --set seed="$seed" \
      --set max_steps="$steps" --set eval_steps="$((steps / 4))" --set save_steps="$((steps / 4))"
  done
done
group() { local list=; for seed in $seeds; do list=$list,$out/$1-$seed; done; echo "$1=${list#,}"; }
aft analyze convergence --group "$(group aft)" --group "$(group sft)" -o "$out/convergence"
[ -n "$choosing" ] || exit 0

# First how drafts compare, then more of the ties that are rare among them.
learn() { # OUT SEED STEPS RATE WARM_UP, then what differs from the recipe
  local folder=$1 seed=$2 steps=$3 rate=$4 warm_up=$5
  shift 5
  train "$folder" --set seed="$seed" --set max_steps="$steps" --set learning_rate="$rate" \
    --set warmup_steps="$warm_up" --set save_steps="$((steps / 10))" "$@"
}
in_order=(--set max_length=1000 --set too_long=drop --set 'trl={train_sampling_strategy: sequential}')
for seed in $choosing; do
  learn "$out/compare-$seed" "$seed" "$compare_steps" 1e-3 20 --data "$out/rows/compare" "${in_order[@]}"
  [ -d "$out/compared-$seed" ] ||
    aft train export "$out/compare-$seed" --dtype float32 -o "$out/compared-$seed"
  learn "$out/ties-$seed" "$seed" "$tie_steps" 5e-4 5 --data "$out/rows/ties" "${in_order[@]}" \
    --set base="$out/compared-$seed"
done
kinds=${KINDS:-sft aft sft-long compare} first=${choosing%% *}
[[ " $kinds " != *' sft-long '* ]] ||
  learn "$out/sft-long-$first" "$first" "$((compare_steps + tie_steps))" 1e-3 20 --data "$out/data" --rows sft

# Greedy answers; what was written is not written again.
label() { # NAME MODEL ROWS [--template FILE]
  local name=$1 model=$2 rows=$3
  shift 3
  [ -e "$out/answers/$name.jsonl" ] || aft data label "$out/$rows.jsonl" --model "$model" --temperature 0 \
    --max-tokens 320 -o "$out/answers/$name.jsonl" "$@"
}
alone() { # NAME MODEL
  [ -e "$out/answers/$1.jsonl" ] || aft run "$out/test.jsonl" --model "$2" --strategy single --temperature 0 \
    --max-tokens 256 -o "$out/answers/$1.jsonl"
}
label untrained smollm2 test
args=()
for kind in $kinds; do
  files= of=$seeds
  [ "$kind" != compare ] || of=$choosing
  [ "$kind" != sft-long ] || of=$first
  for seed in $of; do
    name=${kind/#compare/ties}-$seed
    case $kind in
      sft | sft-long) alone "$name" "$out/$name" ;;
      aft) label "$name" "$out/$name" test ;;
      compare) label "$name" "$out/$name" test-shown --template runs/aggregator-template.json --max-tokens 400 ;;
    esac
    files=$files,$out/answers/$name.jsonl
  done
  args+=("$kind=${files#,}")
done
node runs/aggregator-table.ts "$out/test.jsonl" --train "$out/rows/train-solutions.jsonl" untrained="$out/answers/untrained.jsonl" "${args[@]}" -o "$out/choosing.json"
