/**
 * GSM8K: questions with a gold solution. The file of model solutions has four graded ones more. Calculator marks
 * (`<<3*4=12>>`) are removed. Solutions end in `#### N`, as the gold ones of the training set do, not in `A: N`.
 */
import {
  asFields,
  ask,
  asText,
  type Fields,
  perRecord,
  type Response,
  type Source,
} from '../../files/rows/row.ts'

/** The source `gsm8k-solutions`. */
export const gsm8kSolutions: Source = {
  about:
    'GSM8K: {question, answer}, or the model solutions {question, ground_truth, MODEL: {solution, is_correct}}',
  ...perRecord((row, id) => {
    const { question, answer, ground_truth: groundTruth, ...models } = row
    return {
      id,
      prompt: ask(asText(question, 'question')),
      responses: Object.entries(models)
        .filter(([, value]) => typeof value === 'object' && value !== null)
        .map(([model, value]) => readSolution(model, asFields(value, model))),
      target: tidySolution(asText(groundTruth ?? answer, 'answer')),
    }
  }),
}

function readSolution(model: string, { solution, is_correct: isCorrect }: Fields): Response {
  return {
    text: typeof solution === 'string' ? tidySolution(solution) : '',
    model,
    ...(typeof isCorrect === 'boolean' && { score: Number(isCorrect) }),
  }
}

/** Removes calculator marks, unfinished ones at the end too, and ends the solution in `#### N`. */
export function tidySolution(solution: string): string {
  return solution.replace(/<<[^<>]*(?:>>|$)/g, '').replace(/\n\s*(?:A:|####)\s*([^\n]*?)\s*$/, '\n#### $1')
}
