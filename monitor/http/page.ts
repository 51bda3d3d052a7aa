import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../platform/package-info.js'
import type { Answer } from './server.js'

/**
 * The status page: one file, without a build step or a request to any other host. Its policy allows this very script and
 * style, known by their hashes, and questions to this server; nothing else, not even a style attribute.
 */
export function readPage(path = join(packageRoot, 'monitor', 'http', 'page.html')): Answer {
  const html = readFileSync(path, 'utf8')
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(html, 'script')}`,
    `style-src ${hashOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
  return { contentType: 'text/html; charset=utf-8', body: html, headers: { 'content-security-policy': policy } }
}

function hashOf(html: string, tag: 'script' | 'style'): string {
  const content = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? ''
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
}
