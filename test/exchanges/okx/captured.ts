import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { decompress } from 'zstd-napi'
import { packageRoot } from '../../../platform/package-info.js'

/** Frames that OKX sent; they stand beside the checkout and are not part of the project. */
const folder = join(packageRoot, '..', 'shared', 'exchanges', 'okx', 'frames')

const linesIn = (path: string) => {
  const bytes = readFileSync(path)
  const text = path.endsWith('.zst') ? decompress(bytes) : bytes
  return text
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
}

/** Frames by file, without its endings; undefined after skipping where there are none. */
export function capturedFrames(t: Test): Map<string, string[]> | undefined {
  if (!existsSync(folder)) {
    const message = 'needs the captured frames at ../shared/exchanges/okx/frames'
    t.pass(message, { skip: message })
    return undefined
  }
  const files = readdirSync(folder).filter(name => /\.jsonl(\.zst)?$/.test(name))
  return new Map(files.map(name => [name.replace(/\.jsonl.*$/, ''), linesIn(join(folder, name))]))
}

export interface SessionLine {
  /** Receive time, seconds since the epoch. */
  t: number
  dir: 'open' | 'out' | 'in'
  raw: string
  conn?: string | number
}

/** A recorded session; undefined after skipping where there is none. */
export function capturedSession(t: Test, name: string): SessionLine[] | undefined {
  const path = join(folder, 'sessions', `${name}.jsonl.zst`)
  if (!existsSync(path)) {
    const message = `needs the session at ../shared/exchanges/okx/frames/sessions (${name})`
    t.pass(message, { skip: message })
    return undefined
  }
  return linesIn(path).map(line => JSON.parse(line) as SessionLine)
}
