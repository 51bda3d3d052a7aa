/** 100 random kills of a recorder that takes 5,000 frames a second. */
import t from 'tap'
import { killRounds } from '../fixtures/kill-rounds.js'

t.setTimeout(30 * 60_000)

t.test('100 random kills at 5,000 frames/s', async t => {
  const found = await killRounds(t, t.testdir({}), {
    rounds: 100,
    framesPerSecond: 5000,
    longestLifeMs: 3000,
    tell: message => t.comment(message),
  })
  t.comment(JSON.stringify(found))
  t.match(found, { kills: 100, lost: 0, doubled: 0, unreadable: 0 })
})
