import t from 'tap'
import { deribit } from '../../../exchanges/deribit/main.js'
import { capturedFiles, capturedFrames } from '../../fixtures/captured-frames.js'
import { compareWays, openWays } from '../fixtures/both-ways.js'
import { samples } from '../fixtures/every-table.js'
import { linesOf } from '../fixtures/samples/sample.js'

const familyOf = (channel: string) =>
  deribit.families
    .flatMap(({ name, table }) => (table === undefined ? [] : [name]))
    .filter(family => channel === family || channel.startsWith(`${family}.`))
    .sort((a, b) => b.length - a.length)[0]

/** The frame with one member of its data after the other changed into something that its table does not expect. */
function damaged(frame: string): string[] {
  const values = [
    'null',
    '"text"',
    '"7"',
    '" 1.5"',
    '"NaN"',
    '1e999',
    '99999999999999999999',
    '1.5',
    'true',
    '{"a":1}',
    '[1]',
    '[]',
  ]
  const changed = [...frame.matchAll(/"(\w+)":(-?[\d.]+|"[^"]*"|null)(?=[,}])/g)].flatMap(
    ({ 0: all, 1: name, index }) => {
      const withMember = (member: string) => frame.slice(0, index) + member + frame.slice(index + all.length)
      return [
        ...values.map(value => withMember(`"${name}":${value}`)),
        ...['"zz":1', '"zz":null', '"zz":"a:b"', '"zz" : 1', '"z\\":z":1', `"${name}":1`].map(more =>
          withMember(`${all},${more}`),
        ),
        withMember(`"zz":2`),
        withMember(`"${String(name).replace('_', '\\u005f')}":1.5`),
      ]
    },
  )
  return changed.filter((_, index) => index % 5 === frame.length % 5 || changed.length < 100)
}

t.test('the short way gives the rows of the exact one, whatever is in a frame', async t => {
  const ways = await openWays(t)
  for (const { family, frames } of samples) {
    await compareWays(t, ways, { family }, linesOf({ frames: [...frames, ...frames.flatMap(damaged)] }))
  }
})

t.test('captured frames: the same rows, and most by the short way', async t => {
  const files = capturedFiles(t)
  if (!files) return
  const ways = await openWays(t)
  const byFamily = new Map<string, string[]>()
  for (const file of files) {
    for (const frame of capturedFrames(t, file) ?? []) {
      const family = familyOf(/"channel":"([^"]+)"/.exec(frame)?.[1] ?? '')
      if (family === undefined) continue
      byFamily.set(family, [...(byFamily.get(family) ?? []), frame])
    }
  }
  for (const [family, frames] of byFamily) {
    const fast = await compareWays(t, ways, { family }, linesOf({ frames }))
    if (['quote', 'book', 'ticker', 'trades'].includes(family)) {
      t.ok(fast > 0.8 * frames.length, `${family}: ${fast} of ${frames.length}`)
    }
  }
})
