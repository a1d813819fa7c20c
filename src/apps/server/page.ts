/** The page at `/`, and what it asks beside the answers. */
import { Hono } from 'hono'
import type { Template } from '../../core/templates.ts'
import { ApiError } from '../../request/api-error.ts'
import type { Offer } from '../../request/plans.ts'
import { FILES, type PageFiles, readPage } from '../web/files.ts'
import { appendFix } from './fixes.ts'
import { readJson } from './gate.ts'

/** Nothing is loaded from elsewhere, nothing is framed, and markup can become no script. */
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
  'licences.txt': 'text/plain; charset=utf-8',
}

/** The page's files. No key is needed for them: they hold nothing of the operator's. */
export function pageRoutes(): Hono {
  const app = new Hono()
  for (const name of FILES) {
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

/** What the page can set, and where mended answers go: `fixes` is the operator's file, never a request's. */
export function pageApi(offer: Offer, template: Template, fixes: string | undefined): Hono {
  const app = new Hono()
  const { presets, engines, limits, base } = offer
  app.get('/', (c) =>
    c.json({
      models: Object.keys(presets),
      engines,
      limits,
      defaults: { width: base.width ?? 5, depth: base.depth ?? 2, strategy: base.strategy ?? 'aft' },
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
