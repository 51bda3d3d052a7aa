/** The ends of `run` are orderly: all sealed, nothing lost that came, whoever says it and how often. */
import t from 'tap'
import { checkEnds, endTable } from '../../fixtures/orderly-check.js'
import type { EndName } from '../../fixtures/orderly-ends.js'

t.setTimeout(240_000)

/** `npm run long ends` holds them to 5 s, on a quiet machine. */
const WITHIN_MS = 20_000

/** Those in which its programs hear of it in different order, or not from it; `npm run long ends` tries all. */
const KINDS: readonly EndName[] = [
  'SIGTERM',
  'SIGINT to the group',
  'SIGTERM, SIGTERM shortly after',
  'SIGTERM to all, last the first',
  'the terminal is closed',
  'the shell is killed, then SIGTERM',
  'the supervisor is killed',
  'the channel is cut',
]

t.test('run ends in order, in the ways that its programs hear of differently', async t => {
  for (const line of endTable(await checkEnds(t, 'run', 1, WITHIN_MS, KINDS))) t.comment(line)
})
