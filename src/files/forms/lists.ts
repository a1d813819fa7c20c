/** Rows with several answers in a list, or in numbered fields. */
import { textOf } from '../../core/provider/engine.ts'
import { asFields, ask, asList, asScore, asText, type Fields, type Response, wrong } from '../rows/row.ts'
import { asTwin, type Form, isFields, isGiven, pick, toResponse } from './form.ts'
import { readAsked } from './question.ts'
import { readTurns } from './turns.ts'

const TARGET = (row: Fields) => (isGiven(row.target) ? asText(row.target, 'target') : undefined)
const isList = (value: unknown) => Array.isArray(value)

/** Our own form. */
export const responses: Form = {
  name: 'responses',
  fields: '{prompt or messages, responses: [text or {text, model, score}], target?}',
  fits: (row) => isGiven(row.responses),
  ask: (row) => readAsked(row).messages,
  responses: (row) =>
    asList(row.responses, 'responses').map((value, i) => readItem(value, `responses[${i}]`)),
  target: TARGET,
}

/** The text of an answer, under the names that data sets have for it. */
const ITEM_TEXTS = ['text', 'response', 'content', 'answer', 'output', 'generation', 'completion']

function readItem(value: unknown, field: string): Response {
  if (typeof value === 'string') return { text: value, model: 'unknown' }
  if (value === null) return { text: '', model: 'unknown' }
  if (isList(value)) return { text: readReply(value, field), model: 'unknown' }
  const item = asFields(value, field)
  const [name, text] = pick(item, ITEM_TEXTS)
  if (typeof text !== 'string') throw wrong(`\`${field}.${name}\` to be text`, text)
  const [[model, by], [rated, score]] = [
    pick(item, ['model', 'generator']),
    pick(item, ['score', 'rating', 'reward']),
  ]
  const read = toResponse(text, [`${field}.${model}`, by], [`${field}.${rated}`, score])
  const rank = asScore(item.rank, `${field}.rank`)
  return {
    ...read,
    ...(read.score === undefined && rank !== undefined && { score: -rank }),
    ...(typeof item.onPolicy === 'boolean' && { onPolicy: item.onPolicy }),
  }
}

function readReply(value: unknown, field: string): string {
  const last = readTurns(value, field).at(-1)
  if (last?.role !== 'assistant') throw wrong(`\`${field}\` to end with the assistant`, last?.role)
  return textOf(last)
}

/** UltraFeedback as published. 2,628 of the overall scores are a wrong 10, so they are not read. */
export const ultrafeedback: Form = {
  name: 'UltraFeedback',
  fields: '{instruction, completions: [{response, model, annotations, …}]}',
  fits: ({ completions }) =>
    isList(completions) &&
    isFields((completions as unknown[])[0]) &&
    'response' in ((completions as Fields[])[0] as Fields),
  ask: (row) => ask(asText(row.instruction, 'instruction')),
  responses: (row) =>
    asList(row.completions, 'completions').map((value, i) =>
      readCompletion(asFields(value, `completions[${i}]`)),
    ),
  target: TARGET,
}

function readCompletion(completion: Fields): Response {
  const { response, model } = completion
  const score =
    asScore(completion['fine-grained_score'], 'fine-grained_score') ?? meanRating(completion.annotations)
  return toResponse(typeof response === 'string' ? response : '', ['model', model], ['score', score])
}

/** Returns the mean of the ratings that are numbers; undefined if there are none. */
function meanRating(annotations: unknown): number | undefined {
  if (!isFields(annotations)) return undefined
  const ratings = Object.values(annotations)
    .map((annotation) => asScore((annotation as Fields | null)?.Rating, 'Rating'))
    .filter((rating) => rating !== undefined)
  return ratings.length === 0 ? undefined : ratings.reduce((a, b) => a + b) / ratings.length
}

const LISTS = ['generations', 'completions', 'answers', 'candidates', 'outputs', 'samples']
const findList = (row: Fields) => LISTS.find((name) => isList(row[name]))

/** Lists of distilabel and others, with models and ratings in lists beside them. */
export const generations: Form = {
  name: 'generations',
  fields: '{instruction, generations: [text], generation_models?, ratings?}',
  fits: (row) => findList(row) !== undefined && !isList(row.labels),
  ask: (row) => readAsked(row).messages,
  responses(row) {
    const list = findList(row) as string
    const items = asList(row[list], list).map((value, i) => readItem(value, `${list}[${i}]`))
    const models = asTwin(row, ['generation_models', 'model_names', 'models'], items.length)
    const ratings = asTwin(row, ['ratings', 'scores', 'rewards'], items.length)
    return items.map((item, i) => ({
      ...item,
      ...toResponse(
        item.text,
        [`${models.name}[${i}]`, models.values[i] ?? item.model],
        [`${ratings.name}[${i}]`, ratings.values[i] ?? item.score],
      ),
    }))
  },
  target: TARGET,
}

const NUMBERED = /^(response|answer|completion|output|generation|human_ref)_?([0-9]|[a-dA-D])$/

/** Answers in fields with a number or a letter: `response_0`, `answer_a`, `output_1`. */
export const numbered: Form = {
  name: 'numbered',
  fields: '{prompt, response_a, response_b, …}, with score_a and model_a',
  fits: (row) => findNumbered(row).length > 1,
  ask: (row) => readAsked(row).messages,
  responses: (row) =>
    findNumbered(row).map(([, name, mark]) => {
      const text = row[name]
      if (typeof text !== 'string') throw wrong(`\`${name}\` to be text`, text)
      const [model, score] = [
        ['model', 'generator'],
        ['score', 'rating'],
      ].map((kinds) =>
        pick(
          row,
          kinds.flatMap((kind) => [`${kind}_${mark}`, `${kind}${mark}`]),
        ),
      )
      const read = toResponse(text, model as [string, unknown], score as [string, unknown])
      const better = row.better_response_id
      return read.score === undefined && isGiven(better)
        ? { ...read, score: Number(String(better) === mark) }
        : read
    }),
  target: TARGET,
}

function findNumbered(row: Fields): [kind: string, name: string, mark: string][] {
  const found = Object.keys(row).flatMap((name): [string, string, string][] => {
    const [, kind, mark] = NUMBERED.exec(name) ?? []
    return kind && mark && isGiven(row[name]) ? [[kind, name, mark]] : []
  })
  return found.filter(([kind]) => kind === found[0]?.[0])
}
