#!/usr/bin/env bash
# The paper's experiment: trainings crossed with ways to answer, at equal numbers of completions. It wants one node of 8 GPUs.
# Never run there; run here with a model of two layers (test/paper.slow.test.ts).
#   runs/paper.sh ULTRAFEEDBACK_FOLDER TARGETS.jsonl [llama-3.1-8b | mistral-7b | RECIPE.yaml]
# TARGETS.jsonl has a stronger model's aggregation for each prompt, as `aft data label` writes it, without its proposals.
#
#   arms (ARMS)       sft        the prompts and targets, without proposals
#                     off        with UltraFeedback's responses as proposals
#                     off-plain  the same, and PLAIN (0.1) of the rows without proposals too
#                     on         with proposals that the base model itself wrote; needs BASE_MODEL
#   methods           one answer, one long answer, votes and picks among as many completions, 5 x 2 aggregation
#   benchmarks        AlpacaEval 2 and MT-Bench (need JUDGE), GSM8K, IFEval
#
# It resumes at each line if you start it again. It does what the settings allow, and says what the rest needs:
#   DRY=1             prints rows, updates, hours, disk, calls, tokens and money; trains nothing and asks no model
#   BASE_MODEL        address of the base model, such as http://127.0.0.1:8000/v1#meta-llama/Llama-3.1-8B, for the arm `on`
#   SERVED            where each arm answers once it is served: "sft=http://...#NAME off=http://...#NAME"; `here` opens the GGUF
#                     files of the run in this process, for small models
#   JUDGE             an engine such as openai:gpt-4.1. The paper's judge, gpt-4-1106-preview, is no longer served
#   TRAIN             fields of the recipe to change: "max_steps=30 per_device_train_batch_size=2"
#   LIMIT, MAX_TOKENS, WIDTH, DEPTH, TFLOPS
#   ALPACA_EVAL, MT_BENCH, GSM8K, IFEVAL, JUDGE_TEMPLATE, GAMED, DIFFICULTY    benchmark files; the others are fetched
#   OUT               the folder for all results
set -euo pipefail
cd "$(dirname "$0")/.."
source=$1 targets=$2 recipe=${3:-llama-3.1-8b}
[ -e "$recipe" ] || recipe=recipes/$recipe.yaml
out=${OUT:-.cache/runs/$(basename "$recipe" .yaml)}
arms=${ARMS:-sft off off-plain on} width=${WIDTH:-5} depth=${DEPTH:-2} max_tokens=${MAX_TOKENS:-4096}
dry=${DRY:+--dry-run}
aft() { npx aft "$@"; }
say() { echo "paper.sh: $*" >&2; }
sets=() limit=()
for field in ${TRAIN:-}; do sets+=(--set "$field"); done
[ -z "${LIMIT:-}" ] || limit=(--limit "$LIMIT")

say "the paper does not give learning rate, epochs, batch size and length; the recipe marks which are ours"
[ -n "$dry" ] || aft train setup
[ -n "$dry" ] || aft doctor
mkdir -p "$out/eval"

# Data. Off-policy proposals are UltraFeedback's responses, on-policy ones the base model's own.
build() { # NAME, then what differs
  local folder=$out/data-$1
  shift
  [ -d "$folder" ] || aft data build "$@" --target-file "$targets" --proposals 4 --sft-twin -o "$folder"
}
build off "$source" --format ultrafeedback
[[ " $arms " != *' off-plain '* ]] || build off-plain "$source" --format ultrafeedback --plain "${PLAIN:-0.1}"
if [[ " $arms " == *' on '* ]]; then
  if [ -z "${BASE_MODEL:-}" ]; then
    say "the arm \"on\" needs BASE_MODEL, the address of the base model; left out"
    arms=$(for arm in $arms; do [ "$arm" = on ] || echo "$arm"; done)
  elif [ -n "$dry" ]; then
    say "on: $(wc -l <"$targets") prompts x 4 proposals of the base model, at most 1,024 tokens each"
  else
    aft data propose "$targets" --model "$BASE_MODEL" --base --proposals 4 --max-tokens 1024 -o "$out/proposed.jsonl"
    build on "$out/proposed.jsonl" --on-policy "$BASE_MODEL"
  fi
fi

# Trainings. The arm sft has the rows of off without their proposals.
data_of() { case $1 in sft) echo "$out/data-off" ;; *) echo "$out/data-$1" ;; esac; }
train() { # ARM, then flags
  local arm=$1 rows=aft
  shift
  [ "$arm" != sft ] || rows=sft
  aft train "$recipe" --data "$(data_of "$arm")" --rows "$rows" "${sets[@]}" "$@"
}
for arm in $arms; do
  if [ -n "$dry" ]; then
    [ ! -d "$(data_of "$arm")" ] || { say "training of $arm:" && train "$arm" --plan ${TFLOPS:+--tflops "$TFLOPS"}; }
    continue
  fi
  [ -e "$out/$arm/README.md" ] || train "$arm" -o "$out/$arm"
  [ -d "$out/$arm-weights" ] || aft train export "$out/$arm" -o "$out/$arm-weights"
done
trained=$(for arm in $arms; do echo "$out/$arm"; done)
[ -n "$dry" ] || aft analyze convergence $trained -o "$out/convergence"

# Where each arm answers.
address() { # ARM
  local one
  for one in ${SERVED:-}; do
    case $one in here) echo "$out/$1" ;; "$1="*) echo "${one#*=}" ;; esac
  done
}
for arm in $arms; do
  [ -z "$(address "$arm")" ] || continue
  say "serve $arm: vllm serve $out/$arm-weights; then add $arm=http://127.0.0.1:8000/v1#$out/$arm-weights to SERVED"
done

# Each benchmark has one folder per arm. GSM8K and IFEval compare all methods over the same completions.
wide=(--width "$width" --depth "$depth" --max-tokens "$max_tokens" "${limit[@]}")
same=$((width * depth + 1))
baseline=${ALPACA_EVAL:-}
for arm in $arms; do
  model=$(address "$arm")
  [ -z "$dry" ] || model=${model:-openai:$arm}
  [ -n "$model" ] || continue
  aft eval gsm8k "${GSM8K:---official}" --model "$model" "${wide[@]}" -o "$out/eval/gsm8k-$arm" $dry
  aft eval ifeval "${IFEVAL:---official}" --model "$model" "${wide[@]}" -o "$out/eval/ifeval-$arm" $dry
  [ -n "${JUDGE:-}" ] || continue
  baseline=${baseline:-$(aft eval fetch alpaca-eval baseline)}
  for method in one best-of-n aggregate; do
    case $method in
      one) how=(--strategy single) ;;
      best-of-n) how=(--strategy best-of-n --width "$same") ;; # answers in prose have no votes; the arm judges its own
      aggregate) how=(--strategy aft --width "$width" --depth "$depth") ;;
    esac
    outputs=$out/eval/$arm-$method.json
    aft run "$baseline" --output-format alpaca-eval --generator "$arm-$method" --model "$model" "${how[@]}" \
      --max-tokens "$max_tokens" -o "$outputs" $dry
    [ -e "$outputs" ] || outputs=$baseline # in a dry run, for its size
    aft eval alpaca-eval --outputs "$outputs" --baseline "$baseline" --judge "$JUDGE" \
      --official ${JUDGE_TEMPLATE:+--judge-template "$JUDGE_TEMPLATE"} ${GAMED:+--gamed "$GAMED"} \
      ${DIFFICULTY:+--instruction-difficulty "$DIFFICULTY"} -o "$out/eval/alpaca-eval-$arm-$method" $dry
  done
  for layers in 0 "$depth"; do
    aft eval mt-bench "${MT_BENCH:---official}" --model "$model" --judge "$JUDGE" --width "$width" --depth "$layers" \
      --max-tokens "$max_tokens" "${limit[@]}" -o "$out/eval/mt-bench-$arm-$layers" $dry
  done
done
[ -n "${JUDGE:-}" ] || say "AlpacaEval 2 and MT-Bench need JUDGE, such as openai:gpt-4.1; left out"
[ -z "$dry" ] || exit 0
results=("$out"/eval/*/result.json)
[ ! -e "${results[0]}" ] || aft report "${results[@]%/result.json}" "$out/convergence" -o "$out/report.html"
