/** For tests of training: a Llama model of two layers with random weights and the small model's tokenizer. */
import { execFileSync } from 'node:child_process'
import { resolveModel } from '../src/engines/models/models.ts'
import { prepareBase } from '../src/train/base.ts'
import { findEnvironment, setUpEnvironment } from '../src/train/environment.ts'

const script = `
import sys, torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
torch.manual_seed(0)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=True,
    bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
LlamaForCausalLM(config).save_pretrained(sys.argv[2])
tokenizer.save_pretrained(sys.argv[2])
`

/** Sets the trainer up if it is missing, and writes the model to `folder`. */
export async function makeTiny(folder: string): Promise<void> {
  await setUpEnvironment()
  const { python } = findEnvironment()
  const signal = new AbortController().signal
  const { model } = await prepareBase('smollm2', { python, findGguf: resolveModel, signal, onLine: () => {} })
  execFileSync(python, ['-c', script, model, folder], { stdio: 'pipe' })
}
