/** embedded.test.ts with the tests that are too slow for the quick set. */
import './embedded.test.ts'
