/**
 * Finds the word runs that two texts share, exactly and in linear time. One text becomes a suffix automaton of its
 * words. Each word of the other text is then one step in it. Source: Blumer et al., 1985.
 */

/** Finds, for each word of a text, the longest run that ends there and is in the indexed text too. */
export interface RunIndex {
  /**
   * @param words numbers, with the same number for the same word as in the index; -1 for a word that it does not have
   * @returns for each word: in `lengths` the longest run that ends with it (in words, 0 for none), in `ends` the last
   * word of that run's first occurrence in the indexed text
   */
  match(words: Int32Array): { lengths: Int32Array; ends: Int32Array }
}

/** Indexes a text, given as a list of word numbers. */
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

  /** Finds the state for the shorter suffixes of a new state. A state that also has longer runs is split first. */
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
 * Stores the automaton's edges: in a list per state, so that a state can be copied, and in one open-addressed table for
 * all states, which is several times as fast as a Map per state. An automaton of n words has fewer than 3 n edges.
 */
function createSteps(states: number) {
  const most = Math.max(4, 2 * states)
  const size = 2 ** Math.ceil(Math.log2(2 * most))
  const slots = new Int32Array(size).fill(-1)
  const [labels, targets, others] = [new Int32Array(most), new Int32Array(most), new Int32Array(most)]
  const owners = new Int32Array(most)
  const heads = new Int32Array(states).fill(-1)
  let count = 0

  /** Returns the slot of an edge, or the empty slot to put it in. */
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
    /** Returns the state that an edge leads to, or -1. */
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
