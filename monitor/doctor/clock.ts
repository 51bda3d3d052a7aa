import { execa } from 'execa'
import { existsSync } from 'node:fs'
import type { Finding } from './finding.js'

/** What a program of this machine says of its clock. */
interface ClockSource {
  name: string
  synchronised: boolean
  /** How far the clock is off by its own measure, s. */
  offsetS?: number
}

/** Written by systemd-timesyncd, also where there is no bus to ask it. */
const TIMESYNC_MARK = '/run/systemd/timesync/synchronized'
const WANTED = 'apt-get install chrony (or: timedatectl set-ntp true)'
/** Beyond it a receive time says little about when the exchange sent. */
const OFFSET_S_MAX = 0.1

/** Asks whoever keeps the clock: chrony, else systemd. */
export async function clockFinding(signal: AbortSignal): Promise<Finding> {
  const ask = async (program: string, args: string[], read: (text: string) => ClockSource | undefined) => {
    const { stdout, failed } = await execa(program, args, { cancelSignal: signal, timeout: 5000, reject: false })
    return failed ? undefined : read(stdout)
  }
  const asked = await Promise.all([
    ask('chronyc', ['-c', 'tracking'], readChrony),
    ask('timedatectl', ['show'], readTimedatectl),
    ask('ntpq', ['-c', 'rv'], readNtpq),
  ])
  const mark: ClockSource[] = existsSync(TIMESYNC_MARK) ? [{ name: 'systemd-timesyncd', synchronised: true }] : []
  return judgeClock([...asked.filter(source => source !== undefined), ...mark])
}

/** The comma-separated form of `chronyc tracking`: the offset of the system clock is its fifth value, s. */
export function readChrony(text: string): ClockSource | undefined {
  const fields = text.trim().split(',')
  if (fields.length < 14) return undefined
  const leap = fields[13] ?? ''
  return { name: 'chrony', synchronised: leap !== 'Not synchronised', offsetS: Number(fields[4]) }
}

export function readTimedatectl(text: string): ClockSource | undefined {
  const answer = /^NTPSynchronized=(yes|no)$/m.exec(text)?.[1]
  return answer === undefined ? undefined : { name: 'systemd', synchronised: answer === 'yes' }
}

/** `leap_none` and an offset in ms. */
export function readNtpq(text: string): ClockSource | undefined {
  if (!/\bleap_\w+/.test(text)) return undefined
  const offset = /\boffset=([+-]?[\d.]+)/.exec(text)?.[1]
  const synchronised = !text.includes('leap_alarm') && /\bsync_(?!unspec)\w+/.test(text)
  return { name: 'ntpd', synchronised, ...(offset === undefined ? {} : { offsetS: Number(offset) / 1000 }) }
}

/**
 * Pure. Kernel and systemd do not see a chrony or ntpd that went astray, so one that says yes is enough only where none
 * with an offset of its own says no.
 */
export function judgeClock(sources: readonly ClockSource[]): Finding {
  const check = 'clock'
  const best = sources.find(({ offsetS }) => offsetS !== undefined) ?? sources.find(source => source.synchronised)
  const source = best ?? sources[0]
  if (!source) {
    const message = 'neither chrony nor systemd nor ntpd says whether the clock is kept right'
    return { check, outcome: 'warning', message, hint: `receive times are as good as the clock: ${WANTED}` }
  }
  const { name, synchronised, offsetS } = source
  const facts = { source: name, synchronised, offset_s: offsetS ?? null }
  if (!synchronised) return { check, outcome: 'failed', message: `not synchronised, says ${name}`, hint: WANTED, facts }
  const off = offsetS === undefined ? '' : `, off by ${(1000 * Math.abs(offsetS)).toFixed(2)} ms`
  const isOff = Math.abs(offsetS ?? 0) > OFFSET_S_MAX
  return {
    check,
    outcome: isOff ? 'warning' : 'ok',
    message: `synchronised, says ${name}${off}`,
    ...(isOff ? { hint: 'wait until it has settled (chronyc tracking), then look again' } : {}),
    facts,
  }
}
