/**
 * A URL as it may stand in a log, a journal or a message: without user, password and the values of its query, which may
 * be secrets. Of what is no URL, e.g. for a port that does not exist, nothing is shown that could be a login either.
 */
export function shownUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // Without `//` a user is taken for the protocol.
  if (!url || url.host === '') return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@').replace(VALUES, '$1***')
  if (url.username === '' && url.password === '' && url.search === '') return text
  if (url.username !== '') url.username = '***'
  if (url.password !== '') url.password = '***'
  for (const name of new Set(url.searchParams.keys())) url.searchParams.set(name, '***')
  return url.href
}

const VALUES = /([?&][^=&#]*=)[^&#]*/g
