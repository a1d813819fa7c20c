/** Engines in roles: a name, or an engine with settings of its own. */
import type { Fallback, Voice } from '../core/plan.ts'
import type { Sampling } from '../core/provider/engine.ts'
import { type Role, type RoleSettings, roleKinds } from './option-kinds.ts'

/** A role that may be given as a name. */
export function toRole(role: string | Role): Role {
  return typeof role === 'string' ? { engine: role } : role
}

/** The first role of a list for one sample, with the others as its fallbacks. */
export function joinRoles([first = '', ...others]: (string | Role)[]): string | Role {
  const { fallbacks = [], n, ...role } = toRole(first)
  const more = others.map(toRole).flatMap(({ fallbacks: last = [], n: _, ...other }) => [other, ...last])
  const all = [...fallbacks, ...more]
  return all.length === 0 && typeof first === 'string' ? first : { ...role, fallbacks: all }
}

/** Whether a role of a list says how many samples it takes. */
export function hasCounts(roles: (string | Role)[] = []): boolean {
  return roles.some((role) => toRole(role).n !== undefined)
}

/** The names of all engines in roles, fallbacks included. */
export function namesIn(roles: (string | Role)[]): string[] {
  return roles.map(toRole).flatMap(({ engine, fallbacks = [] }) => [engine, ...namesIn(fallbacks)])
}

/** A role under other names of its engines. */
export function renameRole(role: string | Role, rename: (name: string) => string): string | Role {
  if (typeof role === 'string') return rename(role)
  const fallbacks = role.fallbacks?.map((fallback) => renameRole(fallback, rename))
  return { ...role, engine: rename(role.engine), ...(fallbacks && { fallbacks }) }
}

/** Makes a voice of a role. @param samplingOf completes the settings of an engine */
export function toVoice(
  role: string | Role,
  n: number,
  samplingOf: (engine: string, own: RoleSettings) => Sampling,
): Voice {
  const { engine, n: _, fallbacks = [], ...own } = toRole(role)
  const sampling = samplingOf(engine, own)
  const others = fallbacks.map((fallback): Fallback => {
    const { engine: name, ...settings } = toRole(fallback)
    const other = samplingOf(name, { ...own, ...settings })
    return isSame(other, sampling) ? name : { engine: name, sampling: other }
  })
  return { engine, n, sampling, ...(others.length > 0 && { fallbacks: others }) }
}

function isSame(a: Sampling, b: Sampling): boolean {
  const names = Object.keys({ ...a, ...b }) as (keyof Sampling)[]
  return names.every((name) => a[name] === b[name])
}

/** Options that may hold roles and what belongs to them. */
interface Level extends RoleSettings {
  proposers?: (string | Role)[]
  aggregators?: (string | Role)[]
  judge?: string | Role
  width?: number
}

/**
 * Joins options of several levels; the later ones win. A setting of a later level also replaces the settings of roles
 * from earlier ones: after `--temperature 0` no proposer of a preset keeps a temperature of its own.
 */
export function joinLevels<L extends object>(...levels: L[]): L {
  let joined: Level = {}
  for (const level of levels) {
    const given: Level = Object.fromEntries(Object.entries(level).filter(([, value]) => value !== undefined))
    joined = { ...withoutReplaced(joined, given), ...given }
  }
  return joined as L
}

function withoutReplaced(earlier: Level, given: Level): Level {
  const { width, ...rest } = earlier
  const replaced = [...Object.keys(roleKinds), 'width'].filter((name) => name in given)
  const fields = replaced.map((name) => (name === 'width' ? 'n' : name))
  const strip = <R extends string | Role>(role: R): R => {
    if (typeof role === 'string') return role
    const kept = Object.entries(role).filter(([name]) => !fields.includes(name))
    const fallbacks = role.fallbacks?.map(strip)
    return { ...Object.fromEntries(kept), ...(fallbacks && { fallbacks }) } as R
  }
  return {
    ...rest,
    ...(!hasCounts(given.proposers) && width !== undefined && { width }),
    ...(earlier.proposers && { proposers: earlier.proposers.map(strip) }),
    ...(earlier.aggregators && { aggregators: earlier.aggregators.map(strip) }),
    ...(earlier.judge && { judge: strip(earlier.judge) }),
  }
}
