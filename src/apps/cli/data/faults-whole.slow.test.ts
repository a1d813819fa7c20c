/** faults.test.ts with the tests that are too slow for the quick set. */
import './faults.test.ts'
