/** Lists of instruments as a recording has them: an answer does not say what was asked, its rows do. */

import { parsedObject } from '../../../platform/json-object.js'
import type { JsonObject } from '../../../simulator/json.js'
import type { PlayedRecording } from '../../../simulator/replay.js'
import { nameOf } from '../instruments.js'
import { rowsOf, textOf, type Message } from '../message.js'
import type { MethodAnswer, Query } from './methods.js'
import { NO_FAMILY, NO_INSTRUMENT } from './methods.js'

const WORD = 'instruments'
const familyOf = (row: Message) => textOf(row['instFamily']) || textOf(row['uly'])

/** A list of a type, of options of a family; one of a single instrument may have been asked for by its name. */
export function questionOf(answer: string): string | undefined {
  const [row, ...others] = rowsOf(parsedObject(answer))
  if (!row || !('instType' in row && 'tickSz' in row)) return undefined
  const type = textOf(row['instType'])
  const of = others.length === 0 ? nameOf(row) : type === 'OPTION' ? familyOf(row) : 'all'
  return `${WORD} ${type} ${of}`
}

/** What the recorded lists answer to this question; undefined where it is about something else. */
export function listed(recording: PlayedRecording, path: string, query: Query): MethodAnswer | undefined {
  const { instType = '', instFamily, instId } = query
  const ofType = () => rowsIn(recording.answersOf(WORD)).filter(row => textOf(row['instType']) === instType)
  if (path === 'public/underlying') return { rows: [[...new Set(ofType().map(familyOf))]] }
  if (path !== 'public/instruments') return undefined
  if (instType === 'OPTION' && instFamily === undefined) return NO_FAMILY
  const rows = ofType().filter(
    row =>
      (instFamily === undefined || familyOf(row) === instFamily) && (instId === undefined || nameOf(row) === instId),
  )
  return instId !== undefined && rows.length === 0 ? NO_INSTRUMENT : { rows }
}

/** Each instrument once, as the longer of the lists has it: it is the one that is asked for again and again. */
function rowsIn(answers: readonly string[]): JsonObject[] {
  const lists = answers.map(answer => rowsOf(parsedObject(answer)) as JsonObject[])
  lists.sort((one, other) => one.length - other.length)
  return [...new Map(lists.flat().map(row => [nameOf(row), row])).values()]
}
