import { basename, relative } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { exchangeOption } from './simulate.js'

interface DemoOptions {
  exchange: string
  seconds: number
  out: string
}

export async function demoCommand(isWhole: boolean): Promise<Command> {
  const command = new Command('demo').description(
    'everything on this machine: simulated exchange, recorder, compactor, a folder as the NAS, a report',
  )
  if (isWhole) command.addOption(await exchangeOption('which one is simulated'))
  return command
    .option('--seconds <n>', 'how long to record', secondsFrom, 20)
    .option('--out <folder>', 'where; emptied when an earlier demo made it', './edgetape-demo')
    .action(demo)
}

function secondsFrom(text: string): number {
  const seconds = Number(text)
  if (!Number.isInteger(seconds) || seconds < 5 || seconds > 3600)
    throw new InvalidArgumentError('wanted a whole number from 5 to 3600')
  return seconds
}

async function demo({ exchange, seconds, out }: DemoOptions): Promise<void> {
  const [{ runDemo }, { quoted, reportText }, { interruptedCode, onShutdown }, { EdgeError }] = await Promise.all([
    import('./demo/run-demo.js'),
    import('./demo/report.js'),
    import('../platform/shutdown.js'),
    import('../platform/edge-error.js'),
  ])
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  try {
    const findings = await runDemo(out, exchange, seconds, stop.signal)
    process.stdout.write(`\n${reportText(findings, quotedCommand(quoted))}`)
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'DEMO_STOPPED') throw error
    process.stderr.write(`edgetape: ${error.message}\n`)
    process.exitCode = interruptedCode() ?? 1
  }
}

/** How this very program was called, from the working directory. */
function quotedCommand(quoted: (path: string) => string): string {
  const script = process.argv[1] ?? 'edgetape'
  if (basename(script) === 'edgetape') return 'edgetape'
  const near = relative(process.cwd(), script)
  return `node ${quoted(near.startsWith('..') ? script : near)}`
}
