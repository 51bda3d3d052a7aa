/** Every usual end of `record` is orderly: all sealed, nothing lost that came, whoever says it and how often. */
import t from 'tap'
import { kindsOf } from '../../fixtures/end-campaign.js'
import { checkEnds, endTable } from '../../fixtures/orderly-check.js'
import type { EndName } from '../../fixtures/orderly-ends.js'

t.setTimeout(240_000)

/** `npm run long ends` holds them to 5 s, on a quiet machine. */
const WITHIN_MS = 20_000

/** It is one process: told in these ways it is told as by SIGTERM alone; `npm run long ends` tries all. */
const ALIKE: readonly EndName[] = ['SIGTERM to the group', 'SIGTERM to all processes', 'SIGTERM to all, last the first']
const KINDS = kindsOf('record').filter(kind => !ALIKE.includes(kind))

t.test('record ends in order, in each of the usual ways', async t => {
  for (const line of endTable(await checkEnds(t, 'record', 1, WITHIN_MS, KINDS))) t.comment(line)
})
