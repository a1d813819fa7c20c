/** Serves the page at `/`, its settings and its fixes. */

import { Hono } from 'hono'
import { planOptions } from '../../plans/options.ts'
import { toRole } from '../../plans/roles.ts'
import { templateOf } from '../../plans/wording.ts'
import type { Offer } from '../../request/plans.ts'
import { readPage } from '../web/files.ts'
import { PAGE_FILES, type PageFiles } from '../web/page-files.ts'
import { ApiError } from './api-error.ts'
import { readChat } from './chat-request.ts'
import { appendFix } from './fixes.ts'
import { readJson } from './gate.ts'
import { createMeter } from './meter.ts'
import { withoutNulls } from './nulls.ts'
import type { Env, Parts } from './parts.ts'
import { appendRating } from './ratings.ts'
import { listRuns, readRun } from './shown-runs.ts'

/** Loads nothing from elsewhere, allows no frames, and keeps markup from becoming a script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types dompurify',
].join('; ')

const types: Record<keyof PageFiles, string> = {
  'index.html': 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'math.js': 'text/javascript; charset=utf-8',
  'code.js': 'text/javascript; charset=utf-8',
  'results.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'export.html': 'text/html; charset=utf-8',
  'demo.jsonl': 'application/jsonl; charset=utf-8',
  'demo-single.jsonl': 'application/jsonl; charset=utf-8',
  'licenses.txt': 'text/plain; charset=utf-8',
}

/** Makes the routes of the page's files. They need no key, because they contain nothing private. */
export function pageRoutes(): Hono<Env> {
  const app = new Hono<Env>()
  app.get('/', async (c, next) => {
    const folder = missingSlash(c.env)
    return folder === undefined ? next() : c.redirect(folder, 308)
  })
  for (const name of PAGE_FILES) {
    app.get(name === 'index.html' ? '/' : `/page/${name}`, async (c) =>
      c.body((await readPage())[name], 200, {
        'content-type': types[name],
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-cache',
      }),
    )
  }
  return app
}

/**
 * Returns the address to redirect to if a mounted page is opened without the slash at its end. The page's addresses are
 * relative: opened at `/llm`, it would look for them a level too high, so `/llm` is redirected to `/llm/`. A mount
 * removes its path; only Node's request still has it.
 */
function missingSlash(env: Env['Bindings']): string | undefined {
  const [path = '/', query] = (env?.incoming?.originalUrl ?? env?.incoming?.url ?? '/').split(/(?=\?)/)
  return path.endsWith('/') ? undefined : `./${path.slice(path.lastIndexOf('/') + 1)}/${query ?? ''}`
}

/** Files of the operator that readers of the page add to. A request never names them. */
export interface KeptFiles {
  fixes?: string
  ratings?: string
}

/** What the page shows besides its own answers. */
export interface Shown extends KeptFiles {
  /** Reads the runs of the operator's queue. */
  readQueue?: () => Promise<unknown[]>
  /** Journals that the page may follow. A request names their places in this list. */
  runs?: string[]
}

/** Makes the routes for the page's settings, estimates, fixes, ratings and queue. */
export function pageApi(
  { offer, wordings, prices }: Parts,
  { fixes, ratings, readQueue, runs = [] }: Shown,
): Hono<Env> {
  const app = new Hono<Env>()
  const { presets, engines, limits, base } = offer
  app.get('/', (c) =>
    c.json({
      models: Object.keys(presets),
      engines,
      limits,
      defaults: defaultsOf(base),
      fixes: fixes !== undefined,
      ratings: ratings !== undefined,
      queue: readQueue !== undefined,
      runs: runs.length,
    }),
  )
  app.post('/estimate', async (c) => {
    const { ask } = readChat(withoutNulls(await readJson(c)), offer)
    const { bound } = createMeter(ask, { template: templateOf(ask.plan, wordings), prices })
    return c.json({ completions: bound.completions, requests: bound.calls, cost: bound.cost })
  })
  app.get('/queue', async (c) => {
    if (readQueue === undefined)
      throw new ApiError(404, 'this server shows no queue: see --show-queue', { code: 'no_queue' })
    return c.json({ runs: await readQueue() })
  })
  app.get('/runs', async (c) => c.json({ runs: await listRuns(runs) }))
  app.get('/runs/:place', async (c) => c.json(await readRun(c, runs)))
  app.post('/ratings', async (c) => {
    if (ratings === undefined)
      throw new ApiError(404, 'this server does not keep ratings: see --ratings', { code: 'no_ratings' })
    const { time } = appendRating(ratings, await readJson(c))
    return c.json({ time }, 201)
  })
  app.post('/fixes', async (c) => {
    if (fixes === undefined)
      throw new ApiError(404, 'this server does not keep fixes: see --fixes', { code: 'no_fixes' })
    const { id } = await appendFix(fixes, await readJson(c), { offer, wordings })
    return c.json({ id }, 201)
  })
  return app
}

/** Returns the values that apply if the page's settings are empty. */
function defaultsOf({ proposers: [proposer = ''], engineMaxTokens, ...base }: Offer['base']) {
  const { strategy, width, depth } = planOptions
  return {
    strategy: base.strategy ?? strategy.default,
    width: base.width ?? width.default,
    depth: base.depth ?? depth.default,
    temperature: base.temperature,
    maxTokens: base.maxTokens ?? engineMaxTokens?.[toRole(proposer).engine],
  }
}
