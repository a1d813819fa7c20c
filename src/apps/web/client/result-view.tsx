/** A result of an evaluation: its findings in sentences, then tables. Means with an interval have a small plot. */
import type { ReportSection, ReportTable } from '../../../report/page.ts'
import type { Described } from './results.ts'

/** Shows what results say, as `aft report` does, with plots in the place of its charts. */
export function ResultView({ title, parts }: Described) {
  return (
    <section class="result" aria-label="Result">
      <h2>{title}</h2>
      {parts.map((part, i) =>
        'heading' in part ? <h3 key={i}>{part.heading}</h3> : <Section key={i} {...part} />,
      )}
    </section>
  )
}

function Section({ title, text, statements = [], table, folds = [], details = [] }: ReportSection) {
  return (
    <section class="result-part">
      <h4>{title}</h4>
      {text && <p class="soft">{text}</p>}
      {statements.map(({ about, texts }) => (
        <div key={about}>
          <p>
            <strong>{about}</strong>
          </p>
          {texts.map((text) => (
            <p key={text}>{text}</p>
          ))}
        </div>
      ))}
      {table && <Table {...table} />}
      {folds.map(({ summary, table }) => (
        <details key={summary}>
          <summary>{summary}</summary>
          <Table {...table} />
        </details>
      ))}
      {details.map(({ summary, parts }) => (
        <details key={summary}>
          <summary>{summary}</summary>
          {parts.map(({ label, text }) => (
            <div key={label}>
              <p class="soft">{label}</p>
              <pre>{text}</pre>
            </div>
          ))}
        </details>
      ))}
    </section>
  )
}

/** The ends of a column's lines, in percent. */
type Scale = [from: number, to: number]

function Table({ head, rows }: ReportTable) {
  const scales = head.map((_, i) => scaleOf(rows.map((row) => row[i])))
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div class="scroll" tabIndex={0}>
      <table class="result-table">
        <thead>
          <tr>
            {head.map((name, i) => (
              <th key={i} scope="col" class={rows.some((row) => isNumber(row[i] ?? '')) ? 'number' : ''}>
                {name}
                {scales[i] && (
                  <span class="ends soft">
                    {scales[i].map((end) => (
                      <span key={end}>{end} %</span>
                    ))}
                  </span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((value, i) => (
                <td key={i} class={isNumber(value) ? 'number' : ''}>
                  {typeof value === 'number' ? showNumber(value) : value}
                  {scales[i] && <Interval value={value} scale={scales[i]} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const showNumber = (value: number) => (Number.isFinite(value) ? value.toLocaleString('en') : '')
const isNumber = (value: string | number) =>
  typeof value === 'number' || /^[-+−]?[\d.,]+(\s(%|points))?$/.test(value)

/** Mean, low and high of a share, as reports write them: `34.0 % (30.1 % to 38.0 %)`. */
const sharesOf = (value: string | number = '') =>
  /^([\d.]+)\s% \(([\d.]+)\s% to ([\d.]+)\s%\)$/.exec(String(value))?.slice(1).map(Number) ?? []

/** The lowest and the highest end of a column's intervals. */
function scaleOf(column: (string | number | undefined)[]): Scale | undefined {
  const shares = column.flatMap(sharesOf)
  return shares.length > 0 ? [Math.min(...shares), Math.max(...shares)] : undefined
}

/** Draws an interval on a line as long as its column's scale. */
function Interval({ value, scale: [from, to] }: { value: string | number; scale: Scale }) {
  const [mean, low, high] = sharesOf(value).map((share) => (100 * (share - from)) / (to - from || 1))
  if (mean === undefined) return null
  return (
    <svg class="interval" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <path d="M0 3H100" class="track" />
      <path d={`M${low} 3H${high}`} class="range" />
      <path d={`M${mean} 0V6`} class="mean" />
    </svg>
  )
}
