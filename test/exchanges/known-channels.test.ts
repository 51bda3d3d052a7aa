import fc from 'fast-check'
import t from 'tap'
import { KnownChannels } from '../../exchanges/known-channels.js'
import { holds } from '../fixtures/holds.js'

const described = () => new KnownChannels(name => ({ channel: name, family: name.slice(0, 3), isNews: false }))
const name = fc.stringMatching(/^[abAB0189._-]{1,120}$/)

t.test('a name is known by its bytes, wherever it stands and however its end is found', t => {
  holds(
    t,
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 60 }), fc.nat({ max: 40 }), (names, before) => {
      const known = described()
      for (const name of [...names, ...names]) {
        const frame = Buffer.from(`${'"'.repeat(before)}${name}","data":1}`)
        const facts = known.factsToQuote(frame, before)
        t.equal(facts?.channel, name)
        t.equal(known.factsAt(frame, before, before + name.length), facts)
        t.equal(known.factsOf(name), facts, 'the same facts, not others like them')
      }
    }),
  )
  t.end()
})

t.test('what no quote ends in time is no name', t => {
  const known = described()
  t.equal(known.factsToQuote(Buffer.from(`${'x'.repeat(120)}"`), 0)?.channel, 'x'.repeat(120))
  t.equal(known.factsToQuote(Buffer.from(`${'x'.repeat(121)}"`), 0), undefined)
  t.equal(known.factsToQuote(Buffer.from('quote.BTC'), 0), undefined)
  t.equal(known.factsToQuote(Buffer.from('quote'), 5), undefined)
  t.end()
})
