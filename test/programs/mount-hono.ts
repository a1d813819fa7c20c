import { serve } from '@hono/node-server'
import { scriptedEngine } from 'aft'
import { createServer } from 'aft/server'
import { Hono } from 'hono'
import { check } from './check.ts'

const server = createServer({ engines: { one: scriptedEngine([{ replies: ['one'] }]) } })
const app = new Hono().get('/', (context) => context.text('mine')).mount('/llm', server.fetch)
const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, async ({ port }) => {
  await check(port)
  listening.close()
})
