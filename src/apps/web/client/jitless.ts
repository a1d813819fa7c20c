/** Imported before any shape is made: zod would try to make functions from texts, which the page's policy forbids. */
import { z } from 'zod'

z.config({ jitless: true })
