import { test } from 'vitest'
import { useJournal } from './resume.fixture.ts'

const { resumeEveryCut } = useJournal()

test('a journal cut at every byte resumes with every record once and the answers of an undisturbed run', () =>
  resumeEveryCut(1))
