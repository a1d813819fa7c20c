/**
 * Word runs that one text shares with another, exactly and in linear time. The other text becomes a suffix automaton
 * of its words; every word of the first is then one step in it. Source: Blumer et al., 1985.
 */

/** Tells, for each word of a text, the longest run ending there that the indexed text has too. */
export interface RunIndex {
  /**
   * @param words numbered as the indexed ones; -1 for a word that the indexed text cannot have
   * @returns by word: `lengths`, the longest run that ends with it (in words, 0 for none), and `ends`, the indexed
   * text's word where the first occurrence of that run ends
   */
  match(words: Int32Array): { lengths: Int32Array; ends: Int32Array }
}

/** Indexes a text of numbered words. */
export function indexRuns(words: Int32Array): RunIndex {
  const most = 2 * words.length + 1
  const [lengths, links, firstEnds] = [new Int32Array(most), new Int32Array(most), new Int32Array(most)]
  const steps = createSteps(most)
  links[0] = -1
  let [count, last] = [1, 0]

  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number
    const state = count++
    lengths[state] = (lengths[last] as number) + 1
    firstEnds[state] = at
    let from = last
    while (from >= 0 && steps.get(from, word) < 0) {
      steps.add(from, word, state)
      from = links[from] as number
    }
    if (from >= 0) links[state] = findLink(from, word)
    last = state
  }

  /** Where the shorter suffixes of a new state lead: to a state that ends nothing longer, split off if necessary. */
  function findLink(from: number, word: number): number {
    const next = steps.get(from, word)
    if (lengths[next] === (lengths[from] as number) + 1) return next
    const copy = count++
    lengths[copy] = (lengths[from] as number) + 1
    firstEnds[copy] = firstEnds[next] as number
    links[copy] = links[next] as number
    steps.copy(next, copy)
    links[next] = copy
    for (let at = from; at >= 0 && steps.get(at, word) === next; at = links[at] as number) {
      steps.change(at, word, copy)
    }
    return copy
  }

  function match(query: Int32Array) {
    const found = { lengths: new Int32Array(query.length), ends: new Int32Array(query.length).fill(-1) }
    let [state, length] = [0, 0]
    for (let at = 0; at < query.length; at++) {
      const word = query[at] as number
      let next = steps.get(state, word)
      while (next < 0 && state > 0) {
        state = links[state] as number
        length = lengths[state] as number
        next = steps.get(state, word)
      }
      if (next < 0) continue
      state = next
      found.lengths[at] = ++length
      found.ends[at] = firstEnds[state] as number
    }
    return found
  }
  return { match }
}

/**
 * The automaton's edges: a list for each state, so that it can be copied, and one open-addressed table for all, which
 * is several times as fast as a Map a state. An automaton of n words has fewer than 3 n edges.
 */
function createSteps(states: number) {
  const most = Math.max(4, 2 * states)
  const size = 2 ** Math.ceil(Math.log2(2 * most))
  const slots = new Int32Array(size).fill(-1)
  const [labels, targets, others] = [new Int32Array(most), new Int32Array(most), new Int32Array(most)]
  const owners = new Int32Array(most)
  const heads = new Int32Array(states).fill(-1)
  let count = 0

  /** The slot of an edge, or the empty one where it would stand. */
  const slotOf = (state: number, word: number) => {
    let at = (Math.imul(state, 0x9e3779b1) ^ Math.imul(word, 0x85ebca6b)) >>> 0
    at = (at ^ (at >>> 15)) & (size - 1)
    for (;;) {
      const edge = slots[at] as number
      if (edge < 0 || (owners[edge] === state && labels[edge] === word)) return at
      at = (at + 1) & (size - 1)
    }
  }
  const add = (state: number, word: number, target: number) => {
    const edge = count++
    owners[edge] = state
    labels[edge] = word
    targets[edge] = target
    others[edge] = heads[state] as number
    heads[state] = edge
    slots[slotOf(state, word)] = edge
  }
  return {
    add,
    /** The state that an edge leads to, or -1. */
    get: (state: number, word: number) => {
      const edge = slots[slotOf(state, word)] as number
      return edge < 0 ? -1 : (targets[edge] as number)
    },
    change: (state: number, word: number, target: number) => {
      targets[slots[slotOf(state, word)] as number] = target
    },
    copy: (from: number, to: number) => {
      for (let edge = heads[from] as number; edge >= 0; edge = others[edge] as number) {
        add(to, labels[edge] as number, targets[edge] as number)
      }
    },
  }
}
