/** The bar at the top of the page. */

interface Props {
  isJournal: boolean
  onNew: () => void
  onHistory: () => void
  /** Absent if there is nothing to export: the button is then disabled. */
  onExport?: () => void
  onJournals: () => void
  /** Absent if the server shows no queue. */
  onQueue?: () => void
  onSettings: () => void
}

/** Shows the name of the page and its buttons. */
export function TopBar({ isJournal, onNew, onHistory, onExport, onJournals, onQueue, onSettings }: Props) {
  const buttons: [name: string, onClick: (() => void) | undefined][] = [
    ['New', onNew],
    ['History', onHistory],
    ['Export', onExport],
    ['Journals', onJournals],
    ['Queue', onQueue],
    ['Settings', onSettings],
  ]
  return (
    <header class="top">
      <a class="brand" href="./" aria-label="aft, start page">
        <img src="page/icon.svg" alt="" width="24" height="24" />
        <span class="brand-name">aft</span>
      </a>
      <nav aria-label="Page">
        {buttons.map(
          ([name, onClick]) =>
            (onClick || name === 'Export') && (
              <button
                key={name}
                type="button"
                class="quiet"
                aria-current={name === 'Journals' && isJournal ? 'page' : undefined}
                disabled={!onClick}
                title={onClick ? undefined : 'Exports the conversation of the chat'}
                onClick={onClick}
              >
                {name}
              </button>
            ),
        )}
      </nav>
    </header>
  )
}
