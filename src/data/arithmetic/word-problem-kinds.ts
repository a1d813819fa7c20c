/** The kinds of word problems. Each fills names and numbers into a story and gives the steps that solve it. */
import type { Problem } from './problem.ts'

type Make = (random: () => number) => Omit<Problem, 'kind'>

const people = [
  'Amara',
  'Ben',
  'Chen',
  'Dalia',
  'Emil',
  'Farah',
  'Goran',
  'Hana',
  'Ivo',
  'Juna',
  'Kofi',
  'Lena',
]
const things = ['pens', 'stickers', 'marbles', 'postcards', 'beads', 'buttons', 'shells', 'stamps', 'badges']
const places = ['market', 'school fair', 'village shop', 'station kiosk', 'library sale']

/** Draws whole numbers and list items from one random stream. */
function drawer(random: () => number) {
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const one = (items: string[]) => items[whole(0, items.length - 1)] as string
  return { whole, one }
}

/** Each kind makes a question and its steps. Some numbers do not fit together; then the caller draws again. */
export const problemKinds: Record<string, Make> = {
  shopping(random) {
    const { whole, one } = drawer(random)
    const [who, what, where] = [one(people), one(things), one(places)]
    const [count, price, other, paid] = [whole(2, 12), whole(2, 9), whole(3, 25), 20 * whole(3, 9)]
    return {
      question: `At the ${where} ${who} buys ${count} ${what} at $${price} each and a bag for $${other}. ${who} pays with $${paid}. How many dollars does ${who} get back?`,
      steps: [
        { about: `The ${what} cost`, a: count, operation: '*', b: price, unit: 'dollars' },
        { about: 'With the bag that is', a: { step: 0 }, operation: '+', b: other, unit: 'dollars' },
        { about: `${who} gets back`, a: paid, operation: '-', b: { step: 1 }, unit: 'dollars' },
      ],
    }
  },
  sharing(random) {
    const { whole, one } = drawer(random)
    const [who, what] = [one(people), one(things)]
    const [boxes, each, kept, friends] = [whole(2, 9), whole(4, 24), whole(2, 20), whole(2, 8)]
    return {
      question: `${who} has ${boxes} boxes with ${each} ${what} in each. ${who} keeps ${kept} of the ${what} and shares the others equally among ${friends} friends. How many ${what} does each friend get?`,
      steps: [
        { about: 'The boxes hold', a: boxes, operation: '*', b: each, unit: what },
        { about: 'To be shared are', a: { step: 0 }, operation: '-', b: kept, unit: what },
        { about: 'Each friend gets', a: { step: 1 }, operation: '/', b: friends, unit: what },
      ],
    }
  },
  journey(random) {
    const { whole, one } = drawer(random)
    const [who, fast, slow, hours, more] = [
      one(people),
      whole(40, 95),
      whole(8, 25),
      whole(2, 6),
      whole(1, 5),
    ]
    return {
      question: `${who} rides a train for ${hours} hours at ${fast} km an hour, then a bicycle for ${more} ${more === 1 ? 'hour' : 'hours'} at ${slow} km an hour. How many kilometres does ${who} travel in all?`,
      steps: [
        { about: 'By train it is', a: hours, operation: '*', b: fast, unit: 'km' },
        { about: 'By bicycle it is', a: more, operation: '*', b: slow, unit: 'km' },
        { about: 'Together that is', a: { step: 0 }, operation: '+', b: { step: 1 }, unit: 'km' },
      ],
    }
  },
  wages(random) {
    const { whole, one } = drawer(random)
    const [who, wage, hours, days, spent] = [
      one(people),
      whole(9, 24),
      whole(3, 8),
      whole(2, 6),
      whole(15, 90),
    ]
    return {
      question: `${who} earns $${wage} an hour and works ${hours} hours a day on ${days} days. Then ${who} spends $${spent} on a coat. How many dollars are left?`,
      steps: [
        { about: `${who} works`, a: hours, operation: '*', b: days, unit: 'hours' },
        { about: `${who} earns`, a: { step: 0 }, operation: '*', b: wage, unit: 'dollars' },
        { about: 'Left are', a: { step: 1 }, operation: '-', b: spent, unit: 'dollars' },
      ],
    }
  },
  ages(random) {
    const { whole, one } = drawer(random)
    const [who, age, times, years] = [one(people), whole(4, 15), whole(2, 4), whole(2, 20)]
    return {
      question: `${who} is ${age} years old, and an aunt is ${times} times as old. How old will the aunt be in ${years} years?`,
      steps: [
        { about: 'The aunt is now', a: age, operation: '*', b: times, unit: 'years old' },
        { about: 'Then she will be', a: { step: 0 }, operation: '+', b: years, unit: 'years old' },
      ],
    }
  },
  discount(random) {
    const { whole, one } = drawer(random)
    const [who, price, percent, count] = [one(people), 20 * whole(2, 15), 5 * whole(1, 10), whole(2, 6)]
    return {
      question: `A chair costs $${price}. In a sale it is ${percent} percent cheaper. How many dollars does ${who} pay for ${count} such chairs?`,
      steps: [
        { about: 'One percent is', a: price, operation: '/', b: 100, unit: 'dollars' },
        { about: 'The discount is', a: { step: 0 }, operation: '*', b: percent, unit: 'dollars' },
        { about: 'A chair costs', a: price, operation: '-', b: { step: 1 }, unit: 'dollars' },
        { about: `${who} pays`, a: { step: 2 }, operation: '*', b: count, unit: 'dollars' },
      ],
    }
  },
  garden(random) {
    const { whole, one } = drawer(random)
    const [who, length, width, price] = [one(people), whole(5, 30), whole(3, 20), whole(2, 12)]
    return {
      question: `${who} puts a fence around a garden that is ${length} m long and ${width} m wide. A metre of fence costs $${price}. How many dollars does the fence cost?`,
      steps: [
        { about: 'Length and width are', a: length, operation: '+', b: width, unit: 'm' },
        { about: 'Around the garden it is', a: { step: 0 }, operation: '*', b: 2, unit: 'm' },
        { about: 'The fence costs', a: { step: 1 }, operation: '*', b: price, unit: 'dollars' },
      ],
    }
  },
  reading(random) {
    const { whole, one } = drawer(random)
    const [who, pages, first, days] = [one(people), 10 * whole(9, 45), whole(12, 60), whole(2, 9)]
    return {
      question: `A book has ${pages} pages. On Monday ${who} reads ${first} of them, and twice as many on Tuesday. The rest is spread evenly over the ${days} days after. How many pages are that a day?`,
      steps: [
        { about: 'On Tuesday it is', a: first, operation: '*', b: 2, unit: 'pages' },
        { about: 'On both days it is', a: first, operation: '+', b: { step: 0 }, unit: 'pages' },
        { about: 'The rest is', a: pages, operation: '-', b: { step: 1 }, unit: 'pages' },
        { about: 'A day that is', a: { step: 2 }, operation: '/', b: days, unit: 'pages' },
      ],
    }
  },
}
