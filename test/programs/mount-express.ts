import { getRequestListener } from '@hono/node-server'
import { scriptedEngine } from 'aft'
import { createServer } from 'aft/server'
import express from 'express'
import { check } from './check.ts'

const server = createServer({ engines: { one: scriptedEngine([{ replies: ['one'] }]) } })
const app = express()
app.get('/', (_request, response) => {
  response.send('mine')
})
app.use('/llm', getRequestListener(server.fetch))
const listening = app.listen(0, '127.0.0.1', async () => {
  const address = listening.address()
  await check(typeof address === 'object' && address ? address.port : 0)
  listening.close()
})
