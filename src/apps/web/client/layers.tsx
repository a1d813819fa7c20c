/** The layers before the answer: what each member wrote, what it cost, and what happened to it. */

import { useEffect, useRef } from 'preact/hooks'
import { groupByKept } from '../../../analyze/agreement.ts'
import type { Folds } from './folds.ts'
import { followText, type Tail, watchTail } from './follow-text.ts'
import { hueOf, nameOf, placeOf } from './places.ts'
import { answerOf, type LayerView, type Member, type RunView } from './run.ts'
import { count, formatCost, formatMs, Markdown, Thoughts } from './text.tsx'
import { useLater } from './use-later.ts'

/** Why a member was left out, in words. */
const WHY_EXCLUDED = { empty: 'empty', runaway: 'repeats itself', schema: 'not as the schema says' }

interface Props {
  run: RunView
  /** The places of the cards that light up. */
  lit: Set<string>
  folds: Folds
}

/** The layers except the one that writes the answer. */
const shownOf = (run: RunView) => (answerOf(run) === undefined ? run.layers : run.layers.slice(0, -1))

/** Groups the members of each layer that is over; undefined until it is computed. */
export function useGroups(run: RunView): Group[][] | undefined {
  const isOver = (layer: LayerView) => run.state !== 'running' || layer.shown !== undefined
  const over = shownOf(run).filter(isOver)
  const done = over.flatMap(({ members }) => members.filter(isDone)).length
  return useLater(() => groupLayers(over), [over.length, done])
}

/**
 * Shows every layer except the one that writes the answer. The groups come from the turn, so that a new layer and what
 * waits below it are drawn at once.
 */
export function Layers({ run, lit, folds, groups }: Props & { groups: Group[][] | undefined }) {
  return (
    <ol class="layers">
      {shownOf(run).map((layer, depth) => (
        <LayerSection key={depth} {...{ layer, depth, run, lit, folds }} groups={groups?.[depth]} />
      ))}
    </ol>
  )
}

const isDone = ({ state }: Member) => state === 'done'

/** Members that kept the text of the same member of the layer before, and the proposal whose color they have. */
export interface Group {
  members: Member[]
  about: string
  hue?: number
}

/** Groups the members of each layer. The color of a proposal goes on to what kept its text, through all layers. */
function groupLayers(layers: LayerView[]): Group[][] {
  const all: Group[][] = []
  for (const [depth, { members }] of layers.entries()) {
    const done = members.filter(isDone)
    const seen = layers[depth - 1]?.members.filter((m) => isDone(m) && !m.excluded) ?? []
    if (seen.length < 2) {
      all.push([{ members: done, about: '' }])
      continue
    }
    const kept = groupByKept(
      done.map((m) => m.text),
      seen.map((m) => m.text),
    )
    all.push(
      kept.map(({ proposal, aggregations }) => {
        const source = proposal === undefined ? undefined : seen[proposal]
        const about = source ? `closest to ${nameOf(depth - 1, source.index)}` : 'own words'
        return {
          members: aggregations.flatMap((i) => done[i] ?? []),
          about,
          hue: source && proposalOf(source, depth - 1, all[depth - 1]),
        }
      }),
    )
  }
  return all
}

/** The proposal whose color a member has: itself in the first layer, else the one whose text it kept, if any. */
const proposalOf = (member: Member, depth: number, groups: Group[] = []) =>
  depth === 0
    ? member.index
    : groups.find(({ members }) => members.some(({ index }) => index === member.index))?.hue

interface SectionProps extends Props {
  layer: LayerView
  depth: number
  /** Undefined until they are computed. */
  groups: Group[] | undefined
}

function LayerSection({ layer, depth, run, lit, folds, groups }: SectionProps) {
  const isOpen = folds.isOpen(depth)
  const touch = () => folds.touch(depth)
  // A wheel that scrolls a card reads in it; one that passes over a short card does not.
  const turn = ({ target }: Event) => {
    const body = target instanceof Element && target.closest('.body')
    if (body && body.scrollHeight > body.clientHeight) touch()
  }
  return (
    <li class={`layer${isOpen ? '' : ' folded'}`}>
      <h3>
        <button type="button" class="fold" aria-expanded={isOpen} onClick={() => folds.toggle(depth)}>
          {depth === 0 ? 'Proposals' : `Layer ${depth + 1}`}
        </button>
        {isOpen ? (
          <span class="soft about">{aboutOpen(layer, depth, run)}</span>
        ) : (
          <Groups {...{ layer, depth, lit, folds, groups }} />
        )}
      </h3>
      <div class="cards" hidden={!isOpen} onPointerDown={touch} onFocusIn={touch} onWheel={turn}>
        {layer.members.map((member) => (
          <Card
            key={member.index}
            member={member}
            place={placeOf(depth, member.index)}
            name={nameOf(depth, member.index)}
            hue={hueOf(proposalOf(member, depth, groups))}
            isLit={lit.has(placeOf(depth, member.index))}
            isChosen={run.from?.layer === depth && run.from.index === member.index}
            isRunning={run.state === 'running'}
          />
        ))}
      </div>
    </li>
  )
}

/** The members of a folded layer, in their groups. */
function Groups({ layer, depth, groups, ...more }: Omit<SectionProps, 'run'>) {
  const known = groups ?? [{ members: layer.members.filter(isDone), about: '' }]
  const failed = layer.members.filter((m) => !isDone(m))
  return (
    <>
      {known.map(({ members, about, hue }) => (
        <span class="chip-group" key={about}>
          <Chips members={members} depth={depth} hue={hue} {...more} />
          {about && <span class="soft">{about}</span>}
        </span>
      ))}
      {failed.length > 0 && <Chips members={failed} depth={depth} {...more} />}
      <span class="soft">{aboutFolded(layer)}</span>
    </>
  )
}

interface ChipsProps extends Pick<Props, 'lit' | 'folds'> {
  members: Member[]
  depth: number
  /** The proposal whose color aggregations have. */
  hue?: number
}

/** Small buttons, each of which opens the layer at a card. */
function Chips({ members, depth, hue, lit, folds }: ChipsProps) {
  return (
    <span class="chips">
      {members.map(({ index, state }) => {
        const place = placeOf(depth, index)
        const kind = `${hueOf(depth === 0 ? index : hue)}${lit.has(place) ? ' lit' : ''}${state === 'failed' ? ' failed' : ''}`
        return (
          <button
            key={index}
            type="button"
            class={`chip ${kind}`}
            aria-label={`Show ${nameOf(depth, index)}${state === 'failed' ? ', failed' : ''}`}
            onClick={() => folds.show(depth, place)}
          >
            {state === 'failed' ? '✕' : index + 1}
          </button>
        )
      })}
    </span>
  )
}

function aboutOpen(layer: LayerView, depth: number, { state }: RunView): string {
  const done = layer.members.filter((m) => m.state === 'done').length
  const isOver = state !== 'running' || layer.shown !== undefined
  const sees = depth === 0 ? 'each sees only the question' : `each sees the question and layer ${depth}`
  const progress = isOver ? '' : `${done} of ${layer.members.length} done`
  return [progress, layer.note, sees].filter(Boolean).join(' · ')
}

function aboutFolded({ members }: LayerView): string {
  const times = members.flatMap(({ ms }) => ms ?? [])
  return times.length === 0 ? '' : formatMs(Math.max(...times))
}

interface CardProps {
  member: Member
  place: string
  name: string
  isLit: boolean
  hue: string
  isChosen: boolean
  isRunning: boolean
}

function Card({ member, place, name, hue, isLit, isChosen, isRunning }: CardProps) {
  const { state, engine, text, reasoning, error } = member
  const isWriting = isRunning && state === 'writing'
  const kind = `${state} ${hue}${isLit ? ' lit' : ''}${isChosen ? ' chosen' : ''}`
  const tail = useRef<Tail>({ top: 0, height: 0, isHeld: false })
  const body = useRef<HTMLDivElement>(null)
  const onGrow = () => followText(body.current, tail.current, isWriting)
  useEffect(onGrow, [reasoning, isWriting])
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
      <div
        ref={body}
        class="body"
        tabIndex={0}
        role="group"
        aria-label={`Text of ${name}`}
        onScroll={(e) => watchTail(e.currentTarget, tail.current)}
      >
        {error && <p class="error">{error}</p>}
        {reasoning && <Thoughts text={reasoning} isOver={text !== ''} ms={member.thoughtMs} />}
        {text && <Markdown text={text} isGrowing={isWriting} onRender={onGrow} />}
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
