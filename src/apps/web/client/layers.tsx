/** The layers before the answer: what each member wrote, what it cost, and what happened to it. */

import type { LayerView, Member, RunView } from './run.ts'
import { answerOf } from './run.ts'
import { count, formatCost, formatMs, Markdown, Thoughts } from './text.tsx'

/** Makes the name of a place from its layer and member. */
export const placeOf = (layer: number, index: number) => `${layer}-${index}`

/** Returns a member's title: "Proposal 2", or "Aggregation 2.1" for the first member of the second layer. */
export function nameOf(layer: number, index: number): string {
  return layer === 0 ? `Proposal ${index + 1}` : `Aggregation ${layer + 1}.${index + 1}`
}

/** Why a member was left out, in words. */
const WHY_EXCLUDED = { empty: 'empty', runaway: 'repeats itself', schema: 'not as the schema says' }

/** Shows every layer except the one that writes the answer. */
export function Layers({ run, lit }: { run: RunView; lit: Set<string> }) {
  const isAnswer = answerOf(run) !== undefined
  const shown = isAnswer ? run.layers.slice(0, -1) : run.layers
  return (
    <ol class="layers">
      {shown.map((layer, depth) => (
        <LayerSection key={depth} layer={layer} depth={depth} run={run} lit={lit} />
      ))}
    </ol>
  )
}

function LayerSection({
  layer,
  depth,
  run,
  lit,
}: {
  layer: LayerView
  depth: number
  run: RunView
  lit: Set<string>
}) {
  const done = layer.members.filter((m) => m.state === 'done').length
  const isOver = run.state !== 'running' || layer.shown !== undefined
  return (
    <li class="layer">
      <h3>
        <span class="layer-name">{depth === 0 ? 'Proposals' : `Layer ${depth + 1}`}</span>
        <span class="soft">
          {depth === 0 ? 'each sees only the question' : 'each sees the question and the layer above'}
          {isOver ? '' : ` · ${done} of ${layer.members.length}`}
          {layer.note && ` · ${layer.note}`}
        </span>
      </h3>
      <div class="cards">
        {layer.members.map((member) => (
          <Card
            key={member.index}
            member={member}
            place={placeOf(depth, member.index)}
            name={nameOf(depth, member.index)}
            isLit={lit.has(placeOf(depth, member.index))}
            isChosen={run.from?.layer === depth && run.from.index === member.index}
            isRunning={run.state === 'running'}
          />
        ))}
      </div>
    </li>
  )
}

interface CardProps {
  member: Member
  place: string
  name: string
  isLit: boolean
  isChosen: boolean
  isRunning: boolean
}

function Card({ member, place, name, isLit, isChosen, isRunning }: CardProps) {
  const { state, engine, text, reasoning, error } = member
  const isWriting = isRunning && state === 'writing'
  const kind = `${state} hue-${member.index % 8}${isLit ? ' lit' : ''}${isChosen ? ' chosen' : ''}`
  return (
    <article class={`card ${kind}`} data-place={place} aria-label={name}>
      <header>
        <strong>{name}</strong>
        {engine && <span class="engine">{engine}</span>}
        {isChosen && <span class="tag">chosen</span>}
        {member.excluded && <span class="tag warn">{WHY_EXCLUDED[member.excluded]}</span>}
        {member.isCut && <span class="tag">cut at its limit</span>}
      </header>
      {/* biome-ignore-start lint/a11y: what scrolls must be reachable by keyboard, and is no form's group */}
      <div class="body" tabIndex={0} role="group" aria-label={`Text of ${name}`}>
        {error && <p class="error">{error}</p>}
        {reasoning && <Thoughts text={reasoning} isOver={text !== ''} />}
        {text && <Markdown text={text} isGrowing={isWriting} />}
        {state === 'waiting' && isRunning && <p class="soft pulse">{member.note ?? 'waiting'}</p>}
      </div>
      {/* biome-ignore-end lint/a11y: until here */}
      <footer class="soft">{facts(member, isWriting)}</footer>
    </article>
  )
}

function facts({ tokens, ms, cost, state, text, waited }: Member, isWriting: boolean): string {
  if (isWriting) return `writing · ${count(text.split(/\s+/).filter(Boolean).length, 'word')}`
  const again = waited && `asked ${waited.times + 1} times (${waited.because.join(', ')})`
  if (state === 'failed') return ['failed', formatMs(ms), again].filter(Boolean).join(' · ')
  return [tokens === undefined ? '' : count(tokens, 'token'), formatMs(ms), formatCost(cost), again]
    .filter(Boolean)
    .join(' · ')
}
