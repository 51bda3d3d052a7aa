import { closeSync, openSync } from 'node:fs'
import { decodeSegment } from './decode-segment.js'
import { parseLineHead } from './raw-line.js'
import { SLACK_US } from './segment-span.js'
import { zstdFrameStarts } from './zstd-frame.js'

/**
 * Where the zstd frame of an open segment begins from which all lines must be read that were received at `fromUs` or
 * later. Lines stand in the order of their times, but for a clock that was set.
 */
export function firstFrameFrom(path: string, fromUs: number): number {
  const fd = openSync(path, 'r')
  let starts: number[]
  try {
    starts = zstdFrameStarts(fd)
  } finally {
    closeSync(fd)
  }
  // The last frame whose first line is early enough: what is behind its begin, and maybe wanted, is all in it or later.
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    const us = firstLineUs(path, starts[middle] ?? 0)
    if (us !== undefined && us < fromUs - SLACK_US) low = middle
    else high = middle
  }
  return starts[low] ?? 0
}

function firstLineUs(path: string, from: number): number | undefined {
  const chunks = decodeSegment(path, from)
  try {
    const first = chunks.next()
    if (first.done) return undefined
    return parseLineHead(Buffer.from(first.value.bytes.subarray(0, 160)).toString('latin1'))?.recvUs
  } finally {
    chunks.return({ wholeBytes: from, flushedBytes: from, totalBytes: from })
  }
}
