/**
 * Writes the two journals of `aft demo` and of the button Example on the page. A person wrote all their texts: no model
 * made them. The program runs on a script, so the journals have the form of real ones.
 *   node scripts/make-demo.ts
 */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { type Reply, scriptedEngine } from '../src/engines/scripted/scripted.ts'
import { makePlan, type PlanOptions } from '../src/plans/strategies.ts'
import { runPrompts } from '../src/run/run.ts'

const client = path.join(import.meta.dirname, '../src/apps/web/client')

interface Sample {
  id: string
  question: string
  proposals: (string | Reply)[]
  answer: string
  /** What the writer says without proposals. */
  alone: string | Reply
}

const busy: Reply = {
  error: { kind: 'rate-limit', message: 'too many requests: slow down', isRetryable: false },
}
const gone: Reply = {
  error: { kind: 'unreachable', message: 'the server does not answer', isRetryable: false },
}

const overtakes =
  'In 12 hours the minute hand goes round 12 times and the hour hand once, so the minute hand overtakes it 12 − 1 = 11 times. A day has two such halves: 2 × 11 = 22.'
const times =
  '12:00, about 1:05, 2:11, 3:16, 4:22, 5:27, 6:33, 7:38, 8:44, 9:49 and 10:55. There is no meeting between 11 and 12, since the next one is at 12:00 itself.'

const samples: Sample[] = [
  {
    id: 'clock',
    question: 'How often do the two hands of a clock meet in 24 hours?',
    proposals: [
      '**24 times.** The minute hand goes round once per hour and meets the hour hand once in each. A day has 24 hours, so they meet 24 times.',
      `**22 times.** ${overtakes}`,
      'The hands meet every 65 minutes and about 27 seconds. A day has 1,440 minutes, and 1,440 ÷ 65.45 is about 22. So it is 22 times.',
      `They meet at ${times} That is 11 times in half a day, so **22 in a day**, or 23 if midnight counts at both ends.`,
    ],
    answer: `**22 times.** ${overtakes}\n\nThe times of one half show it: ${times} This is why 24, once per hour, is wrong.\n\nA check: the hands meet every 65 minutes and about 27 seconds, and 1,440 ÷ 65.45 is about 22.`,
    alone: '**24 times.** The minute hand passes the hour hand once in every hour, and a day has 24 hours.',
  },
  {
    id: 'ice',
    question: 'Which is heavier: a liter of ice or a liter of water?',
    proposals: [
      'Ice is heavier, because solids are denser than liquids.',
      'Water is heavier. A liter of water has about 1 kg, and a liter of ice has about 0.92 kg. This is why ice floats.',
      busy,
      'Both are a liter of the same substance, so they are equally heavy.',
    ],
    answer:
      '**Water.** A liter of water has about 1 kg, and a liter of ice has about 0.92 kg. This is why ice floats. It is true that most solids are denser than their liquids; water is an exception.',
    alone: 'Water: ice floats on it, so a liter of ice has less mass.',
  },
  {
    id: 'bakery',
    question: 'Invent a name for a bakery that is open only at night.',
    proposals: [
      '**The Late Loaf**',
      '**Moonrise**, since dough rises too.',
      '**Crumbs at Midnight**',
      '**Night Flour**',
    ],
    answer:
      '**Moonrise**, since dough rises too. If it should say more plainly what it sells: **The Late Loaf**.',
    alone: '**The Midnight Bakery**',
  },
  {
    id: 'river',
    question: 'Name the longest river of Portugal.',
    proposals: [gone, gone, gone, gone],
    answer: '',
    alone: 'The Tagus, or Tejo. It reaches the sea at Lisbon.',
  },
  {
    id: 'percent',
    question: 'What is 15 % of 80?',
    proposals: ['15 % of 80 is 12.', '0.15 × 80 = 12', '10 % is 8 and 5 % is 4, so 15 % is 12.', 'It is 12.'],
    answer: '15 % of 80 is 12: 10 % is 8 and 5 % is 4.',
    alone: '15 % of 80 is 12: 10 % is 8 and 5 % is 4.',
  },
]

const textOf = (reply: string | Reply) => (typeof reply === 'string' ? { text: reply } : reply)
const withTime = (reply: string | Reply): Reply => {
  const { text = '', ...more } = textOf(reply)
  return { text, ms: 900 + 9 * text.length, ...more }
}

/** A rule finds its sample by the question, and drafts by the words before them. */
function engineOf(isAlone: boolean) {
  const rules = samples.flatMap(({ question, proposals, answer, alone }) => [
    { when: (r: { messages: object[] }) => isOf(r, question, true), replies: [withTime(answer)] },
    {
      when: (r: { messages: object[] }) => isOf(r, question, false),
      replies: isAlone ? [withTime(alone)] : proposals.map(withTime),
      pick: 'index' as const,
    },
  ])
  return scriptedEngine(rules, { id: 'written by hand' })
}

function isOf({ messages }: { messages: object[] }, question: string, hasDrafts: boolean): boolean {
  const all = JSON.stringify(messages)
  return all.includes(JSON.stringify(question).slice(1, -1)) && all.includes('Drafts:') === hasDrafts
}

async function write(name: string, options: Omit<PlanOptions, 'proposers'>): Promise<void> {
  const file = path.join(client, name)
  const out = `${file}.answers`
  const prompts = samples.map(({ id, question }) => ({
    id,
    messages: [{ role: 'user' as const, content: question }],
  }))
  const plan = makePlan({ proposers: ['a-person'], seed: 1, ...options })
  const engines = { 'a-person': engineOf(options.strategy === 'single') }
  await runPrompts({ prompts, out, journal: file, plan, engines, restart: true })
  for (const other of [out, `${out}.failed`, `${file}.lock`, `${file}.old`]) rmSync(other, { force: true })
}

await write('demo.jsonl', { width: 4, depth: 1 })
await write('demo-single.jsonl', { strategy: 'single' })
