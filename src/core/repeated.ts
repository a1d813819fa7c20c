/** What an interruption made a prompt take twice. */
import type { Group, Member } from './group.ts'
import type { LayerRun } from './host.ts'
import type { Usage } from './provider/engine.ts'

/**
 * A usage as an undisturbed run has it. A resumed group sends its prompt again for the members that are missing:
 * where a recorded member bears that prompt's cost already, the second one is set apart in `repeated`.
 */
export function settleUsage(
  usage: Usage,
  { run, group, name, member }: { run: LayerRun; group: Group; name: string; member: Member },
): Usage {
  if (usage.calls === 0) return usage
  const recorded = run.host.recorded?.[run.depth]?.completions ?? []
  const place = (index: number) => group.indices.indexOf(index)
  const isPaid = recorded.some((c) => {
    const distance = place(member.index) - place(c.index)
    return c.engine === name && place(c.index) >= 0 && distance > 0 && distance < (c.usage.sharedBy ?? 1)
  })
  if (isPaid) return setApart(usage)
  return usage.sharedBy === group.members.length ? { ...usage, sharedBy: group.indices.length } : usage
}

function setApart({ sharedBy, ...usage }: Usage): Usage {
  const { calls, prefilledTokens } = usage
  return {
    ...usage,
    calls: 0,
    prefilledTokens: prefilledTokens === null ? null : 0,
    repeated: { calls, prefilledTokens },
  }
}
