/** Texts for pictures of the page: made, not recorded. Proposals that differ, in several lengths, with maths and code. */
import type { Reply } from '../../src/engines/scripted/scripted.ts'

/** A scene of plain texts. */
export type PlainScene = Omit<Scene, 'proposals' | 'answer'> & { proposals: string[]; answer: string }

/** A question with what the models reply. */
export interface Scene {
  question: string
  proposals: (string | Reply)[]
  /** What the second layer writes, if the scene has one. */
  aggregations?: (string | Reply)[]
  answer: string | Reply
}

const sky = [
  'The sky looks blue because molecules of air scatter **short waves** of light more than long ones. This is called Rayleigh scattering. Blue light reaches us from every direction. At noon the light crosses about 8 km of dense air.',
  'Sunlight holds all colors. On its way through the air, blue light is scattered in all directions, about ten times as strongly as red. Violet is scattered even more, but our eyes are less sensitive to it.',
  'Because of the air. This is called Rayleigh scattering, after Lord Rayleigh, who explained it in 1871. At sunset the path through the air is longer, and mostly red light is left.',
  'Air molecules are much smaller than the wavelength of light, so the strength of the scattering grows with the fourth power of the frequency. Blue light is scattered about five times as strongly as red. Violet is scattered even more, and some of it is absorbed high up.',
  'It is blue since oxygen is blue. Liquid oxygen is pale blue, after all. John Tyndall explained it in 1859.',
]
const skyAnswer = [
  '**Sunlight holds all colors.** On its way through the air, blue light is scattered in all directions, about five times as strongly as red. This is called Rayleigh scattering, and its strength grows with the fourth power of the frequency.',
  'So why is the sky not violet?',
  '1. Violet is scattered even more, but our eyes are less sensitive to it.\n2. Some of it is absorbed high up.',
  'At sunset the path through the air is longer, and mostly red light is left. You can try it with a torch and a glass of water with a few drops of milk.',
].join('\n\n')

/** A question of about 60 words per proposal, over one layer. */
export const skyScene: Scene = { question: 'Why is the sky blue?', proposals: sky, answer: skyAnswer }

const aggregate = (i: number) =>
  `${sky[1]?.split('. ').slice(0, 2).join('. ')}. This is called Rayleigh scattering. ${
    i === 3
      ? 'It was explained by John Tyndall in 1859.'
      : 'Violet is scattered even more, but our eyes are less sensitive to it.'
  }`

/** The same with a second layer. */
export const deepScene: Scene = { ...skyScene, aggregations: [0, 1, 2, 3, 4].map(aggregate) }

const subjects =
  'baker smith ferry mill bridge market tower garden harbor school orchard well gate lamp clock square chapel mason river wall'.split(
    ' ',
  )
const verbs =
  'opens closes changes helps supplies watches repairs feeds crosses lights measures sells keeps rings paints moves counts joins guards warms'.split(
    ' ',
  )
const ends =
  'before dawn|after the rain|in the oldest quarter|for 30 pence|at the end of May|without any help|on the north side|when the tide is low|for travelers|with great care|twice a year|near the inn'.split(
    '|',
  )

/** Sentence `i` of a town's story, as one of its tellers has it. */
function tell(i: number, teller: number): string {
  const random = (n: number, salt: number) => {
    let x = Math.imul(i + 1, 0x9e37_79b1) ^ Math.imul(salt + 1, 0x85eb_ca6b)
    x = Math.imul(x ^ (x >>> 15), 0x2c1b_3c6d)
    return ((x ^ (x >>> 13)) >>> 0) % n
  }
  const [a, b] = [subjects[random(20, 1)], subjects[random(20, 5)]]
  const isShared = (i * 5 + teller) % 3 !== 0
  const salt = isShared ? 0 : teller + 1
  return `The ${a} ${verbs[random(20, salt + 2)]} the ${b} of house ${10 + random(80, salt)} ${ends[random(12, salt + 7)]}.`
}

/** Proposals of a number of words, which share some sentences and not others. */
export function longScene(words: number, layers: 1 | 2): PlainScene {
  const write = (teller: number) => {
    let [text, length] = ['', 0]
    for (let i = 0; length < words; i++) {
      const sentence = tell(i, teller)
      length += sentence.split(' ').length
      text +=
        i % 11 === 9
          ? `\n\n- ${sentence}\n`
          : i % 11 === 10
            ? `- ${sentence}\n\n`
            : `${sentence}${i % 5 === 4 ? '\n\n' : ' '}`
    }
    return text.trim()
  }
  const proposals = [1, 2, 3, 4, 5].map(write)
  return {
    question: 'Tell me everything about the trades of the old town.',
    proposals,
    ...(layers === 2 && { aggregations: [3, 8, 4, 9, 5].map(write) }),
    answer: write(6),
  }
}

const roots = String.raw`The equation $x^2 - 5x + 6 = 0$ has the roots

$$x_{1,2} = \frac{5 \pm \sqrt{25 - 24}}{2} = \frac{5 \pm 1}{2}$$

so \(x_1 = 3\) and \(x_2 = 2\). Looking that up costs $5 or $10. The sum of the cubes is \[\sum_{k=1}^{2} x_k^3 = 27 + 8 = 35.\]`

/** Maths in every notation that models use. */
export const mathScene: Scene = {
  question: 'What is the sum of the cubes of the roots of x² − 5x + 6 = 0?',
  proposals: [
    roots,
    String.raw`By Vieta, $s = 5$ and $p = 6$. So $x_1^3 + x_2^3 = s^3 - 3ps = 125 - 90 = \boxed{35}$.`,
    String.raw`The roots are 2 and 3, and $2^3 + 3^3 = 8 + 27 = \boxed{36}$.`,
  ],
  answer: String.raw`**By Vieta**, the roots have the sum $s = 5$ and the product $p = 6$, so

$$x_1^3 + x_2^3 = s^3 - 3ps = 125 - 90 = \boxed{35}$$

A check with the roots themselves: the equation $x^2 - 5x + 6 = 0$ has the roots $2$ and $3$, and $2^3 + 3^3 = 8 + 27 = 35$.

$$\begin{pmatrix} 5 & -6 \\ 1 & 0 \end{pmatrix}^3 \qquad \int_0^1 e^{-t^2}\,dt \qquad \lim_{n\to\infty}\Bigl(1+\frac1n\Bigr)^n = e$$`,
}

/** Code, tables, lists and quotes. */
export const codeScene: Scene = {
  question: 'How do I count words in Python?',
  proposals: [
    'Use `Counter`:\n\n```python\nfrom collections import Counter\n\nprint(Counter(text.split()))  # by count\n```',
    'Split the text and count with a `dict`. It takes O(n).',
    'In a shell: `tr -s " " "\\n" < file | sort | uniq -c`.',
  ],
  answer:
    '## With the standard library\n\n```python\nfrom collections import Counter\n\ndef count_words(text: str) -> Counter[str]:\n    """Counts words, without their case."""\n    return Counter(word.strip(".,").lower() for word in text.split())\n\nprint(count_words("To be, or not to be").most_common(2))  # [(\'to\', 2), (\'be\', 2)]\n```\n\nSplit the text and count with a `dict`. It takes O(n).\n\n| way | time | memory |\n| --- | ---: | --- |\n| `Counter` | 1.0 s | one entry per word |\n| `dict` | 1.2 s | the same |\n| shell | 3.1 s | a file |\n\n> A word is what stands between two spaces.\n\n```sh\ntr -s " " "\\n" < file | sort | uniq -c | sort -rn | head -n 5\n```',
}

/** A model that thinks first, and one that fails. */
export const thoughtScene: Scene = {
  question: 'What is 17 × 24?',
  proposals: [
    {
      reasoning: 'Seventeen times twenty is 340. Seventeen times four is 68. '.repeat(4),
      text: '340 + 68 = 408. The answer is 408.',
    },
    '17 × 24 = 398. The answer is 398.',
    { error: { kind: 'rate-limit', message: 'slow down, please', isRetryable: false } },
  ],
  answer: {
    reasoning: 'Two drafts differ. 17 × 24 = 17 × 25 − 17 = 425 − 17. '.repeat(6),
    text: '17 × 24 = 340 + 68 = 408. The answer is 408.',
  },
}
