/** The cuts of resume.test.ts, at every byte. */
import './resume.test.ts'
