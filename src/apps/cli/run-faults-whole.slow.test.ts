/** run-faults.test.ts with the tests that are too slow for the quick set. */
import './run-faults.test.ts'
