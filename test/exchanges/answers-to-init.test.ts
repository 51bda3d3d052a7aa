/** What people answer when a config is made for them: whatever counts as an answer makes a config that is taken. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { ZodObject } from 'zod'
import type { Exchange } from '../../exchanges/exchange.js'
import { exchanges } from '../../exchanges/registry.js'
import type { Question } from '../../exchanges/settings.js'
import { holds } from '../fixtures/holds.js'

/** Words as somebody may type them, near to what is wanted. */
const word = fc.oneof(
  fc.stringMatching(/^[A-Z0-9*._-]{1,12}$/),
  fc.constantFrom('any', 'BTC', 'BTC*', '*', 'btc', '', ' ', 'X'.repeat(70)),
  fc.string({ maxLength: 8 }),
)

function answerTo(question: Question): fc.Arbitrary<string | string[] | undefined> {
  const { name, options, isList } = question
  if (name === 'url') return fc.constantFrom(undefined, 'ws://127.0.0.1:8080/ws', 'wss://test.example.com/v5/public')
  const values = options?.map(({ value }) => value)
  if (values && isList) return fc.subarray(values, { minLength: 1 })
  if (values) return fc.constantFrom(...values)
  return fc.array(word, { minLength: 1, maxLength: 4 }).filter(words => question.complaint?.(words) === undefined)
}

/** Answers to some of the questions of an exchange. */
const answersOf = ({ settings }: Exchange) =>
  fc.record(Object.fromEntries(settings.questions.map(question => [question.name, answerTo(question)])), {
    requiredKeys: [],
  })

for (const exchange of exchanges) {
  const { name, settings } = exchange
  t.test(`${name}: every answer that is taken makes a config that is taken, and says what was answered`, async t => {
    const schema: ZodObject = await settings.schema()
    const parse = (values: object) =>
      schema.parse({ adapter: name, name, ...values }) as Record<string, unknown> & {
        channels: Record<string, string[]>
        redundancy: number
      }
    const byDefault = parse({})
    const kindsAsked = settings.questions.find(question => question.name === 'kinds')?.options ?? []
    t.ok(kindsAsked.length > 2 || name === 'generic', `${kindsAsked.length} kinds`)
    holds(
      t,
      fc.property(answersOf(exchange), answers => {
        const values = Object.entries(settings.valuesOf(answers)).filter(([, value]) => value !== undefined)
        const config = parse(Object.fromEntries(values))
        if (answers['url'] !== undefined) assert.equal(config['url'], answers['url'])
        if (answers['redundancy'] !== undefined) assert.equal(config.redundancy, Number(answers['redundancy']))
        const { kinds } = answers
        for (const { value: kind } of kindsAsked) {
          const isWanted = kinds === undefined || kinds.includes(kind)
          assert.deepEqual(config.channels[kind], isWanted ? byDefault.channels[kind] : [], kind)
        }
      }),
      { numRuns: 150 },
    )
    t.end()
  })

  t.test(`${name}: what is no answer is told with what is wanted, and what is proposed is one`, t => {
    for (const question of settings.questions) {
      const { asked, options } = question
      if (!question.complaint) continue
      const complaint = (words: readonly string[]) => question.complaint?.(words)
      const proposal = asked?.proposal?.split(/,\s*/)
      if (proposal) t.equal(complaint(proposal), undefined, proposal.join(' '))
      t.notOk(options, 'of options one is chosen')
      for (const wrong of [[], [''], ['BTC ETH'], ['btc'], ['BTC', ';DROP']])
        t.match(complaint(wrong), /such as/, JSON.stringify(wrong))
    }
    t.end()
  })
}
