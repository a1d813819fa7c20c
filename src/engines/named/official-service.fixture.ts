/** For tests: the form of a service, and what the rules of several read. */
import type { IncomingHttpHeaders } from 'node:http'

export type Body = Record<string, unknown>
/** What a service answers. */
export interface Said {
  text?: string
  thought?: string
  call?: { name: string; arguments: string }
}

/** A service: its rules, and how it answers. */
export interface Service {
  /** The function of the package `@ai-sdk/NAME` that makes the provider. */
  create: string
  /** A model that the package knows, and one that is newer and refuses a temperature. */
  model: string
  newModel: string
  /** Why the service refuses a request, with the status and body of that, if it does. */
  refuse(body: Body, headers: IncomingHttpHeaders, url: string): Refusal | undefined
  /** What is asked for, apart from a text. */
  read(body: Body, url: string): { tools: boolean; schema: boolean; effort: unknown }
  /** Events of a streamed answer. */
  events(said: Said): object[]
  /** Whether each event is named, and the end is `[DONE]`. */
  isNamed?: boolean
  isDone?: boolean
}

export interface Refusal {
  status: number
  body: object
}

export const KEY = 'the-key-of-service'
export const TEXT = 'The Rhine.'
export const JSON_TEXT = '{"river":"Rhine"}'

export type Turn = { role: string; content?: unknown; parts?: { text?: string }[]; type?: string }
export const isBlank = (content: unknown): boolean =>
  typeof content === 'string'
    ? content.trim() === ''
    : Array.isArray(content) && content.some(({ text }) => typeof text === 'string' && text.trim() === '')
export const unknownIn = (body: Body, fields: string) =>
  Object.keys(body).find((field) => !fields.split(' ').includes(field))
export const usageOf = (said: Said) => (said.thought ? 3 : 0)
