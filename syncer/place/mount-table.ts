/** One line of `/proc/self/mountinfo`, as far as it says where a place lies. */
export interface MountPoint {
  /** `major:minor`. */
  device: string
  /** What of the file system is mounted, as a path within it. */
  root: string
  path: string
}

/** Reads `/proc/self/mountinfo`; later lines lie over earlier ones. Pure. */
export function parseMounts(text: string): MountPoint[] {
  return text.split('\n').flatMap(line => {
    const [, , device, root, path] = line.split(' ')
    if (device === undefined || root === undefined || path === undefined) return []
    return [{ device, root: unescaped(root), path: unescaped(path) }]
  })
}

/**
 * All the names under which a real path can be reached, itself first: one for each mount that shows the same part of the
 * same file system and is not hidden by another. Pure.
 */
export function namesOf(path: string, mounts: readonly MountPoint[]): string[] {
  const on = mountOf(path, mounts)
  if (!on) return [path]
  const inside = joined(on.root, path.slice(on.path === '/' ? 0 : on.path.length))
  const others = mounts.flatMap(mount => {
    if (mount.device !== on.device || !isWithin(inside, mount.root)) return []
    const name = joined(mount.path, inside.slice(mount.root === '/' ? 0 : mount.root.length))
    return mountOf(name, mounts) === mount ? [name] : []
  })
  return [...new Set([path, ...others])]
}

/** The mount that shows a path. */
function mountOf(path: string, mounts: readonly MountPoint[]): MountPoint | undefined {
  const above = mounts.filter(mount => isWithin(path, mount.path))
  const longest = Math.max(...above.map(mount => mount.path.length))
  return above.findLast(mount => mount.path.length === longest)
}

/** True where `path` is `folder` or below it. */
function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}

function joined(folder: string, rest: string): string {
  return `${folder.replace(/\/$/, '')}${rest === '/' ? '' : rest}` || '/'
}

/** Blanks and the like come as `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
}
