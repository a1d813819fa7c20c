/** Counts requests, calls and tokens, and shows them in the text format of Prometheus. */
import type { Result } from '../../core/result.ts'
import { isReused } from '../../request/loop.ts'
import type { Queue } from './queue.ts'

const BUCKETS_S = [0.1, 0.3, 1, 3, 10, 30, 100, 300]

/** The counters of a server. */
export interface Metrics {
  request(endpoint: string, status: number, seconds: number): void
  answer(result: Result): void
  render(queue: Queue): string
}

/** Makes counters that start at 0. */
export function createMetrics(): Metrics {
  const counters = new Map<string, number>()
  const buckets = BUCKETS_S.map(() => 0)
  let [sum, count] = [0, 0]
  const add = (series: string, by = 1) => counters.set(series, (counters.get(series) ?? 0) + by)
  return {
    request: (endpoint, status, seconds) => {
      add(`aft_requests_total{endpoint="${endpoint}",status="${status}"}`)
      for (const [i, limit] of BUCKETS_S.entries()) if (seconds <= limit) buckets[i] = (buckets[i] ?? 0) + 1
      sum += seconds
      count++
    },
    answer: ({ usage, degraded, layers }) => {
      add('aft_calls_total', usage.calls)
      add('aft_tokens_total{kind="input"}', usage.inputTokens)
      add('aft_tokens_total{kind="output"}', usage.outputTokens)
      add('aft_degraded_total', degraded ? 1 : 0)
      for (const { error } of layers.flatMap((l) => l.failures).filter((failure) => !isReused(failure))) {
        add(`aft_failures_total{kind="${error.kind}"}`)
      }
    },
    render: (queue) => {
      const { running, waiting } = queue.count()
      const totals = [...counters].sort(([a], [b]) => (a < b ? -1 : 1))
      const families = Map.groupBy(totals, ([series]) => series.replace(/\{.*/, ''))
      const lines = [...families].flatMap(([name, series]) => [
        `# TYPE ${name} counter`,
        ...series.map(([key, value]) => `${key} ${value}`),
      ])
      return [
        ...lines,
        '# TYPE aft_request_seconds histogram',
        ...BUCKETS_S.map((limit, i) => `aft_request_seconds_bucket{le="${limit}"} ${buckets[i]}`),
        `aft_request_seconds_bucket{le="+Inf"} ${count}`,
        `aft_request_seconds_sum ${sum}`,
        `aft_request_seconds_count ${count}`,
        '# TYPE aft_running gauge',
        `aft_running ${running}`,
        '# TYPE aft_waiting gauge',
        `aft_waiting ${waiting}`,
        '',
      ].join('\n')
    },
  }
}
