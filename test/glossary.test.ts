import { readFileSync } from 'node:fs'
import { execaSync } from 'execa'
import t from 'tap'
import { packageRoot } from '../platform/package-info.js'

const GLOSSARY = 'docs/glossary.md'
/** What tells of the past, and the list itself. */
const LEFT_OUT = [GLOSSARY, 'CHANGELOG.md', 'package-lock.json', 'test/glossary.test.ts']
/** Files that may use a retired word, since they read what an earlier version wrote, or speak of something else. */
const OLD_KEYS = ['config/renamed-keys.ts', 'test/config/load.test.ts']
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'give way': OLD_KEYS,
  'doubles window': OLD_KEYS,
  'compact.doubles': OLD_KEYS,
  tabled: ['formats/receipt.ts', 'test/formats/renamed-fields.test.ts'],
  // DuckLake's catalog, folders of a NAS, and a lake of other programs.
  lake: ['reader/finished-days/', 'docs/catalog.md', 'cli/', 'test/'],
  // A recording in Python, a market's tape of trades, and folders in examples.
  tape: [
    'python/',
    'docs/',
    'examples/',
    'simulator/',
    'test/',
    'bench/syncer/',
    'reader/',
    'config/',
    'cli/',
    'syncer/',
  ],
}

const ROW = /^\| (?<word>[^|]+?) +\| (?<meaning>[^|]+?) +\| (?<retired>[^|]*?) *\|$/gm
const rows = [...readFileSync(`${packageRoot}/${GLOSSARY}`, 'utf8').matchAll(ROW)].slice(1).flatMap(({ groups }) => {
  if (!groups || /^-+$/.test(groups['word'] ?? '')) return []
  const retired = [...(groups['retired'] ?? '').matchAll(/`([^`]+)`/g)].flatMap(([, word = '']) => word)
  return [{ word: groups['word'] ?? '', retired }]
})
const retired = rows.flatMap(row => row.retired)

/** Names taken apart into words: `handOver`, `HAND_OVER` and `hand-over` are "hand over". */
const wordsOf = (text: string) =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[-_#]/g, ' ')
    .toLowerCase()

/** Where retired words are used: `word: path:line`. */
function usesIn(path: string, text: string): string[] {
  const isUsed = new RegExp(`\\b(?:${retired.join('|')})\\b`)
  if (!isUsed.test(wordsOf(`${path} ${text}`))) return []
  return [path, ...text.split('\n')].flatMap((line, index) =>
    retired
      .filter(word => !ALLOWED[word]?.some(allowed => path.startsWith(allowed)))
      .filter(word => new RegExp(`\\b${word}\\b`).test(wordsOf(line)))
      .map(word => `${word}: ${path}:${index}`),
  )
}

t.test('words are found in any spelling', t => {
  const [word = ''] = retired
  const camel = word.replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase())
  for (const text of [word, word.replaceAll(' ', '-'), word.replaceAll(' ', '_').toUpperCase(), camel])
    t.same(usesIn('a.md', `one\nof ${text}.`), [`${word}: a.md:2`], text)
  t.same(usesIn('a.md', `one${word}s`), [])
  t.end()
})

t.test('no word that the glossary retired is used', t => {
  const kinds = ['ts', 'js', 'md', 'sql', 'yaml', 'html', 'py', 'json', 'sh'].map(ending => `*.${ending}`)
  const listed = execaSync('git', ['ls-files', '--', ...kinds, ...LEFT_OUT.map(path => `:!${path}`)], {
    cwd: packageRoot,
  })
  const found = listed.stdout.split('\n').flatMap(path => usesIn(path, readFileSync(`${packageRoot}/${path}`, 'utf8')))
  t.ok(retired.length > 5, `${retired.length} retired words`)
  t.same(found, [], `${GLOSSARY} says which word to use instead`)
  t.end()
})

t.test('each word stands in the glossary once, in the order of the alphabet', t => {
  const words = rows.map(({ word }) => word)
  t.same(words, [...new Set(words)].sort())
  t.end()
})
