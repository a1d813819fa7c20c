/** The page at `/`, and what it requests beside answers. */

import { Hono } from 'hono'
import type { Template } from '../../core/templates.ts'
import { planOptions } from '../../plans/options.ts'
import type { Offer } from '../../request/plans.ts'
import { readPage } from '../web/files.ts'
import { PAGE_FILES, type PageFiles } from '../web/page-files.ts'
import { ApiError } from './api-error.ts'
import { appendFix } from './fixes.ts'
import { readJson } from './gate.ts'
import type { Env } from './parts.ts'

/** Nothing is loaded from elsewhere, nothing is framed, and markup cannot become a script. */
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
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'licenses.txt': 'text/plain; charset=utf-8',
}

/** The page's files. They need no key, because they hold nothing of the operator's. */
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
 * The page's addresses are relative. Mounted at `/llm` and opened there without a slash, it would look for them a level
 * too high, so it is sent to `/llm/`. Only Node's request still has the path that a mount has removed.
 */
function missingSlash(env: Env['Bindings']): string | undefined {
  const [path = '/', query] = (env?.incoming?.originalUrl ?? env?.incoming?.url ?? '/').split(/(?=\?)/)
  return path.endsWith('/') ? undefined : `./${path.slice(path.lastIndexOf('/') + 1)}/${query ?? ''}`
}

/** What the page can set, and where corrected answers go: the file `fixes` is set by the operator, never by a request. */
export function pageApi(offer: Offer, template: Template, fixes: string | undefined): Hono {
  const app = new Hono()
  const { presets, engines, limits, base } = offer
  app.get('/', (c) =>
    c.json({
      models: Object.keys(presets),
      engines,
      limits,
      defaults: defaultsOf(base),
      fixes: fixes !== undefined,
    }),
  )
  app.post('/fixes', async (c) => {
    if (fixes === undefined)
      throw new ApiError(404, 'this server keeps no fixes: see --fixes', { code: 'no_fixes' })
    const { id } = await appendFix(fixes, await readJson(c), template)
    return c.json({ id }, 201)
  })
  return app
}

/** What holds if the page's settings are left empty. */
function defaultsOf({ proposers: [proposer = ''], engineMaxTokens, ...base }: Offer['base']) {
  const { strategy, width, depth, temperature, maxTokens } = planOptions
  return {
    strategy: base.strategy ?? strategy.default,
    width: base.width ?? width.default,
    depth: base.depth ?? depth.default,
    temperature: base.temperature ?? temperature.default,
    maxTokens: base.maxTokens ?? engineMaxTokens?.[proposer] ?? maxTokens.default,
  }
}
