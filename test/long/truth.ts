/** Scripted disturbances, each laid beside what the account tells of it; writes docs/truth.md. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import t from 'tap'
import { packageRoot, version } from '../../platform/package-info.js'
import { campaign, tableOf } from '../fixtures/truth/campaign.js'
import { disturbances } from '../fixtures/truth/disturbances.js'

const PAGE = join(packageRoot, 'docs/truth.md')
const AT_ONCE = 8

t.setTimeout(3_600_000)

t.test(`${disturbances.length} disturbances`, { timeout: 3_600_000 }, async t => {
  const only = process.env['EDGETAPE_TRUTH_ONLY']
  const list = disturbances.filter(({ name }) => only === undefined || new RegExp(only).test(name))
  const outcomes = await campaign(t, list, AT_ONCE, ({ name, wrong }) => {
    t.comment(`${wrong.length === 0 ? 'right' : 'WRONG'}  ${name}${wrong.map(text => `\n        ${text}`).join('')}`)
  })
  for (const { name, wrong } of outcomes) t.same(wrong, [], name)
  if (only === undefined)
    writeFileSync(PAGE, await format(page(outcomes), { ...(await resolveConfig(PAGE)), filepath: PAGE }))
})

function page(outcomes: Awaited<ReturnType<typeof campaign>>): string {
  const right = outcomes.filter(({ wrong }) => wrong.length === 0).length
  const count = (what: string) => outcomes.filter(({ wrong }) => wrong.some(text => text.startsWith(what))).length
  return `# What the account tells, against what was done

\`npm run long truth\` disturbs a recorder in ${outcomes.length} ways, against a simulated exchange that writes down every frame that it made and every
fault that it was ordered (\`edgetape simulate --truth-file\`). Right is: every frame that is in no file lies in a span told as missing,
of that channel, within 1 s of its bounds (beyond what the machine itself was late) and with a cause that fits; of no such span, a second from its ends, is a frame here;
trades that were missed live and fetched are not told as missing. This page is written by the command (version ${version}).

- told right: ${right} of ${outcomes.length}
- with a false "complete": ${count('falsely complete')}
- with a false gap: ${count('false gap')}
- with a wrong cause: ${count('wrong cause')}

${tableOf(outcomes)}
`
}
