import { expect, test } from 'vitest'
import { toPublished } from './manifest.ts'
import { findProblems } from './release.ts'

const changelog = '# Changelog\n\n## 1.2.0 - 2026-01-31\n\n- new\n\n## 1.1.0 - 2025-01-31\n'

test('a clean tree with a dated entry of the version can be released', () => {
  expect(findProblems('1.2.0', changelog, '')).toEqual([])
})

test('each reason against a release is named', () => {
  expect(findProblems('1.2.0', changelog, ' M src/index.ts\n')).toEqual([
    'the work tree is not clean:\n M src/index.ts',
  ])
  expect(findProblems('1.3.0', changelog, '')).toEqual([
    'package.json has version 1.3.0, and the newest entry of CHANGELOG.md is 1.2.0',
  ])
  expect(findProblems('1.2.0', changelog.replace('2026-01-31', 'unreleased'), '')).toEqual([
    'the entry of 1.2.0 in CHANGELOG.md needs its date: ## 1.2.0 - YYYY-MM-DD',
  ])
  expect(findProblems('1.2.0', '# Changelog\n', '')[0]).toContain('is missing')
})

test('the published manifest names compiled files and has neither scripts nor development dependencies', () => {
  const checkout = {
    name: 'p',
    version: '1.0.0',
    exports: { '.': './src/index.ts', './package.json': './package.json' },
    scripts: { test: 'x' },
    dependencies: { a: '^1.0.0' },
    devDependencies: { b: '1.0.0' },
  }
  expect(toPublished(checkout)).toEqual({
    name: 'p',
    version: '1.0.0',
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
    },
    dependencies: { a: '^1.0.0' },
  })
})
