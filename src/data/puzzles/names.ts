/** Names for the places, people and things of puzzles. Most are one token of common vocabularies. */

/** The capital letters. */
export const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

/** Short common nouns. */
export const nouns =
  'red dog tree sun box car hat sea cup pen map key bed egg ice oil sky bus cat fox gas jar leg net owl rug tin web bag bee cap cow ear fan fig gem hen ink jam lip log mud nut pan pea pie pig pin rat saw tea toe van wax wig'.split(
    ' ',
  )

/** First names. */
export const people =
  'Ann Bob Cara Dan Eve Finn Gus Hana Ivan Jane Kim Leo Mia Nick Olga Paul Quinn Rosa Sam Tina Uma Vera Will Xena Yuri Zoe Adam Beth Carl Dora Emil Fay Greg Helen Iris Jack Karl Lisa Mark Nora Otto Pia Ralf Sara Tom Ulla Vic Wanda'.split(
    ' ',
  )

/** Towns. */
export const towns =
  'Paris Rome Oslo Bern Kiev Lima Cairo Delhi Tokyo Seoul Dublin Madrid Vienna Prague Athens Berlin London Lisbon Warsaw Moscow Boston Dallas Denver Miami Austin Quebec Havana Bogota Milan Turin Genoa Nice Lyon Ghent Basel Bonn Essen Graz Linz Turku Malmo Bergen Porto Malaga Leeds York Bath Derby'.split(
    ' ',
  )
