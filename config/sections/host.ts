import { hostname } from 'node:os'
import { z } from '../../platform/zod.js'

/** Makes any machine name fit for file names: the characters that every file system keeps apart. */
export const defaultHost = () => {
  const name = hostname()
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40)
  return name === '' ? 'localhost' : name
}

export const host = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/, 'letters, digits, dots and dashes, at most 40')
  .default(defaultHost)
  .describe("part of every file name; default: the machine's host name")
