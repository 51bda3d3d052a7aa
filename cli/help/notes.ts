import { wrapped } from '../../platform/wrapped.js'

/** What stands below the options of a command: paragraphs. Pure. */
export const notes = (...paragraphs: readonly string[]): string =>
  `\n${paragraphs.map(text => wrapped(text)).join('\n')}`
