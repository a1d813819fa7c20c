/** Draws formulas as MathML. Loaded only when a text has one. What a model writes may be hostile: it is bounded and checked. */
import temml from 'temml'

/** Macros that a formula may define or call would let it grow without bound. */
const definition =
  /\\(?:[egx]?def|let|futurelet|(?:re)?newcommand|providecommand|global|long|DeclareMathOperator)(?![a-zA-Z])/
/** What would name another document, an element or a style; Temml refuses most of it by itself. */
const foreign =
  /\\(?:href|url|includegraphics|html\w*|class|id|style|data|require|label|ref|eqref)(?![a-zA-Z])/
const MOST_NESTED = 60
const MOST_CELLS = 8_000

const options = {
  throwOnError: true,
  trust: false,
  strict: false,
  annotate: false,
  maxExpand: 200,
  maxSize: [20, 200] as [number, number],
}

/** Makes the MathML of a formula; undefined if it has errors, is too large or is not harmless. */
export function drawMath(tex: string, isBlock: boolean): Element | undefined {
  if (definition.test(tex) || foreign.test(tex) || isTooLarge(tex)) return undefined
  try {
    const place = document.createElement('span')
    temml.render(tex, place, { ...options, displayMode: isBlock, macros: {} })
    const math = place.firstElementChild
    return math && isHarmless(math) ? math : undefined
  } catch {
    return undefined // An error in the formula, or one nested too deep for the stack.
  }
}

/** True for deep nesting, and for tables whose rows times columns are many. */
function isTooLarge(tex: string): boolean {
  let [depth, deepest] = [0, 0]
  for (const c of tex) {
    if (c === '{') deepest = Math.max(deepest, ++depth)
    if (c === '}') depth--
  }
  const rows = (tex.match(/\\\\|\\cr(?![a-zA-Z])|\\newline/g) ?? []).length + 1
  const columns = (tex.match(/&/g) ?? []).length + 1
  const spec = Math.max(0, ...(tex.match(/[clr|*@ ]+/g) ?? []).map((run) => run.length))
  const nested = (tex.match(/\\(?:left|begin|sqrt|frac|middle)(?![a-zA-Z])/g) ?? []).length
  return deepest > MOST_NESTED || nested > 4 * MOST_NESTED || rows * Math.max(columns, spec) > MOST_CELLS
}

const tags = new Set(
  'math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom menclose msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr semantics'.split(
    ' ',
  ),
)
const attributes = new Set(
  'display scriptlevel displaystyle fence form stretchy movablelimits lspace rspace width height depth voffset symmetric minsize maxsize mathbackground mathcolor mathvariant notation mathsize linethickness columnalign rowspacing columnspacing columnspan rowspan rowlines columnlines separator accent accentunder largeop class style side xmlns'.split(
    ' ',
  ),
)
/** Longest length that a formula may ask for, in any unit. */
const MOST_LENGTH = 200

/** A second protection: only elements and attributes of formulas, no addresses, no lengths that would cover the page. */
function isHarmless(math: Element): boolean {
  return [math, ...math.querySelectorAll('*')].every(
    (element) =>
      tags.has(element.localName) &&
      [...element.attributes].every(
        ({ name, value }) =>
          attributes.has(name) &&
          !/url|\/\/|expression|position/i.test(value) &&
          (name === 'class' || (value.match(/\d+(?:\.\d+)?/g) ?? []).every((n) => Number(n) <= MOST_LENGTH)),
      ),
  )
}
