import { expect, test } from 'vitest'
import { escapeLatex, toLatex } from './latex.ts'

test('each table is one table, with columns of numbers to the right', () => {
  const table = {
    head: ['control', 'flexible %', 'model'],
    rows: [
      ['one answer', '0.5 (0.0 to 2.5)', 'a_b'],
      ['majority & more', 12.5, 'c'],
      ['none', Number.NaN, 'd'],
    ],
  }
  const parts = [
    { heading: 'GSM8K' },
    { title: 'Right answers', chart: '<svg/>', table },
    { title: 'Costs', folds: [{ summary: 'per question', table: { head: ['a'], rows: [] } }] },
  ]
  expect(toLatex(parts)).toBe(String.raw`% \usepackage{booktabs}

% GSM8K

\begin{table}
\centering
\caption{Right answers}
\begin{tabular}{lrl}
\toprule
control & flexible \% & model \\
\midrule
one answer & 0.5 (0.0 to 2.5) & a\_b \\
majority \& more & 12.5 & c \\
none &  & d \\
\bottomrule
\end{tabular}
\end{table}

\begin{table}
\centering
\caption{Costs: per question}
\begin{tabular}{l}
\toprule
a \\
\midrule
\bottomrule
\end{tabular}
\end{table}
`)
})

test('what LaTeX reads as a command is text', () => {
  expect(escapeLatex('100 % of $x_1^2$ {a} \\input{x} ~ #1 < 2\n± 3')).toBe(
    String.raw`100 \% of \$x\_1\textasciicircum{}2\$ \{a\} \textbackslash{}input\{x\} \textasciitilde{} \#1 \textless{} 2 $\pm$ 3`,
  )
})
