import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { freePort, listens } from '../../test/fixtures/free-port.js'

/** A real rsync daemon on loopback, for one folder. */
export async function startDaemon(folder: string, root: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort()
  mkdirSync(root, { recursive: true })
  const config = join(folder, 'rsyncd.conf')
  const ids = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : ''
  writeFileSync(
    config,
    `${ids}use chroot = no\naddress = 127.0.0.1\nport = ${port}\nlog file = ${folder}/rsyncd.log\n` +
      `[tape]\npath = ${root}\nread only = no\n`,
  )
  const daemon = execa({ reject: false, stdio: 'ignore' })`rsync --daemon --no-detach --config=${config}`
  for (let tries = 0; tries < 100 && !(await listens(port)); tries++) await delay(50)
  return {
    url: `rsync://127.0.0.1:${port}/tape`,
    stop: async () => {
      daemon.kill('SIGTERM')
      await daemon
    },
  }
}
