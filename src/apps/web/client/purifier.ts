/** The one sanitizer of the page: the policy of the page allows no second one. */
import createPurifier from 'dompurify'

/** Removes from markup what its options do not allow. */
export const purifier = createPurifier(window)
purifier.addHook('afterSanitizeAttributes', (element) => {
  if (element.tagName === 'A') {
    element.setAttribute('target', '_blank')
    element.setAttribute('rel', 'noopener noreferrer nofollow')
  }
  if (element.tagName === 'TABLE') element.setAttribute('tabindex', '0')
})
