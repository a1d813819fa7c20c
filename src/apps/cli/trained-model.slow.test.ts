/** trained-model.test.ts with the tests that are too slow for the quick set. */
import './trained-model.test.ts'
