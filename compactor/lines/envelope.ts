import type { Envelope, Shape } from '../../exchanges/envelope.js'
import { sqlText } from '../../platform/duckdb.js'

/** The shape of a whole frame whose data have this shape. */
export function nestedShape({ at, members }: Envelope, data: Shape): Shape {
  const [outer = '', inner] = at.split('.')
  if (inner === undefined) return { ...members, [outer]: data }
  return { ...members, [outer]: Object.assign({}, members[outer], { [inner]: data }) as Shape }
}

/** What an envelope says besides its data, for rows: an SQL expression. */
export const envelopeFields = ({ fields }: Pick<Envelope, 'fields'>) => fields ?? 'NULL'

/** A line as it is read: an SQL expression. */
export const readLine = ({ respelled = {} }: Pick<Envelope, 'respelled'>) =>
  Object.entries(respelled).reduce(
    (line, [name, spelling]) => `replace(${line}, ${sqlText(`"${spelling}":"`)}, ${sqlText(`"${name}":"`)})`,
    'line',
  )
