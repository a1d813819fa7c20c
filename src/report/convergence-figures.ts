/** Titles of the figures that training runs are compared by. */

/** Name in `result.json`, title, and number of digits, in the order of tables. */
export const figureTitles = [
  ['first_held_out', 'held-out loss, first', 3],
  ['lowest_held_out', 'held-out loss, lowest', 3],
  ['step_of_half', '50 % of the improvement, step', 1],
  ['tokens_of_half', '50 % of the improvement, tokens', 0],
  ['step_of_90_percent', '90 % of the improvement, step', 1],
  ['tokens_of_90_percent', '90 % of the improvement, tokens', 0],
  ['grad_norm_mean', 'gradient norm, mean', 3],
  ['grad_norm_deviation', 'gradient norm, deviation', 3],
  ['grad_norm_variation', 'gradient norm, coefficient of variation', 2],
  ['loss_change_mean', 'training loss, change per step', 4],
  ['loss_change_deviation', 'training loss, deviation of it', 4],
  ['loss_change_variation', 'training loss, coefficient of variation', 2],
] as const satisfies [name: string, title: string, digits: number][]
