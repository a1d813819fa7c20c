#!/usr/bin/env bash
# Two claims of the paper, taken apart on the answers of six systems to AlpacaEval, with an aggregation of them as the target:
#   1. drafts put the target into a region of low perplexity: how much of it is copying, for 1 to 5 drafts, good and bad ones,
#      in reverse order, before and after training on other rows. SmolLM2-135M and Gemma 3 270M, a base model that the
#      trainer has no chat template for: it is measured before training only
#   2. training on drafts converges faster and is more stable: SEEDS pairs of twins, 60 held-out rows, loss by rows and seeds
#      over steps, tokens and FLOPs, and the noise of gradients at fixed weights
# All rows are benchmark questions, so the models are for measuring only. Not yet run at full size: about eight hours on two cores.
#   runs/low-perplexity.sh ALPACA_EVAL [OUT]   the folder with outputs/ and published.csv. It resumes if you start it again.
#                                              ROWS, SEEDS, STEPS, EVALS, MAX_CHARS, EXAMPLE_TOKENS (of a row to
#                                              train on), VALIDATION, MODELS and THREADS set its size; SAVE=NAME keeps the
#                                              tables and the figures of every row in bench/results
set -euo pipefail
cd "$(dirname "$0")/.."
source=$1 out=${2:-.cache/runs/low-perplexity}
rows=${ROWS:-300} seeds=${SEEDS:-7 8 9} steps=${STEPS:-48} evals=${EVALS:-4} models=${MODELS-smollm2-q8_0 gemma3-270m} recipe=${RECIPE:-recipes/smollm2-135m-cpu.yaml}
threads=(${THREADS:+--threads "$THREADS"})
aft() { npx aft "$@"; }
node() { node_modules/.bin/node "$@"; }
aft train setup
[ -e "$out/targets.json" ] ||
  node runs/alpaca-split.ts "$source/outputs" "$out" "$source/published.csv" Together-MoA.json "$rows" "${MAX_CHARS:-12000}"

measure() { # NAME FOLDER MODEL, then what differs
  local name=$1 folder=$2 model=$3
  shift 3
  aft analyze perplexity "$out/$folder" --format alpaca-eval \
    --target-file "$out/targets.json" --model "$model" "${threads[@]}" "$@" -o "$out/perplexity/$name" >/dev/null
}
for model in $models; do
  measure "$model-dose" test "$model" --proposals 5 --each
  for quality in best worst; do measure "$model-$quality" "$quality" "$model" --proposals 2; done
done

[ -d "$out/data" ] || aft data build "$out/train" --format alpaca-eval --target-file "$out/targets.json" --proposals 5 \
  --decontaminate none --max-example-tokens "${EXAMPLE_TOKENS:-1500}" --tokenizer smollm2 --sft-twin --validation "${VALIDATION:-0.125}" -o "$out/data"
for seed in $seeds; do
  for kind in aft sft; do
    [ -e "$out/$kind-$seed/aft-model.json" ] || aft train "$recipe" --data "$out/data" --rows "$kind" --set seed="$seed" \
      --set max_steps="$steps" --set eval_steps="$((steps / evals))" --set save_steps="$((steps / evals))" \
      --set 'trl={save_total_limit: 20}' -o "$out/$kind-$seed"
  done
done
first=${seeds%% *}
for kind in aft sft; do
  [ ! -e "$out/$kind-$first/adapter.gguf" ] ||
    measure "$kind-trained" test smollm2-q8_0 --proposals 5 --each --lora "$out/$kind-$first/adapter.gguf"
done

group() { local list=; for seed in $seeds; do list=$list,$out/$1-$seed; done; echo "${list#,}"; }
aft analyze convergence --group "aft=$(group aft)" --group "sft=$(group sft)" -o "$out/convergence"
node runs/low-perplexity-table.ts "$out" --noise-rows "${NOISE_ROWS:-32}" --aft "$(group aft)" --sft "$(group sft)" ${SAVE:+--save "$SAVE"}
