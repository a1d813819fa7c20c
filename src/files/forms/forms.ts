/** The forms of rows. To add one, write it in a file of this folder, and add a line here and a file to `test/forms/`. */
import type { Fields } from '../rows/row.ts'
import { batchRequest } from './batch.ts'
import type { Form } from './form.ts'
import { generations, numbered, responses, ultrafeedback } from './lists.ts'
import { preference } from './preference.ts'
import { refused, singles } from './single.ts'

/** All forms; the first that fits a row is the row's. The last one fits every row. */
export const forms: Form[] = [
  ...refused,
  batchRequest,
  responses,
  preference,
  ultrafeedback,
  generations,
  numbered,
  ...singles,
]

/** The form of a row. */
export function formOf(row: Fields): Form {
  return forms.find((form) => form.fits(row)) as Form
}
