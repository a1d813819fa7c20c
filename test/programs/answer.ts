import { answer, openEngine, type Result } from 'aft'

const engine = await openEngine('scripted:echo')
const result: Result = await answer('Why is the sky blue?', { engine, width: 3, depth: 1 })
console.log(result.usage.calls, result.layers.map((layer) => layer.completions.length).join(' + '))
console.log(result.answer)
// @ts-expect-error there is no such option
await answer('Why?', { engine, widht: 3 }).catch((error: Error) => console.log(error.message))
