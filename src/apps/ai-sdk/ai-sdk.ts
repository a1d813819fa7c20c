/** `createAft` makes a language model of the AI SDK (specification v4) that aggregates in the app's own process. */
import {
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
  NoSuchModelError,
  type ProviderV4,
  type SharedV4Warning,
} from '@ai-sdk/provider'
import type { z } from 'zod'
import type { Engine } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import type { Template } from '../../core/provider/template.ts'
import { type AiSdkModel, fromAiSdk } from '../../engines/ai-sdk/ai-sdk.ts'
import { isModel } from '../../engines/ai-sdk/is-model.ts'
import { checkEngines, givenEngines } from '../../engines/given-engines.ts'
import { describeIssue, inWords } from '../../files/json-file.ts'
import { builtInPresets, type Preset } from '../../plans/presets.ts'
import { limitsOf, type PlanOptions } from '../../plans/strategies.ts'
import { templateOf, templateOptions, type Wordings, wordingsOf } from '../../plans/wording.ts'
import { makeAsk } from '../../request/ask.ts'
import { createDraftStore, type DraftStore } from '../../request/drafts.ts'
import { type Ask, answerLive, type Sink } from '../../request/live.ts'
import { type AftOptions, aftSchema, type Offer } from '../../request/plans.ts'
import { contentOf, endingOf, noUsage, partWriter } from './parts.ts'
import { fromFormat, fromPrompt, fromTool, fromToolChoice } from './prompt.ts'

/**
 * Options of the provider. Give one `engine` for all roles, or `engines` by name, with the names that propose and
 * aggregate. The other fields are options of the plan. They apply if neither preset nor call sets them.
 */
export interface AftProviderOptions
  extends Omit<Partial<PlanOptions>, 'template' | 'engineTemplates' | 'schema'> {
  engine?: Engine | AiSdkModel
  engines?: Record<string, Engine | AiSdkModel>
  /** Models next to `aft`, `aft-fast`, `paper`, `moa`, `rsa` and `single`. */
  presets?: Record<string, Preset>
  /** For all models. Default: the one that the model of the last layer was trained with, or that of the preset. */
  template?: Template
  /** Send proposals as reasoning parts, and keep their texts in the trace. Default false. */
  showProposals?: boolean
}

/** A provider of the AI SDK. Call it with the name of a preset. */
export interface AftProvider extends ProviderV4 {
  (modelId: string): LanguageModelV4
}

/**
 * Makes a provider of the AI SDK. It needs no server. A call's `providerOptions.aft` takes the same options as a server's
 * field `aft`: `width`, `depth`, `strategy`, `proposers`, `aggregators`, `enabled`, `showProposals` and more.
 * @throws UsageError without an engine; for an unknown model, the provider throws the AI SDK's NoSuchModelError
 * @example
 * import { generateText } from 'ai'
 * import { openEngine } from 'aft'
 * import { createAft } from 'aft/ai-sdk'
 *
 * const aft = createAft({ engine: await openEngine('smollm2'), width: 3, depth: 1 })
 * const { text } = await generateText({ model: aft('aft'), prompt: 'Why is the sky blue?' })
 */
export function createAft(options: AftProviderOptions): AftProvider {
  const given = givenEngines<Engine | AiSdkModel>(options, () => 'engine')
  const { engine, engines, presets, template, showProposals = false, ...plan } = options
  const opened = Object.fromEntries(Object.entries(given).map(([name, made]) => [name, toEngine(made)]))
  checkEngines(opened)
  if ('schema' in plan)
    throw new UsageError('`schema`: give each call its own, with Output.object({ schema })')
  const names = Object.keys(opened)
  const limits = { engineMaxTokens: limitsOf(opened) }
  const wordings = wordingsOf(opened, template)
  const base: PlanOptions = { proposers: names, ...plan, ...limits, ...templateOptions(wordings) }
  const offer: Offer = {
    base,
    presets: { ...builtInPresets(base), ...presets },
    engines: names,
    limits: { width: 1_000, depth: 100, maxTokens: Number.MAX_SAFE_INTEGER },
  }
  const drafts = createDraftStore({ maxBytes: MAX_DRAFT_BYTES })
  const languageModel = (modelId: string) => {
    if (!Object.hasOwn(offer.presets, modelId))
      throw new NoSuchModelError({ modelId, modelType: 'languageModel' })
    return makeModel(modelId, { offer, engines: opened, wordings, showProposals, drafts })
  }
  const without = (modelType: 'embeddingModel' | 'imageModel') => (modelId: string) => {
    throw new NoSuchModelError({ modelId, modelType })
  }
  return Object.assign((modelId: string) => languageModel(modelId), {
    specificationVersion: 'v4' as const,
    languageModel,
    embeddingModel: without('embeddingModel'),
    imageModel: without('imageModel'),
  })
}

function toEngine(made: Engine | AiSdkModel): Engine {
  return isModel(made) ? fromAiSdk(made) : made
}

interface Setup {
  offer: Offer
  engines: Record<string, Engine>
  wordings: Wordings
  showProposals: boolean
  drafts: DraftStore
}

/** Most bytes of drafts that a provider keeps for loops of tool calls. */
const MAX_DRAFT_BYTES = 16 * 2 ** 20

function makeModel(modelId: string, setup: Setup): LanguageModelV4 {
  const answerTo = (ask: Ask, signal: AbortSignal, sink?: Sink) => {
    const template = templateOf(ask.plan, setup.wordings)
    return answerLive(ask, { ...setup, template, signal }, sink)
  }
  return {
    specificationVersion: 'v4',
    provider: 'aft',
    modelId,
    supportedUrls: { 'image/*': [/^https?:\/\//] },
    doGenerate: async (options) => {
      const { ask, warnings } = readCall(modelId, options, setup)
      const signal = options.abortSignal ?? new AbortController().signal
      const answered = await answerTo(ask, signal)
      return {
        content: contentOf(answered, ask.showProposals),
        warnings,
        ...endingOf(answered, ask.showProposals),
      }
    },
    doStream: async (options) => {
      const { ask, warnings } = readCall(modelId, options, setup)
      const left = new AbortController()
      const signal = options.abortSignal ? AbortSignal.any([options.abortSignal, left.signal]) : left.signal
      const stream = new ReadableStream<LanguageModelV4StreamPart>({
        start: async (controller) => {
          const send = (part: LanguageModelV4StreamPart) => left.signal.aborted || controller.enqueue(part)
          send({ type: 'stream-start', warnings })
          const writer = partWriter(send, ask.showProposals)
          try {
            // The writer sends the proposals as separate parts, so they must not be in the answer's reasoning too.
            const plain = { ...ask, showProposals: false }
            const answered = await answerTo(plain, signal, writer.sink())
            writer.end()
            send({ type: 'finish', ...endingOf(answered, ask.showProposals) })
          } catch (error) {
            send({ type: 'error', error })
            send({ type: 'finish', usage: noUsage, finishReason: { unified: 'error', raw: undefined } })
          }
          if (!left.signal.aborted) controller.close()
        },
        cancel: () => left.abort(),
      })
      return { stream }
    },
  }
}

/**
 * Reads what a call asks for, with warnings about options that have no meaning here.
 * @throws UsageError for a wrong `providerOptions.aft`, or for a plan that is not possible
 */
function readCall(model: string, options: LanguageModelV4CallOptions, { offer, showProposals }: Setup) {
  const warnings: SharedV4Warning[] = []
  const unsupported = (feature: string) => warnings.push({ type: 'unsupported', feature })
  const aft = readAft(options.providerOptions?.aft)
  const { maxOutputTokens: maxTokens, temperature, topP, topK, presencePenalty, frequencyPenalty } = options
  for (const tool of options.tools ?? []) if (tool.type === 'provider') unsupported(`tool ${tool.id}`)
  const reasoning = options.reasoning === 'provider-default' ? undefined : options.reasoning
  const ask = makeAsk(
    {
      model,
      aft: { ...aft, showProposals: aft.showProposals ?? showProposals },
      prompt: readPrompt(options),
      seed: options.seed,
      sampling: { maxTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, reasoning },
      formatParam: 'responseFormat.schema',
      maxTokensParam: 'maxOutputTokens',
    },
    offer,
  )
  warnings.push(...ask.warnings.map((message) => ({ type: 'other' as const, message })))
  return { ask, warnings }
}

function readPrompt(options: LanguageModelV4CallOptions): Ask['prompt'] {
  const tools = (options.tools ?? []).filter((tool) => tool.type === 'function').map(fromTool)
  const responseFormat = fromFormat(options.responseFormat)
  return {
    messages: fromPrompt(options.prompt),
    ...(options.stopSequences?.length && { stop: options.stopSequences }),
    ...(tools.length > 0 && { tools }),
    ...(tools.length > 0 && options.toolChoice && { toolChoice: fromToolChoice(options.toolChoice) }),
    ...(responseFormat && { responseFormat }),
  }
}

function readAft(value: unknown = {}): AftOptions {
  const parsed = aftSchema.safeParse(value, inWords)
  if (parsed.success) return parsed.data
  throw new UsageError(
    `providerOptions.aft: ${describeIssue(parsed.error.issues[0] as z.core.$ZodIssue, value)}`,
  )
}
