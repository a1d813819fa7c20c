/** The path of a request as the routes know it: clients write base addresses in more than one way. */
/** What a client may append to an address without `/v1`. */
const BARE = /^\/(chat\/completions|responses|messages|models)(?=\/|$)/

/**
 * `/v1/chat/completions` for `/chat/completions`, `//v1/chat/completions`, `/v1/chat/completions/`, and for
 * `/v1/v1/chat/completions`, which a client sends that appends `/v1` itself.
 */
export function readPath(request: Request): string {
  const { pathname } = new URL(request.url)
  const path = pathname.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  return path.replace(/^\/v1(?=\/v1\/)/, '').replace(BARE, '/v1$&')
}
