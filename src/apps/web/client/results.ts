/** What results of evaluations say. Loaded only when one is opened. The charts are left out: they need a library of their own. */
import './jitless.ts'
import { checkResult } from '../../../files/result-kinds.ts'
import { findingsSection } from '../../../report/findings.ts'
import { type Part, partsOf } from '../../../report/parts.ts'
import { titleOf } from '../../../report/texts.ts'
import type { ResultFile } from './opened.ts'

/** Results in words and tables, as `aft report` has them. */
export interface Described {
  title: string
  parts: Part[]
}

/** Describes results together: those that can be compared share tables. @throws DataError if one is not what its task leaves */
export async function describeResults(files: ResultFile[]): Promise<Described> {
  const results = files.map(({ name, value }) => checkResult('', name, value))
  return { title: titleOf(results), parts: [findingsSection(results), ...(await partsOf(results))] }
}
