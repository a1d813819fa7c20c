/** The connection to the Redis or Valkey that holds a queue. */
import type * as BullMQ from 'bullmq'
import { UsageError } from '../../core/provider/errors.ts'
import { importPackage, needPackages } from '../../files/optional-packages.ts'
import { connectRedis, type RedisServer, readInfo } from '../redis.ts'

/** A server that holds queues. */
export interface QueueServer extends RedisServer {
  bullmq: typeof BullMQ
}

/**
 * Connects to a server and checks that it can hold a queue. The password may be in `AFT_QUEUE_PASSWORD`.
 * @param onNote gets a line when the server is lost, and when it is back
 * @throws as `connectRedis` does, and UsageError for a server that drops keys
 */
export async function connectQueue(
  address: string,
  more: { env?: NodeJS.ProcessEnv; onNote?: (note: string) => void } = {},
): Promise<QueueServer> {
  const packages = 'a queue over several machines'
  needPackages(packages)
  const bullmq = (await importPackage('bullmq')) as unknown as typeof BullMQ
  const use = { packages, passwordVariable: 'AFT_QUEUE_PASSWORD', check: checkServer } as const
  return { ...(await connectRedis(address, { ...use, ...more })), bullmq }
}

/** Checks what `INFO` says. Returns warnings. @throws UsageError for a server that would lose a queue */
export function checkServer(info: string, place: string): string[] {
  const policy = readInfo(info, 'maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    throw new UsageError(
      `redis ${place}: its maxmemory-policy is ${policy}, so it drops keys, and prompts with them, when its memory is full; ` +
        'set it to noeviction (redis-cli config set maxmemory-policy noeviction)',
    )
  }
  if (readInfo(info, 'aof_enabled') !== '0') return []
  return [
    `redis ${place} has no append-only file: if it ends, what waits in it is asked again (redis-cli config set appendonly yes)`,
  ]
}
