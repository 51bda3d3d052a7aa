import type { Config } from '../../config/schema.js'
import { parseTarget, sshPlaceOf, targetComplaint } from '../../config/target-address.js'
import type { EdgeError } from '../../platform/edge-error.js'

/** Where ssh goes for `user@host:/path`, and with which files; the defaults are those of ssh itself. */
interface SshWay {
  host: string
  port: number
  knownHosts: string
  key: string | undefined
}

function sshWayOf({ target = '', sshPort, knownHosts, sshKey }: Config['sync']): SshWay | undefined {
  const address = targetComplaint(target) === undefined ? parseTarget(target) : undefined
  if (address?.kind !== 'ssh') return undefined
  const { host } = sshPlaceOf(address.destination)
  return { host, port: sshPort ?? 22, knownHosts: knownHosts ?? '~/.ssh/known_hosts', key: sshKey }
}

/** What to type, where an error is about keys: of the host, or ours. Undefined for anything else. Pure. */
export function adviceFor(error: EdgeError, sync: Config['sync']): string | undefined {
  const way = sshWayOf(sync)
  if (!way) return undefined
  const { message } = error
  if (/host key of the target has changed/.test(message)) return changedHostKey(way)
  if (/host key of the target is not a known one/.test(message)) return unknownHostKey(way)
  if (/UNPROTECTED PRIVATE KEY|bad permissions/i.test(message)) return openKey(way)
  if (/refuses our ssh key/.test(message)) return refusedKey(way)
  return undefined
}

const portOption = (port: number, flag: string) => (port === 22 ? '' : ` ${flag} ${port}`)
/** How known_hosts spells a host with a port of its own. */
const knownName = ({ host, port }: SshWay) => (port === 22 ? host : `'[${host}]:${port}'`)

function unknownHostKey(way: SshWay): string {
  const { host, port, knownHosts } = way
  return [
    'its host key is not known yet. Fetch the key and compare it before you trust it:',
    `  ssh-keyscan${portOption(port, '-p')} -t ed25519 ${host} >> ${knownHosts}`,
    `  ssh-keygen -lf ${knownHosts}`,
    '  and on the NAS itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
  ].join('\n')
}

function changedHostKey(way: SshWay): string {
  return [
    'either the NAS was reinstalled, or something else answers in its place: nothing is sent until you have looked.',
    '  on the NAS itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
    '  only if that is the key that answers here:',
    `  ssh-keygen -R ${knownName(way)} -f ${way.knownHosts}`,
    `  ssh-keyscan${portOption(way.port, '-p')} -t ed25519 ${way.host} >> ${way.knownHosts}`,
  ].join('\n')
}

function openKey({ key = 'the private key' }: SshWay): string {
  return `others may read the key, so ssh does not use it: chmod 600 ${key}`
}

function refusedKey({ key }: SshWay): string {
  const pub = key === undefined ? '~/.ssh/id_ed25519.pub' : `${key}.pub`
  return [
    `the NAS has to know our public key: put the line of ${pub} into ~/.ssh/authorized_keys of its user, best as`,
    '  restrict,command="/usr/bin/rrsync -wo -no-del /path/on/the/nas" ssh-ed25519 AAAA… edgetape',
    '  that file: chmod 600, its folder: chmod 700, neither the home writable for others',
    '  Synology, QNAP: switch on the rsync service as well; docs/nas.md has it for each',
  ].join('\n')
}
