/** Above the answer: where the proposals agree and disagree, and what the answer took of them. */
import { useState } from 'preact/hooks'
import {
  type Agreement as Found,
  findAgreement,
  type Point,
  type Variant,
} from '../../../analyze/agreement.ts'
import { comparedFinals, disputesOf, doDisagree } from './differences.ts'
import type { Folds } from './folds.ts'
import { hueOf, nameOf, placeOf } from './places.ts'
import { type Member, proposalsOf, type RunView } from './run.ts'
import { count, Markdown } from './text.tsx'
import { useLater } from './use-later.ts'

/** Rows of the table for each kind of point, until a reader wants all. */
const MOST_ROWS = 6
const MOST_CHARS = 220

interface Props {
  run: RunView
  folds: Folds
}

/** Shows a line that opens a table: a row per point, a column per proposal. Nothing for fewer than two proposals. */
export function Agreement({ run, folds }: Props) {
  const proposals = proposalsOf(run)
  const answer = run.state === 'running' ? undefined : run.answer
  const found = useLater(
    () =>
      findAgreement(
        proposals.map((m) => m.text),
        answer,
      ),
    [proposals.length, answer],
  )
  if (proposals.length < 2) return null
  return (
    <details class="agreement">
      <summary>
        {found ? (
          <>
            <strong>{titleOf(found, proposals)}</strong> <span class="soft">{lineOf(found, proposals)}</span>
          </>
        ) : (
          <span class="soft">comparing the proposals</span>
        )}
      </summary>
      {found && <p class="soft">A point is a sentence; sentences that say nearly the same are one point.</p>}
      {found && <Table found={found} proposals={proposals} folds={folds} hasAnswer={answer !== undefined} />}
    </details>
  )
}

function titleOf(found: Found, proposals: Member[]): string {
  if (doDisagree(found)) return 'The proposals disagree'
  const isEqual = found.points.every((p) => p.proposals.length === proposals.length)
  return isEqual ? 'The proposals agree' : 'The proposals differ'
}

const nounOf = (places: number[]) => (places.length === 1 ? 'proposal ' : 'proposals ')

/** The first two facts that there are: what the proposals end with, what they differ in, what the answer took, and so on. */
function lineOf(found: Found, proposals: Member[]): string {
  const { points } = found
  const n = proposals.length
  const who = (places: number[]) => places.map((i) => (proposals[i]?.index ?? 0) + 1).join(', ')
  const values = (all: Variant[]) =>
    all
      .slice(0, 4)
      .map((v, i) => `“${v.text}” (${i === 0 ? nounOf(v.proposals) : ''}${who(v.proposals)})`)
      .join(' vs ')
  const finals = comparedFinals(found)
  const same = found.finals.find((v) => v.proposals.length === n)
  const unlike = points.filter((p) => disputesOf(p).length > 0)
  const [first] = unlike.flatMap(disputesOf)
  const inAll = points.filter((p) => p.proposals.length === n && disputesOf(p).length === 0).length
  const inOne = points.filter((p) => p.proposals.length === 1).length
  const taken = points.filter((p) => p.isInAnswer).length
  return [
    finals.length > 1 && values(finals),
    finals.length < 2 && same && `all end with “${same.text}”`,
    finals.length < 2 && first && values(first.filter((v) => v.proposals.length > 0)),
    taken > 0 && `the answer took ${taken} of ${count(points.length, 'point')}`,
    unlike.length > 1 && `numbers or names differ in ${unlike.length} points`,
    inAll > 0 && `${count(inAll, 'point')} in all ${n}`,
    inOne > 0 && `${count(inOne, 'point')} in only one`,
  ]
    .filter(Boolean)
    .slice(0, 2)
    .join(' · ')
}

interface TableProps extends Pick<Props, 'folds'> {
  found: Found
  proposals: Member[]
  hasAnswer: boolean
}

function Table({ found, proposals, folds, hasAnswer }: TableProps) {
  const { points } = found
  const finals = comparedFinals(found)
  const kinds: [title: string, points: Point[]][] = [
    ['Numbers or names differ', points.filter((p) => p.differences.length > 0)],
    ['In all', points.filter((p) => p.differences.length === 0 && p.proposals.length === proposals.length)],
    ['In some', points.filter((p) => p.differences.length === 0 && isSome(p, proposals.length))],
    ['In only one', points.filter((p) => p.proposals.length === 1)],
  ]
  const cells = { proposals, hasAnswer }
  return (
    // biome-ignore lint/a11y: what scrolls must be reachable by keyboard
    <div class="agreement-table" tabIndex={0} role="group" aria-label="What each proposal says">
      <table>
        <thead>
          <tr>
            <th scope="col">Point</th>
            {proposals.map(({ index }) => (
              <th key={index} scope="col">
                <button
                  type="button"
                  class={`chip ${hueOf(index)}`}
                  aria-label={`Show ${nameOf(0, index)}`}
                  onClick={() => folds.show(0, placeOf(0, index))}
                >
                  {index + 1}
                </button>
              </th>
            ))}
            {hasAnswer && <th scope="col">Answer</th>}
          </tr>
        </thead>
        {finals.length > 1 && (
          <tbody>
            <Row label="Final answer" of={valueIn(finals)} {...cells} />
          </tbody>
        )}
        {kinds.map(([title, all]) => (
          <Rows key={title} title={title} points={all} {...cells} />
        ))}
      </table>
    </div>
  )
}

const isSome = ({ proposals }: Point, n: number) => proposals.length > 1 && proposals.length < n

type Cells = Pick<TableProps, 'proposals' | 'hasAnswer'>

function Rows({ title, points, ...cells }: Cells & { title: string; points: Point[] }) {
  const [isWhole, setWhole] = useState(false)
  if (points.length === 0) return null
  return (
    <tbody>
      <tr>
        <th class="kind" colSpan={cells.proposals.length + 2} scope="rowgroup">
          {title}{' '}
          {points.length > MOST_ROWS && (
            <button type="button" class="link" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
              {isWhole ? `Show ${MOST_ROWS}` : `Show all ${points.length}`}
            </button>
          )}
        </th>
      </tr>
      {points
        .slice(0, isWhole ? points.length : MOST_ROWS)
        .map((point, i) =>
          point.differences.length === 0 ? (
            <Row
              key={i}
              label={point.text}
              of={(place) => (place === undefined ? point.isInAnswer : point.proposals.includes(place))}
              {...cells}
            />
          ) : (
            point.differences.map((values, j) => (
              <Row key={`${i} ${j}`} label={point.text} of={valueIn(values)} {...cells} />
            ))
          ),
        )}
    </tbody>
  )
}

/** What a proposal, or the answer if there is no place, has of a point: a value, or whether it says it. */
type Has = (place?: number) => string | boolean

const valueIn =
  (values: Variant[]): Has =>
  (place) =>
    values.find((v) => (place === undefined ? v.isInAnswer : v.proposals.includes(place)))?.text ?? false

function Row({ label, of, proposals, hasAnswer }: Cells & { label: string; of: Has }) {
  return (
    <tr>
      <th scope="row">
        <Markdown text={label.length > MOST_CHARS ? `${label.slice(0, MOST_CHARS)}…` : label} />
      </th>
      {proposals.map(({ index }, i) => (
        <Cell key={index} hue={hueOf(index)} has={of(i)} />
      ))}
      {hasAnswer && <Cell hue="" has={of()} />}
    </tr>
  )
}

function Cell({ hue, has }: { hue: string; has: string | boolean }) {
  if (typeof has === 'string') return <td class={`value ${hue}`}>{has}</td>
  return (
    <td class={hue}>
      <span class={has ? 'yes' : 'soft'} role="img" aria-label={has ? 'yes' : 'no'}>
        {has ? '●' : '·'}
      </span>
    </td>
  )
}
