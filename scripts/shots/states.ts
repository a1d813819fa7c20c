/** The states of the page that are photographed. */
import path from 'node:path'
import type { Page } from 'playwright-core'
import { codeScene, deepScene, longScene, mathScene, type Scene, skyScene, thoughtScene } from './texts.ts'

/** A state, and how a reader gets there. */
export interface State {
  name: string
  scene: Scene
  /** Milliseconds before each word. */
  delayMs?: number
  act: (page: Page, scene: Scene) => Promise<void>
}

async function ask(page: Page, { question }: Scene): Promise<void> {
  await page.getByLabel('Your question').fill(question)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
}
async function finish(page: Page, scene: Scene): Promise<void> {
  await ask(page, scene)
  await page.locator('.turn[data-state="done"], .turn[data-state="failed"]').waitFor()
  await page.waitForTimeout(400)
}
const answerText = (page: Page) =>
  page
    .locator('.prose .md')
    .getByText(/\w+ \w+ \w+/)
    .first()
    .waitFor()

const failing = { error: { kind: 'auth' as const, message: 'the key is not valid', isRetryable: false } }

const results = path.join(import.meta.dirname, '../../bench/results')

/** In the order of a conversation. */
export const states: State[] = [
  { name: 'empty', scene: skyScene, act: async () => {} },
  {
    name: 'streaming',
    scene: deepScene,
    delayMs: 60,
    act: async (page, scene) => {
      await ask(page, scene)
      await page.waitForTimeout(1_800)
    },
  },
  {
    name: 'second-layer',
    scene: deepScene,
    delayMs: 30,
    act: async (page, scene) => {
      await ask(page, scene)
      await page.locator('[data-place="1-0"] .md').waitFor()
      await page.waitForTimeout(500)
    },
  },
  {
    name: 'answering',
    scene: longScene(230, 2),
    delayMs: 10,
    act: async (page, scene) => {
      await ask(page, scene)
      await answerText(page)
      await page.waitForTimeout(1_000)
    },
  },
  { name: 'answer-30', scene: longScene(23, 2), act: finish },
  { name: 'answer-300', scene: longScene(230, 2), act: finish },
  { name: 'answer-3000', scene: longScene(2_300, 2), act: finish },
  {
    name: 'pointing',
    scene: deepScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.locator('[data-sentence="1"]').first().focus()
    },
  },
  {
    name: 'opened',
    scene: deepScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.getByRole('button', { name: 'Proposals', exact: true }).click()
    },
  },
  {
    name: 'disagreement',
    scene: deepScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.locator('.agreement summary').click()
    },
  },
  { name: 'math', scene: mathScene, act: finish },
  { name: 'code', scene: codeScene, act: finish },
  { name: 'thoughts', scene: thoughtScene, act: finish },
  {
    name: 'sources-marked',
    scene: deepScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.getByRole('button', { name: 'Color by source' }).click()
    },
  },
  {
    name: 'second-turn',
    scene: skyScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await ask(page, { ...scene, question: 'And at night?' })
      await page.locator('.turn').nth(1).and(page.locator('[data-state="done"]')).waitFor()
      await page.waitForTimeout(600)
    },
  },
  {
    name: 'stopped',
    scene: longScene(230, 1),
    delayMs: 40,
    act: async (page, scene) => {
      await ask(page, scene)
      await answerText(page)
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByText('Stopped').first().waitFor()
    },
  },
  { name: 'failed', scene: { ...skyScene, proposals: [failing, failing, failing] }, act: finish },
  {
    name: 'settings',
    scene: skyScene,
    act: async (page) => page.getByRole('button', { name: 'Settings', exact: true }).click(),
  },
  {
    name: 'history',
    scene: skyScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.getByRole('button', { name: 'History' }).click()
    },
  },
  {
    name: 'journals',
    scene: skyScene,
    act: async (page) => page.getByRole('button', { name: 'Journals' }).click(),
  },
  {
    name: 'export',
    scene: skyScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.getByRole('button', { name: 'Export', exact: true }).click()
    },
  },
  {
    name: 'example',
    scene: skyScene,
    act: async (page) => {
      await page.getByRole('button', { name: 'See an example without a model' }).click()
      await page.locator('.turn[data-state="done"]').first().waitFor()
      await page.waitForTimeout(600)
    },
  },
  {
    name: 'journal-examples',
    scene: skyScene,
    act: async (page) => {
      await page.getByRole('button', { name: 'Journals' }).click()
      await page.getByRole('button', { name: 'Open two examples' }).click()
      await page.locator('.turn').first().waitFor()
      await page.waitForTimeout(600)
    },
  },
  {
    name: 'side-by-side',
    scene: skyScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.getByRole('button', { name: 'Run again' }).click()
      await page.getByRole('button', { name: 'Side by side' }).click()
      await page.waitForTimeout(600)
    },
  },
  {
    name: 'edit',
    scene: skyScene,
    act: async (page, scene) => {
      await finish(page, scene)
      await page.getByRole('button', { name: 'Edit', exact: true }).click()
    },
  },
  {
    name: 'result',
    scene: skyScene,
    act: async (page) => {
      await page.getByRole('button', { name: 'Journals' }).click()
      await page.getByLabel('Open files').setInputFiles(path.join(results, 'evaluation-gsm8k-4x1.json'))
      await page.getByText('In short').waitFor()
    },
  },
  {
    name: 'wrong-file',
    scene: skyScene,
    act: async (page) => {
      await page.getByRole('button', { name: 'Journals' }).click()
      await page.getByLabel('Open files').setInputFiles(path.join(results, '../run.ts'))
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'server-gone',
    scene: skyScene,
    act: async (page, scene) => {
      await page.route('**/v1/**', (route) => route.abort())
      await ask(page, scene)
      await page.locator('.turn[data-state="failed"]').waitFor()
    },
  },
  {
    name: 'key-needed',
    scene: skyScene,
    act: async (page) => {
      const error = { message: 'no key was sent' }
      await page.route('**/v1/**', (route) => route.fulfill({ status: 401, json: { error } }))
      await page.reload()
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'two-failed',
    scene: { ...skyScene, proposals: [...skyScene.proposals.slice(0, 3), failing, failing] },
    act: finish,
  },
]
