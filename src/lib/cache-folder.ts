/** The cache folder: files here can be deleted and are made again when needed. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Path of the cache folder: AFT_CACHE_DIR, else `aft` in the system's cache folder. */
export function findCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.AFT_CACHE_DIR) return env.AFT_CACHE_DIR
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, 'aft')
  const home = env.HOME || homedir()
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'aft')
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'aft', 'Cache')
  return join(home, '.cache', 'aft')
}
