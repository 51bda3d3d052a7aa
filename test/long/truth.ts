/** Scripted disturbances of each exchange, each laid beside what the account tells of it; writes docs/truth.md and its like. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import t from 'tap'
import { exchangeNamed } from '../../exchanges/registry.js'
import { packageRoot, version } from '../../platform/package-info.js'
import { campaign, disturbancesOf, tableOf, type Outcome } from '../fixtures/truth/campaign.js'
import { worlds, type World } from '../fixtures/truth/worlds.js'

const AT_ONCE = 8

/** Only those exchanges and disturbances, by pattern. */
const { EDGETAPE_TRUTH_EXCHANGE: exchanges = '', EDGETAPE_TRUTH_ONLY: only } = process.env

t.setTimeout(10_800_000)

for (const world of Object.values(worlds).filter(({ exchange }) => new RegExp(exchanges).test(exchange))) {
  const list = disturbancesOf(world).filter(({ name }) => only === undefined || new RegExp(only).test(name))
  t.test(`${world.exchange}: ${list.length} disturbances`, { timeout: 3_600_000 }, async t => {
    const outcomes = await campaign(t, world, list, AT_ONCE, ({ name, wrong }) => {
      t.comment(`${wrong.length === 0 ? 'right' : 'WRONG'}  ${name}${wrong.map(text => `\n        ${text}`).join('')}`)
    })
    for (const { name, wrong } of outcomes) t.same(wrong, [], name)
    if (only !== undefined) return
    const path = join(packageRoot, pageOf(world))
    writeFileSync(path, await format(page(world, outcomes), { ...(await resolveConfig(path)), filepath: path }))
  })
}

function pageOf({ exchange }: World): string {
  return exchange === 'deribit' ? 'docs/truth.md' : `docs/exchanges/${exchange}-truth.md`
}

function page({ exchange }: World, outcomes: readonly Outcome[]): string {
  const right = outcomes.filter(({ wrong }) => wrong.length === 0).length
  const count = (what: string) => outcomes.filter(({ wrong }) => wrong.some(text => text.startsWith(what))).length
  return `# What the account reports, against what was done

\`npm run long truth\` disturbs a recorder of ${exchangeNamed(exchange).title} in ${outcomes.length} ways, against a simulated exchange that writes down every frame that it made and every
fault that it was ordered (\`edgetape simulate --truth-file\`). Right is: every frame that is in no file lies in a span reported as missing,
of that channel, within 1 s of its bounds (beyond what the machine itself was late) and with a cause that fits; of no such span, a second from its ends, is a frame here;
trades that were missed live and fetched are not reported as missing. This page is written by the command (version ${version}).

- reported correctly: ${right} of ${outcomes.length}
- with a false "complete": ${count('falsely complete')}
- with a false gap: ${count('false gap')}
- with a wrong cause: ${count('wrong cause')}

${tableOf(outcomes)}
`
}
