#!/usr/bin/env bash
# Can a model learn to find in its own drafts what one pass cannot find? Puzzles whose first word depends on the last:
# `docs/data.md` says which. For each seed:
#   1. proposer: learns to write right answers, without drafts
#   2. first, wide, aft: drafts to right answers and nothing else. `first` has small puzzles in one wording, until it reads its
#      drafts; `wide` has larger ones. Their drafts are guesses, those of `aft` are the proposer's own
#   3. twin: from the proposer, the prompts of these three without drafts, as many steps
#   4. tests: unseen prompts, unseen wordings, a larger size, timetables, and ladders, which only the proposer was trained on
# The tables compare the AFT model with one answer, a long one, votes and picks of as many completions, the twin, and a program
# that merges the right parts of the drafts.
# `runs/routes-grid.sh` asks the AFT model with other numbers of drafts, in more layers and in reverse.
# What writes many tokens (a long answer, the judge, the untrained aggregator) answers the first REST questions of one test.
#   runs/routes.sh [OUT]      resumes if you start it again. SEEDS, PROPOSER_STEPS, FIRST_STEPS, WIDE_STEPS (at most), STEPS (updates of
#                             8 rows), TEST (questions of the first test), SIDE (of the others), REST and WIDTH set its size; BASE and
#                             BATCH change the recipe; THREADS those of the tests. TESTS=only tests what is trained;
#                             SAVE=NAME keeps the tables and every answer in bench/results.
#                             CONTINUE=MODEL goes on from a trained model, such as aft-routes, in place of the first stage; its
#                             proposer is MODEL/proposer. The twin takes BEFORE more updates: as many as MODEL has had
#                             MATMUL=medium rounds products of matrices to bfloat16 after the first stage, faster on a CPU with AMX
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/routes}
seeds=${SEEDS:-1 2 3} proposer_steps=${PROPOSER_STEPS:-250} first_steps=${FIRST_STEPS:-400} wide_steps=${WIDE_STEPS:-250} steps=${STEPS:-150}
test=${TEST:-400} side=${SIDE:-${TEST:-400}} rest=${REST:-200} width=${WIDTH:-4} batch=${BATCH:-8}
small=routes:choices=2,steps=3,wordings=1
one=routes:choices=3,steps=3 two=routes:choices=3,steps=3,parts=2
large=$two,wordings=1-3+$two,wordings=6-13+$two,wordings=6-13+$one,wordings=1-3+$one,wordings=6-13+timetables:choices=3,steps=2,parts=2
held_out=ladders:choices=3,steps=2,parts=2
declare -A tests=(
  [prompts]=$two,wordings=1-3
  [wordings]=$two,wordings=4-5
  [larger]=routes:choices=4,steps=3,parts=2,wordings=1-3
  [ladders]=$held_out
  [timetables]=timetables:choices=3,steps=2,parts=2
)
aft() { node_modules/.bin/node bin/aft.js "$@"; }
node() { node_modules/.bin/node "$@"; }
build() { # OUT, then what differs
  local folder=$1
  shift
  [ -d "$folder" ] || aft data build "$@" --min-proposals 1 --proposals "$width" --no-near-duplicates --keep-equal --sft-twin --validation 0.03 \
    --template runs/routes-template.json -o "$folder"
}
rows_of() { echo $(($1 * batch * 21 / 20 + 150)); } # STEPS
made() { # OUT SEED STEPS PUZZLES
  build "$1" --format puzzles --puzzles "$4" --problems "$(rows_of "$3")" --seed "$2"
}
train() { # OUT SEED STEPS, then what differs from the recipe
  local folder=$1 seed=$2 of=$3
  shift 3
  [ -e "$folder/aft-model.json" ] || aft train runs/routes-recipe.yaml --set seed="$seed" --set max_steps="$of" \
    --set per_device_train_batch_size="$batch" --set save_steps="$((of > 4 ? of / 4 : 1))" \
    --set eval_steps="$((of > 5 ? of / 5 : 1))" "$@" -o "$folder"
  [ -d "$folder-weights" ] || aft train export "$folder" --dtype float32 -o "$folder-weights"
}
rounded=(--set matmul_precision="${MATMUL:-highest}")
constant=(--set lr_scheduler_type=constant_with_warmup)
drafts=single,oracle,oracle-same,majority,majority-same,majority-parts,majority-parts-same
measure() { # FOLDER TEST MODEL QUESTIONS CONTROLS, then what differs
  local folder=$at/$1 name=$2 model=$3 limit=$4 controls=$5
  shift 5
  aft eval puzzles "$out/tests/$name.jsonl" --model "$at/$model" --limit "$limit" --controls "$controls" "$@" \
    --template runs/routes-template.json --width "$width" --depth 1 --temperature 1 --answer-temperature 0 --max-tokens 64 --judge-max-tokens 16 \
    --concurrency 24 ${THREADS:+--threads "$THREADS"} --seed "$seed" -o "$folder" >/dev/null
}
updates_of() { tail -n 1 "$1/metrics.jsonl" | sed 's/.*"step": *\([0-9]*\).*/\1/'; } # FOLDER
twin() { # NAME STEPS DATA BEFORE
  train "$at/$1" "$seed" "$2" --data "$at/$3" --rows sft "${rounded[@]}" --set base="$at/$4-weights"
}

if [ "${TESTS:-}" != only ]; then aft train setup; fi
mkdir -p "$out/tests"
for name in "${!tests[@]}"; do
  [ -e "$out/tests/$name.jsonl" ] || node runs/puzzle-rows.ts "${tests[$name]}" "$test" 99 "$out/tests/$name.jsonl"
done

train_all() {
  made "$at/data-proposer" "1$seed" "$proposer_steps" "$large+$held_out"
  local before=${BEFORE:-250} base=${CONTINUE:+$CONTINUE/proposer}
  base=${base:-${BASE:-}}
  train "$at/proposer" "$seed" "$proposer_steps" --data "$at/data-proposer" --rows sft "${rounded[@]}" ${base:+--set base="$base"}

  if [ -n "${CONTINUE:-}" ]; then made "$at/data-first" "2$seed" "$before" "$large"
  else made "$at/data-first" "2$seed" "$first_steps" "$small"; fi
  made "$at/data-wide" "4$seed" "$wide_steps" "$large"
  rows=$at/prompts.jsonl
  [ -e "$rows" ] || node runs/puzzle-rows.ts "$large" "$(rows_of "$steps")" "3$seed" "$rows"
  aft data propose "$rows" --model "$at/proposer" --proposals "$width" --temperature 1 --max-tokens 64 -o "$at/drafts.jsonl"
  build "$at/data" "$at/drafts.jsonl" --target-file "$rows" --seed "$seed"

  if [ -n "${CONTINUE:-}" ]; then
    train_wide "$CONTINUE" --set learning_rate=2.0e-4
  else
    # The sudden step comes after 50 updates, or 140, or later, or never: a stage ends when the held-out loss has fallen.
    train "$at/first" "$seed" "$first_steps" "${constant[@]}" --set stop_at_loss=0.03 \
      --set eval_steps="$((first_steps < 20 ? first_steps : 20))" --data "$at/data-first" ${BASE:+--set base="$BASE"}
    train_wide "$at/first-weights"
    before=$(updates_of "$at/first")
  fi
  train "$at/aft" "$seed" "$steps" --data "$at/data" "${rounded[@]}" --set base="$at/wide-weights"
  twin twin-first "$before" data-first proposer
  twin twin-wide "$(updates_of "$at/wide")" data-wide twin-first
  twin twin "$steps" data twin-wide
}
train_wide() { # BASE, then what differs
  local from=$1
  shift
  train "$at/wide" "$seed" "$wide_steps" "${constant[@]}" --set stop_at_loss=0.005 \
    --set eval_steps="$((wide_steps < 25 ? wide_steps : 25))" --data "$at/data-wide" "${rounded[@]}" --set base="$from" "$@"
}

for seed in $seeds; do
  at=$out/$seed
  mkdir -p "$at"
  if [ "${TESTS:-}" != only ]; then train_all; fi
  questions=$test
  for name in prompts wordings larger ladders timetables; do
    measure "$name-proposer" "$name" proposer "$questions" "$drafts,trained" --trained "$at/aft"
    measure "$name-twin" "$name" twin "$questions" "$drafts"
    questions=$side
  done
  measure prompts-rest prompts proposer "$((rest < test ? rest : test))" single-long,judge-same,aggregated
done
node runs/routes-table.ts "$out" $seeds ${SAVE:+--save "$SAVE"}
