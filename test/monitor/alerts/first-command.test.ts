/** What an alert tells its receiver to type, and that it is one line, whatever it is about. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { createProgram } from '../../../cli/program.js'
import { firstCommand } from '../../../monitor/alerts/first-command.js'
import { messageOfAlert } from '../../../monitor/alerts/message.js'
import { packageRoot } from '../../../platform/package-info.js'
import { holds } from '../../fixtures/holds.js'

/** Keys of alerts by the page that tells of them: of each part by name. */
function documentedKeys(): string[] {
  const page = readFileSync(join(packageRoot, 'docs/alerts.md'), 'utf8')
  const begin = page.indexOf('| alert ')
  const rows = page.slice(begin, page.indexOf('\n\n', begin)).split('\n').slice(2)
  return rows.flatMap(row => {
    const [first = '', ...others] = [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, key = '']) => key)
    return [first, ...others.map(key => key.replace('…', first.split(' ').slice(1).join(' ')))]
  })
}

t.test('each alert says a command that there is, with options that it takes', async t => {
  const keys = documentedKeys()
  t.ok(keys.length >= 20 && keys.includes('syncer down'), keys.join())
  for (const key of keys) {
    const [name, ...args] = firstCommand(key).split(' ')
    t.equal(name, 'edgetape', key)
    const program = await createProgram(...args)
    const command = program.commands.find(one => one.name() === args[0])
    let isUnderstood = false
    command?.action(() => void (isUnderstood = true))
    await program.parseAsync(args, { from: 'user' })
    t.ok(isUnderstood, `${key}: ${args.join(' ')}`)
  }
})

t.test('the command is about what is wrong', t => {
  for (const [key, command] of [
    ['disk', 'edgetape retention --dry-run'],
    ['disk refuses', 'edgetape doctor'],
    ['gap', 'edgetape coverage'],
    ['copies', 'edgetape verify nas'],
    ['archive', 'edgetape verify --repair'],
    ['compactor failing', 'edgetape verify raw'],
    ['compactor down', 'edgetape status'],
    ['recorder restarted', 'edgetape status'],
    ['recorder down', 'edgetape status'],
    ['no data', 'edgetape doctor'],
    ['what nobody knows', 'edgetape doctor'],
  ] as const)
    t.equal(firstCommand(key), command, key)
  t.end()
})

t.test(
  'a message is one line that says whose it is, what is wrong and what to type; an all-clear tells to type nothing',
  t => {
    const what = fc.constantFrom('raised', 'still', 'cleared', 'test')
    const heads = { raised: 'ALERT', still: 'STILL', cleared: 'OK', test: 'TEST' }
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '\r', '\t', '\u2028', 'ü', ';', ':') })
    const key = fc.constantFrom('disk', 'gap', 'no data', 'x')
    holds(
      t,
      fc.property(what, key, text, fc.nat({ max: 4e12 }), (what, key, text, sinceMs) => {
        const message = messageOfAlert({ key, what, text, sinceMs }, 'vps-1')
        const { run } = message
        assert.ok(!/[\r\n\t\u2028]/.test(message.text), 'one line')
        assert.ok(message.text.startsWith(`[${heads[what]}] edgetape vps-1: ${text.trim().split(/\s+/).join(' ')}`))
        assert.equal(run === undefined, what === 'cleared')
        assert.equal(message.text.endsWith(`; type: ${run ?? ''}`) && run !== undefined, what !== 'cleared')
        assert.equal(Date.parse(message.since), sinceMs)
        assert.deepEqual([message.alert, message.what, message.host], [key, what, 'vps-1'])
      }),
    )
    t.end()
  },
)
