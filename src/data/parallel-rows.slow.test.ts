/** parallel-rows.test.ts with the tests that are too slow for the quick set. */
import './parallel-rows.test.ts'
