/** docs.test.ts with the blocks of every page run, not only README's. */
import './docs.test.ts'
