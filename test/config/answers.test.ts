/** Answers of `init` as a config, and targets as they may be spelled. A failure prints its seed. */
import assert from 'node:assert/strict'
import { dirname, isAbsolute } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { answersBy, flagQuestions, pathsFor, valuesOf, type Answers } from '../../config/answers.js'
import { configText } from '../../config/config-text.js'
import { parseConfig } from '../../config/load.js'
import { oneExchange, recorderTag, recorderTags } from '../../config/one-exchange.js'
import { parseTarget, targetComplaint, targetLabel } from '../../config/target-address.js'
import { exchanges } from '../../exchanges/registry.js'
import { holds } from '../fixtures/holds.js'

const PATH = '/etc/edgetape/edgetape.yaml'

const path = fc.oneof(
  fc
    .stringMatching(/^(?:\/|\.\/|\.\.\/|~\/)?[a-z0-9_ .-]{1,12}$/)
    .filter(path => path === path.trim() && !/^~[^/]/.test(path) && path !== '~'),
  fc.constantFrom('~', '.', '/', 'a/../b'),
)
const answers: fc.Arbitrary<Answers> = fc
  .record(
    {
      dataDir: path,
      host: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/),
      target: fc.constantFrom(
        '',
        '/mnt/nas',
        './nas',
        '~/nas',
        'me@nas:/tape',
        'rsync://me@nas/tape/x',
        'rclone:s3:bucket/x',
      ),
      sshKey: path,
      sshPort: fc.integer({ min: 1, max: 65_535 }),
      knownHosts: path,
      keepHours: fc.nat({ max: 10_000 }),
      exchanges: fc.uniqueArray(fc.constantFrom(...exchanges.map(({ name }) => name)), { minLength: 1 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map(answers => answers as Answers)

t.test('a config made of answers is one that says them, wherever it lies', t => {
  holds(
    t,
    fc.property(answers, answers => {
      const text = configText(answers)
      const folder = dirname(PATH)
      const config = parseConfig(text, PATH)
      const { dataDir = './data', host, target = '', keepHours } = answers
      assert.equal(config.dataDir, parseConfig(stringify({ exchange: { name: 'okx' }, dataDir }), PATH).dataDir)
      assert.ok(isAbsolute(config.dataDir))
      if (host !== undefined) assert.equal(config.host, host)
      if (keepHours !== undefined) assert.equal(config.retention.keepHours, keepHours)
      assert.equal(config.sync.target === undefined, target === '')
      const names = config.exchanges.map(({ name }) => name)
      assert.deepEqual([...names].sort(), [...(answers.exchanges ?? names)].sort())
      for (const name of names) assert.equal(oneExchange(config, name).name, name)
      assert.equal(new Set(recorderTags(config)).size, names.length, 'their status files have names of their own')
      assert.equal(recorderTag(config, names[0] ?? '') === undefined, names.length === 1)
      // Told elsewhere than where the config lies, a path means what it means to a shell.
      const elsewhere = parseConfig(configText(pathsFor(folder, answers, '/home/me')), PATH)
      if (answers.dataDir !== undefined) assert.equal(elsewhere.dataDir, parseConfig(text, '/home/me/x.yaml').dataDir)
      if (target !== '') assert.equal(elsewhere.sync.target, parseConfig(text, '/home/me/x.yaml').sync.target)
      assert.deepEqual(parse(text), JSON.parse(JSON.stringify(valuesOf(answers))), 'as it was answered')
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('an answer to a question of several exchanges reaches those that know it', t => {
  for (const { name, options = [] } of flagQuestions())
    for (const { value } of options) {
      const told = answersBy({ [name]: value })
      const asked = exchanges.filter(({ settings }) => settings.questions.some(question => question.name === name))
      t.ok(
        asked.some(exchange => told[exchange.name]?.[name] === value),
        `${name}: ${value}`,
      )
      for (const { name: exchange, settings } of exchanges) {
        const own = settings.questions.find(question => question.name === name)
        const isKnown = own?.options?.some(option => option.value === value) ?? false
        t.equal(told[exchange]?.[name], isKnown ? value : undefined, `${exchange}: ${name} ${value}`)
      }
    }
  t.end()
})

t.test('a target is one of the kinds, spelled in one way, or what is wanted is said', t => {
  const part = fc.constantFrom(
    'nas',
    'me@',
    'rsync://',
    'rclone:',
    's3:',
    '/',
    ':',
    '::',
    '[::1]',
    './',
    '~',
    '..',
    ' ',
    '-',
    'a b',
    '%',
    '\0',
    'ssh://',
    '#',
    '~/',
  )
  holds(
    t,
    fc.property(fc.array(part, { maxLength: 5 }), parts => {
      const text = parts.join('')
      const complaint = targetComplaint(text)
      if (complaint !== undefined) {
        assert.throws(() => parseTarget(text), { code: 'SYNC_TARGET_INVALID' })
        return
      }
      const address = parseTarget(text)
      // The root of another machine keeps no name without its slash.
      if (address.kind !== 'folder' && /[:/]\/$/.test(address.destination)) return
      const label = targetLabel(text)
      // A folder's name may end with a blank, behind which a slash stood.
      if (label !== label.trim()) return
      assert.equal(targetLabel(label), label)
      assert.deepEqual(parseTarget(label), parseTarget(text))
      assert.equal(targetLabel(text.endsWith('/') ? text : `${text}/`), label, 'with a slash at its end or without')
      if (address.kind === 'folder') assert.ok(isAbsolute(address.path))
      // rsync and a remote shell would take it for an option, or for more than a path.
      else assert.match(address.destination, /^[^-\s][^\s\0#;&|$`'"\\]*\/$/)
    }),
    { numRuns: 1000 },
  )
  t.end()
})
