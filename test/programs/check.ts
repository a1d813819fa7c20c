/** What a program that mounts the server under `/llm` prints: the page, what the page loads, and an answer. */
export async function check(port: number): Promise<void> {
  const root = `http://127.0.0.1:${port}`
  console.log(await (await fetch(root)).text())
  const page = await fetch(`${root}/llm/`)
  const html = await page.text()
  const links = [...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, link]) => link ?? '')
  for (const link of links) console.log(link, (await fetch(new URL(link, page.url))).status)
  const answer = await fetch(`${root}/llm/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'aft', messages: [{ role: 'user', content: 'Why?' }] }),
  })
  const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] }
  console.log(choices[0]?.message.content)
}
