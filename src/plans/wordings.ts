/** The built-in templates. Their bytes never change: journals and checkpoints name them. A new wording gets a new id. */
import { UsageError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'

/** The default: proposers get the conversation and nothing else, and the proposals stand after it. */
export const defaultTemplate: Template = {
  id: 'aft-2',
  place: 'tail',
  proposerSystem: '',
  aggregatorSystem:
    'Below are drafts of your next reply in this conversation. They were written independently. Some contain ' +
    'mistakes, and the user has not seen them.\n\nDrafts:\n{{proposals}}\n\nNow write the best reply to the ' +
    'conversation. Take from each draft what is correct and helpful, check where they disagree instead of counting ' +
    'votes, mend errors, and add what they miss. Reply to the user directly, in the language and the format that the ' +
    'conversation asks for. Do not mention the drafts or this message.',
  proposal: '{{number}}. {{text}}',
  separator: '\n\n',
  keepUserSystem: true,
  cutMark: ' […]',
  withoutTools:
    'No tools can be called for this reply. Say what you know, and name the calls that would help; do not claim to have made any.',
  judgeSystem:
    'Below are candidates for your next reply in this conversation. Compare them for correctness, completeness and ' +
    'clarity.\n\nCandidates:\n{{candidates}}\n\nReply with the number of the best one and nothing else.',
}

/**
 * The structure of arXiv 2501.11877, in the project's own words: a proposer's system message is one newline, and an
 * aggregator's holds the list of proposals. Models that `aft train` made mostly name this one.
 */
export const paperTemplate: Template = {
  id: 'aft-1',
  proposerSystem: '\n',
  aggregatorSystem:
    'Several drafts of a reply to the conversation below were written independently. Some contain mistakes. ' +
    'Write the best reply to the last user message. Take from each draft what is correct and helpful, check where ' +
    'they disagree instead of counting votes, mend errors, and add what they miss. Reply to the user directly, in ' +
    'the language and the format that the conversation asks for. Do not mention the drafts.\n\nDrafts:\n{{proposals}}',
  proposal: '{{number}}. {{text}}',
  separator: '\n',
  keepUserSystem: true,
  cutMark: ' […]',
  withoutTools:
    'No tools can be called at this step. Say what you know, and name the calls that would help; do not claim to have made any.',
  judgeSystem:
    'Below are candidate replies to the last user message of the conversation. Compare them for correctness, ' +
    'completeness and clarity. Reply with the number of the best one and nothing else.\n\nCandidates:\n{{candidates}}',
}

/** Every template that has a name of its own. */
export const builtInTemplates: readonly Template[] = [defaultTemplate, paperTemplate]

/**
 * The template of an id: the first of `own` with it, or a built-in one.
 * @throws UsageError that names those there are
 */
export function findTemplate(id: string, own: readonly (Template | undefined)[] = []): Template {
  const all = [...own.filter((template) => template !== undefined), ...builtInTemplates]
  const found = all.find((template) => template.id === id)
  if (found) return found
  const known = [...new Set(all.map((template) => template.id))].join(', ')
  throw new UsageError(`there is no template "${id}"; there are: ${known}`, { param: 'template' })
}
