import fc from 'fast-check'
import t from 'tap'
import { KnownTexts } from '../../exchanges/known-texts.js'
import { holds } from '../fixtures/holds.js'

t.test('any texts are what stands in the frame, however often and whatever stood there before', t => {
  const texts = new KnownTexts()
  // Few letters, so that many have the same place among what is known.
  const name = fc.array(fc.constantFrom(0x41, 0x42, 0x2d, 0xe9), { maxLength: 12 }).map(bytes => Buffer.from(bytes))
  const seed = Date.now() % 2 ** 31
  t.comment(`seed ${seed}`)
  holds(
    t,
    fc.property(fc.array(name, { minLength: 1, maxLength: 40 }), names => {
      const frame = Buffer.concat(names)
      let at = 0
      for (const bytes of names) {
        t.equal(texts.textAt(frame, at, at + bytes.length), bytes.toString('latin1'))
        at += bytes.length
      }
      return true
    }),
    { seed, numRuns: 200 },
  )
  t.end()
})

t.test('a text is not that of the memory it was built from, which is filled anew', t => {
  const texts = new KnownTexts()
  const frame = Buffer.from('BTC-PERPETUAL')
  t.equal(texts.textAt(frame, 0, frame.length), 'BTC-PERPETUAL')
  frame.write('ETH')
  t.equal(texts.textAt(frame, 0, frame.length), 'ETH-PERPETUAL')
  t.equal(texts.textAt(Buffer.from('BTC-PERPETUAL'), 0, 13), 'BTC-PERPETUAL')
  t.end()
})
