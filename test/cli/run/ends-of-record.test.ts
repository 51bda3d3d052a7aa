/** Every usual end of `record` is orderly: all sealed, nothing lost that came, whoever says it and how often. */
import t from 'tap'
import { checkEnds, endTable } from '../../fixtures/orderly-check.js'

t.setTimeout(240_000)

/** `npm run long ends` holds them to 5 s, on a quiet machine. */
const WITHIN_MS = 20_000

t.test('record ends in order, in each of the usual ways', async t => {
  for (const line of endTable(await checkEnds(t, 'record', 1, WITHIN_MS))) t.comment(line)
})
