/** An engine that plays a scene. */
import { type ScriptedEngine, scriptedEngine } from '../../src/engines/scripted/scripted.ts'
import type { Scene } from './texts.ts'

/** Makes an engine that writes the proposals, then the aggregations, then the answer, for one question after another. */
export function sceneEngine({ proposals, aggregations, answer }: Scene, delayMs = 0): ScriptedEngine {
  let layer = 0
  return scriptedEngine(
    (request, index) => {
      if (request.n === 1 && layer > 0) {
        layer = 0
        return answer
      }
      if (index === 0) layer++
      return (layer === 1 ? proposals : aggregations)?.[index]
    },
    { delayMs, keepRequests: false },
  )
}
