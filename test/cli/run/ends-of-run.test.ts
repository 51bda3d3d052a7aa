/** Every usual end of `run` is orderly: all sealed, nothing lost that came, whoever says it and how often. */
import t from 'tap'
import { checkEnds, endTable } from '../../fixtures/orderly-check.js'

t.setTimeout(240_000)

/** `npm run long ends` holds them to 5 s, on a quiet machine. */
const WITHIN_MS = 20_000

t.test('run ends in order, in each of the usual ways', async t => {
  for (const line of endTable(await checkEnds(t, 'run', 1, WITHIN_MS))) t.comment(line)
})
