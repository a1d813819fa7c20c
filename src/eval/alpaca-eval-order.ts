/** Knows the place of each of AlpacaEval's 805 instructions. The metric finds an instruction's difficulty by its place. */
import { createHash } from 'node:crypto'

const DIGEST_BYTES = 3

/** The first three bytes of each instruction's SHA-256 in base64, in the benchmark's order. */
const DIGESTS = [
  '8KqcCKIWAMtNaN47MLTO9jiZRQMX1OcERg/X7g/QNnA92rQ5Ew8rpPyYkX+HpoHTpTI6iHu1cM74/OhNxiEUtd5W73sUL7zB9q7v',
  'lh89pAq/tQalrTiYzW6qsOvrGm6KAl2zgTLBSVaVXWLhPASy4+G+GtAew2LXa/cHrUX/RDD9y0HQBL8UfHVDPZ+b2DQXFloqSEjP',
  'OafL879eteOY+QylJert+BdXpExSPb3W+gApAIKaeEM1SbGK/+sHmH9mlCAmh15Yxz2BpUvwZctcrxOGdn5uxpY2gV7gWJuropQd',
  'jKkd6hxd3WN931Ykc1fAwBDkiunWL+pBKNnMwEVl58REL+dTmrIgOAInVDGhtKhI+yVnyezbJe16VobDqzlk4cRA1ws8ubkRsQ2+',
  'TdnfrFhmdWqLHSStu4c7PlJaleO30HJ2osusGyikLZf8Ubs014CiZwM8DjAZQXMP24fd+SXoMtmYbMHpqdlhbuLtPz9vaLGJrmNK',
  'vPiy0tz25P3WcsTCj52KHPLBMqP13HxVCkSipUgUvXWbyorbptBsZpRzgm18Si08DKFKDdJaDUKjIB5dhLJp74JYHjJzz8t4gxHe',
  '9lv20zwjJLe0gvbVrkjGCJ1UBBcvojpLYGzeSZNZghZucgP7mQdymJ1Dsxen/on08G62u/Rir5gq6HEYLSQTy17Tn97uIEzAiyTv',
  'w2ZpBw7YmPW8JECISJxAzsXgBBQBZCSQJrgVa3qyhQ6uo9Ot3KoNopja+swfzOJtFvvOva91IuTd/NqAhCOqDECdDVANh1cVSipE',
  'VQ5hYkI3TSTGfbJDA29OgvhLzgpfPSJSBZNXYPbW3cfEhnESfA7maX4dVVYdievfEaO+4KiDKQ1moWtR/poqWFDGGbPoVHmwJvEl',
  'TkYs3LQoZ/IzHFumBpETVsplN8Kds5vxeY7oo+TQlm+DTt9j68XiMR7irL0mSvxSTTpGGV0QNrzW0jX6tasbaw70pGuDnZp9mPZT',
  'qVx5qah58UmlhD6YwNn0QFeUQexr6ZO9ZbsvbCi3Cj16SnH9elCVQUBruTWDF0gx+Yb2fOl05MJhfCLZ6e25fC2onMDObEAVQFhJ',
  '8/Ga9HqlZ8vMENSKdELbpE1QMfKrSsP2HBtUzOUPraPPcBmWKrPZS9i9bafRp+V0A/HxRKqfNOHdGWZ2DaQtS+R59/d3nR+iwMOC',
  'mWGbQa59FXYeefw6Cfq6PyCCBB52jDxg+XaTWW9l8Oydj0g+2yDVbuOgCc5iAh1vP+8ZlK0h05FqbvUUp0DkPAmmjEL663lKwhCF',
  'uzMXJD/t6dKyfr49mUYS55B0v/KSo/r83ePQsAgubx62FdlSpO27MlCXqTsnU9RJNkzniUj5+gEob+2jvnq1xKBtF3tv4XwjD4uv',
  '6P6GRB0NcLnmXqsU+dUII4MjLhWGCReWnIkE5/l5dxdGauFBKdrso46N6deCXSSafIAMXaw7KEQFquGbutnqsD5qH+pYlRD8aSLT',
  'u3QOSSlxRErai2hEZUgvupv+0/bkPb3P2+Gwe3C5b+rUcrmHfkkpQP8dKAWBR+1SUOswZAHmF82Woa/pSQ0dB+pjsAwnjsJslKZO',
  '+IO/ckiluJypMY+QSsxlm9riSqlAQsxtZmNQ3gppRfRxlkqxanBJ+k3qnT3+M3CJZ6BEGpd2sk9whTnnQD1FXgyy8H3PC3IUFCiK',
  'lWmt5SjWplozI8XoALh3tZlXQbEqrnxTAaVvuVzoDsFcQUoy/tfRQ3LzlUFjZJAX8DUosaxxehZhgUAsgEuV6c3jW8tNxmJvUMIh',
  '+ctvi207+lBmQCHsxLE0WgmRSyiYVLTjg2GRIeDqdvrxmNmn8MxIUbjzMRw4LOGNSi3BaFAv1Mye3w2Bu/ckPhl6L3n8eyzIJXEA',
  'vWgkksi+W8jqKqhNwQn9IrVQQSG5FaoMszJO3EkLYIPDL7RhZgNCKP/IYwAn2iZrPnO9MR5PR9Sn0gyYcL+2uSXCEIC9kCOaBTon',
  '/zqGdacnCRmkmeslBL4nFyxh9SBgdHaRCJXUULTckdJG/1OEH6SYX3amK4jBfQ8Lx89s0mU5TJbfkQ9Y2ei7g2YUuK1uL9++xISs',
  '00DWdiZH5J+3sZ0ixt1N7Ag3+l9pbQLlqlrZOa0jQUWzkNMTpfWjiR1vL8rpgjOmpulArBrHVoH2ee5pGHtDAm3qL8C10Maylqji',
  'oib02kKT/Tk0ClgsmSDqvNkx5ogk00Ai0SKymjU3/zCs2mR+DY+8PThnPoQ7zsL5RV1asrxe2IUYlqEifgn5zVCppne5SbBfYWLo',
  'csbmNc9/1UrLObHzaYvv15STk5kKfBeph1TAFGiAwlM4H+m03v3hd55Mh4c9/xg6A6codBIz7cd1KKODcWCAklzwoRdJA+Y6Oa3B',
  'gGBZpzOUAFtPq5isDLAc5CCrPRYTpGtohDID7wF1YM2aRQGmf6PYMPfv2UHI8EJG5sZToChl7uw3Lka3efjMa6eFJWgFKPELhais',
  'K/H9vSuqq7uSaCyROiTwjrrBsa54Hnpu8n43kgmkjsTRZlxlLHcUBNwCXrtWScs9g2XaY5gXk586t1W/N0Z81CB6njDvi9hnFZYW',
  'JpRTNcn1drb+G7b4Enr/bVhFLL9EBPeyxx70cX1CUIB6/Lw2qxXHJyn1xKio+Ywc3n14DOclOT078lCEjafBEyWkvuW6yNMO9KxE',
  '7Z5PH6zvoWG6HS4OSGB1O3ByOc5hFLsGnIToSliLBcJgS9dAYbLmRuRwrKuDfVr84sEZl3aOW1Qk49rN2jYY9m5hS6IOFvBy8k0c',
  'fFjrXygXMbehhKrWHmY1hBRmEOoQ0GkZH+C931H/90iSyMnvkgdmWKZTV/JHGgrvzpbyu0bxmCns9y90FDloHB3zs2pm3XSD6qVP',
  'VeCtjSNLYqumAwKksUa+wOinExGCOY7PEweJtJsez6+uFsfujDBo4zlNwhTCFFZwGzzC7EzLHeDfzsgZt+yDmF0ZnhKd6ts/vxJh',
  'gA+m+G8Iawxo5gaV36+Ok/Xg2irruGl95AHAkfpOt3ZbmO53Z0fQE7FkJI4GLBLOFvuepTFzpo5O50GEniypE0F194/9ccGCJKlC',
  '73xDjQwKJCD/S5xjVK5YYYUfYwtrieWVRd4uAFRhbbhmr7s1GUzUR0n0YVZ5pUkLlnLOk0Gi6rEceOAquWe0SCf0JCV/mfsnnV5k',
  'J7xsrgcD6vh3uvS1+JQJ',
].join('')

const places = new Map(
  Array.from({ length: 805 }, (_, i) => {
    const start = (i * DIGEST_BYTES * 4) / 3
    return [DIGESTS.slice(start, start + 4), i] as const
  }),
)

/** Returns the place of an instruction, from 0; undefined if it is not in the benchmark. */
export function placeOf(instruction: string): number | undefined {
  return places.get(
    createHash('sha256').update(instruction).digest().subarray(0, DIGEST_BYTES).toString('base64'),
  )
}
